# ruff: noqa: E501 - tables of cases read better with one line each
"""A folder is graded whole: everyone in it has a line, deadlines have zones, an interruption costs nothing."""

import csv
import gc
import io
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.assignments import tiny
from tools.grading import __main__ as command
from tools.grading import batch, collecting, names, pages, sandbox, tables
from tools.grading.__main__ import grade, main
from tools.grading.collecting import RESULTS, collect
from tools.grading.submissions import Grade, Student, Submission
from tools.grading.tables import FolderError

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="bubblewrap is Linux's; elsewhere make grade refuses"
)

ROSTER = """\
student,name,email,number
ada,Ada Lovelace,ada@uni.example,4711
zoë,Zoë Müller,,
bo,Bo <b>Bold</b>,,
gone,Never There,,
"""


ALL = {"tiny": tiny.TINY}


def lay_out(folder, files, roster=ROSTER):
    """Write a lecturer's folder; a notebook stands for a solved one."""
    (folder / "roster.csv").write_text(roster, encoding="utf-8")
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tiny.text(tiny.solved()) if data is None else data)
    return folder


def read(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A small course, graded once."""
    sandbox.check()
    wrong = tiny.solved()
    tiny.find(wrong, "double").source = "def double(x):\n    print('<script>alert(1)</script>')\n    return x"
    tiny.find(wrong, "derivation").source = "<b>Since</b> $a = b$."
    files = {
        "tiny/Ada Lovelace_4711_assignsubmission_file_/tiny.ipynb": None,
        "tiny/zoë.ipynb": None,
        "tiny/bo/tiny.ipynb": tiny.text(wrong),
        "tiny/nobody/tiny.ipynb": None,
        "deadlines.csv": b"assignment,deadline,zone\ntiny,2026-11-25T23:59,Europe/Berlin\n",
        "submitted.csv": b"assignment,student,time\ntiny,ada,2026-11-25T22:59+00:00\ntiny,bo,2026-11-25T23:00:00Z\n",
    }
    folder = lay_out(tmp_path_factory.mktemp("a course"), files)
    grade(folder, ALL, limits=tiny.LIMITS)
    return folder


@pytest.fixture
def course(graded, tmp_path):
    """A copy of the graded course."""
    return shutil.copytree(graded, tmp_path / "course")


def test_everyone_in_the_roster_has_a_line_and_so_has_nobody(graded):
    lines = read(graded / RESULTS / "grades.csv")
    assert [(line["student"], line["status"], line["points"], line["open"]) for line in lines] == [
        ("ada", "graded", "5", "3"),
        ("zoë", "graded", "5", "3"),
        ("bo", "graded", "2", "3"),
        ("gone", "missing", "", ""),
        ("nobody", "needs-attention", "", ""),
    ]
    assert lines[0]["tasks"] == "double=3; centre=2; derivation=0+?"
    assert lines[3]["reason"] == "nothing was handed in"
    assert lines[4]["reason"] == "nobody in the roster is 'nobody'"


def test_late_is_told_by_the_zone(graded):
    """The deadline, 23:59 in Berlin, is 22:59 in Greenwich: then is in time, a minute later is not."""
    late = {line["student"]: line["late"] for line in read(graded / RESULTS / "grades.csv")}
    assert (late["ada"], late["bo"], late["gone"]) == ("", "late", "")


@pytest.mark.parametrize(
    ("deadline", "zone", "is_late"),
    [
        ("2026-11-25T23:59", "Europe/Berlin", True),
        ("2026-11-25T23:59", "America/New_York", False),
        ("2026-11-25T23:59+01:00", "", True),
        ("2026-11-25T23:59-05:00", "", False),
        ("2026-11-26 00:30:00", "Europe/Berlin", False),
    ],
)
def test_a_deadline_in_another_zone_against_the_time_of_a_file(tmp_path, deadline, zone, is_late):
    table = f"assignment;deadline;zone\ntiny;{deadline};{zone}\n".encode()
    folder = lay_out(tmp_path, {"tiny/ada/tiny.ipynb": None, "deadlines.csv": table})
    moment = datetime(2026, 11, 25, 23, 20, tzinfo=UTC).timestamp()
    os.utime(folder / "tiny" / "ada" / "tiny.ipynb", (moment, moment))
    ada = collect(folder, ALL).submissions[0]
    ada.place = str(folder / "tiny" / "ada" / "tiny.ipynb")
    assert ada.is_late is is_late


@pytest.mark.parametrize(
    ("files", "roster", "said"),
    [
        ({"tiny/ada.ipynb": None}, "who\nada\n", "line 1: the column student is missing"),
        ({"tiny/ada.ipynb": None}, "student\nada\nADA\n", "occurs twice"),
        ({"tiny/ada.ipynb": None}, "student\n../ada\n", "is no name"),
        ({"tiny/ada.ipynb": None, "tyni/ada.ipynb": None}, ROSTER, "tyni: no assignment has this name"),
        ({}, ROSTER, "holds no folder of an assignment"),
        ({"tiny/ada.ipynb": None, "deadlines.csv": b"assignment,deadline\ntiny,2026-11-25T23:59\n"}, ROSTER,
         "has no time zone"),
        ({"tiny/ada.ipynb": None, "deadlines.csv": b"assignment,deadline,zone\ntiny,2026-11-25,Mars/Base\n"}, ROSTER,
         "Europe/Berlin"),
        ({"tiny/ada.ipynb": None, "submitted.csv": b"assignment,student,time\ntiny,eve,2026-11-25\n"}, ROSTER,
         "nobody in the roster is 'eve'"),
    ],
)  # fmt: skip
def test_a_folder_that_is_not_as_it_should_be_is_refused(tmp_path, files, roster, said):
    with pytest.raises(FolderError, match=said):
        collect(lay_out(tmp_path, files, roster), ALL)


@pytest.mark.parametrize("roster", ["student;name;;\nada;Ada;;\n;;;\n;;;\n", "\ufeffSTUDENT,Name\r\nada,Ada\r\n,\r\n", "student\tname\nada\tAda\n\n"])
def test_a_roster_as_spreadsheets_leave_it(tmp_path, roster):
    found = collect(lay_out(tmp_path, {"tiny/ada.ipynb": None}, roster), ALL).submissions
    assert [(s.student.id, s.student.name, len(s.places)) for s in found] == [("ada", "Ada", 1)]


def test_no_folder_at_all(tmp_path):
    with pytest.raises(FolderError, match="there is no such folder"):
        collect(tmp_path / "none", ALL)


@pytest.mark.parametrize(
    ("place", "student"),
    [
        ("ADA", "ada"),
        ("Somebody Else_4711_assignsubmission_file_", "ada"),
        ("zoë müller_17_assignsubmission_file_", "zoë"),
        ("Zoe\u0308 Mu\u0308ller_17_assignsubmission_file", "zoë"),
        ("Ada Lovelace_4712_assignsubmission_file_", "ada"),
        ("Somebody Else_4712_assignsubmission_file_", None),
    ],
)
def test_whose_a_folder_is(tmp_path, place, student):
    submissions = collect(lay_out(tmp_path, {f"tiny/{place}/tiny.ipynb": None}), ALL).submissions
    owners = [s.student.id for s in submissions if s.places and s.student.known]
    assert owners == ([student] if student else [])
    assert [s.student.id for s in submissions if not s.student.known] == ([] if student else [place])


def test_two_folders_of_one_student_are_both_read(tmp_path):
    files = {"tiny/ada/tiny.ipynb": None, "tiny/Ada_4711_assignsubmission_file_/tiny.ipynb": b"{}"}
    ada = collect(lay_out(tmp_path, files), ALL).submissions[0]
    assert len(ada.places) == 2


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_graded_again_nothing_runs_and_every_byte_is_the_same(course, monkeypatch):
    before = contents(course / RESULTS)
    monkeypatch.setattr(batch.Worker, "grade", None)  # it would fail
    grade(course, ALL, limits=tiny.LIMITS)
    assert contents(course / RESULTS) == before


def test_graded_from_nothing_the_tables_are_the_same(course):
    before = contents(course / RESULTS)
    shutil.rmtree(course / RESULTS)
    grade(course, ALL, limits=tiny.LIMITS)
    after = contents(course / RESULTS)
    assert {k: v for k, v in after.items() if k.suffix in (".csv", ".html")} == {
        k: v for k, v in before.items() if k.suffix in (".csv", ".html")
    }


@pytest.fixture
def again(monkeypatch):
    """The students who are graded anew; nothing runs."""
    found = []

    def record(_, submission):
        found.append(submission.student.id)
        return submission

    monkeypatch.setattr(batch.Worker, "grade", record)
    return found


def test_only_what_changed_is_graded_again(course, again):
    (course / "tiny" / "zoë.ipynb").write_bytes(b"changed")
    table = grade(course, ALL, limits=tiny.LIMITS)
    assert again == ["zoë"]
    assert [row.status for row in table].count("missing") == 2


def test_other_limits_grade_anew(course, again):
    grade(course, ALL, limits=replace(tiny.LIMITS, memory=2 << 30))
    assert len(again) == 5


def test_a_failure_of_the_grader_is_seen_and_not_kept(tmp_path):
    folder = lay_out(tmp_path, {"tiny/ada/tiny.ipynb": None}, "student\nada\n")
    (row,) = grade(folder, ALL, limits=replace(tiny.LIMITS, restarts=None))
    assert row.status == "needs-attention"
    assert row.reasons[0].startswith("the grader itself failed: TypeError: ")
    assert list((folder / RESULTS / ".kept").glob("*.json")) == []


GRADE = """\
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell began the tests in the background
from tests.assignments import tiny
from tools.grading.__main__ import grade
try:
    grade(Path(sys.argv[1]), {"tiny": tiny.TINY}, limits=tiny.LIMITS, say=lambda line: print(line, flush=True))
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_interrupted_it_goes_on_where_it_was(tmp_path, again):
    endless = tiny.solved()
    tiny.find(endless, "double").source = "while True: pass"
    files = {"tiny/ada.ipynb": None, "tiny/bo.ipynb": tiny.text(endless)}
    folder = lay_out(tmp_path, files, "student\nada\nbo\n")
    root = collecting.__file__.partition("tools")[0]
    with subprocess.Popen(
        [sys.executable, "-c", GRADE, folder], cwd=root, stdout=subprocess.PIPE, text=True
    ) as run:
        assert "ada: graded" in run.stdout.readline()
        run.send_signal(signal.SIGINT)
        assert run.stdout.read() == "interrupted: make grade again goes on from here\n"
    assert run.returncode == 130
    grade(folder, ALL, limits=tiny.LIMITS)
    assert again == ["bo"]


def test_a_write_that_is_interrupted_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "grades.csv"
    batch.write(path, "old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        batch.write(path, "new")
    assert path.read_text() == "old"


HAND = "assignment,student,cell,points,comment\n"


def test_points_given_by_hand_are_taken_up(course):
    (sheet,) = [r for r in read(course / RESULTS / "by-hand.csv") if r["student"] == "bo"]
    assert (sheet["cell"], sheet["possible"], sheet["points"], sheet["answer"]) == (
        "derivation", "3", "", "<b>Since</b> $a = b$.",
    )  # fmt: skip
    (course / "by-hand.csv").write_text(HAND + 'tiny,bo,derivation,"1,5",<i>Why?</i>\n')
    grade(course, ALL, limits=tiny.LIMITS)
    bo = next(line for line in read(course / RESULTS / "grades.csv") if line["student"] == "bo")
    assert (bo["points"], bo["open"], bo["tasks"]) == ("3.5", "0", "double=0; centre=2; derivation=1.5")
    moodle = {r["ID number"]: r["Grade"] for r in read(course / RESULTS / "tiny-moodle.csv")}
    assert moodle == {"ada": "", "zoë": "", "bo": "3.5", "gone": ""}
    assert "&lt;i&gt;Why?" in (course / RESULTS / "feedback" / "tiny" / "bo.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tiny,bo,derivation,4,", "0 to 3 are possible"),
        ("tiny,bo,derivation,-1,", "0 to 3 are possible"),
        ("tiny,bo,derivation,many,", "is no number"),
        ("tiny,bo,double,1,", "nothing to grade for tiny bo double"),
        ("tiny,gone,derivation,1,", "nothing to grade for tiny gone derivation"),
    ],
)
def test_points_by_hand_that_cannot_be(course, line, said):
    (course / "by-hand.csv").write_text(HAND + line + "\n")
    with pytest.raises(FolderError, match=said):
        grade(course, ALL, limits=tiny.LIMITS)


def test_moodle_knows_its_participants(graded):
    rows = read(graded / RESULTS / "tiny-moodle.csv")
    assert [row["Identifier"] for row in rows] == ["Participant 4711", "", "", ""]
    assert {row["Maximum grade"] for row in rows} == {"8"}


def test_the_plain_table_has_a_column_for_each_task(graded):
    rows = read(graded / RESULTS / "tiny.csv")
    assert list(rows[0]) == ["student", "double", "centre", "derivation", "points", "status"]
    assert list(rows[2].values()) == ["bo", "0", "2", "0", "2", "graded"]


def result(student, **found):
    """Return a result of the tiny assignment that nothing was run for."""
    return Submission(tiny.TINY, student, **found)


def test_no_spreadsheet_takes_an_entry_for_a_formula():
    (line,) = csv.DictReader(io.StringIO(tables.grades([result(Student("=1+1", "@x"))])))
    assert (line["student"], line["name"]) == ("'=1+1", "'@x")


def test_feedback_shows_points_messages_and_nothing_that_runs_or_is_hidden(graded):
    page = (graded / RESULTS / "feedback" / "tiny" / "bo.html").read_text(encoding="utf-8")
    assert "2 of 8 points" in page
    assert "twice the grid: expected 6 at [3], got 3." in page
    assert "&lt;b&gt;Since" in page
    assert "Bo &lt;b&gt;Bold" in page
    assert "<script" not in page
    assert (
        pages.visible("a(\n### BEGIN HIDDEN TESTS\na(\n### END HIDDEN TESTS\nb")
        == "a(\n# ... and further tests\nb"
    )
    assert [line for line in tiny.hidden_lines(tiny.TINY) if line in page] == []
    assert sorted(p.name for p in (graded / RESULTS / "feedback" / "tiny").iterdir()) == [
        "ada.html",
        "bo.html",
        "zoë.html",
    ]


def test_the_report_names_everyone_whose_status_is_not_graded(graded):
    page = (graded / RESULTS / "report.html").read_text(encoding="utf-8")
    assert "3 graded, 1 needs-attention, 1 missing" in " ".join(page.split())
    look = page.partition("Everyone whose status")[2]
    assert ("nobody" in look, "Never There" in look, "Müller" in look) == (True, True, False)
    assert 'test_double</code></td><td class="number">1 of 3' in page
    assert "the same code: ada, zoë" in page


@pytest.mark.parametrize(
    ("words", "length", "found"),
    [
        ("the same code", 40, []),
        ("the same code", 1800, [("the same code", ["a", "b", "c"])]),
        ("the same answer to derivation", 1800, [("the same answer to derivation", ["a", "b", "c"])]),
    ],
)
def test_three_of_four_copies_are_named_where_they_are_long(words, length, found):
    graded = [
        result(Student(name), prints={words: (digest, length)}, grades=[Grade("double", 1.0, 1.0)])
        for name, digest in zip("abcd", "1112", strict=True)
    ]
    assert list(pages.copies(graded)) == found


def test_two_of_four_are_named_though_they_are_short():
    graded = [
        result(Student(name), prints={"the same code": (digest, 40)})
        for name, digest in zip("abcd", "1123", strict=True)
    ]
    assert list(pages.copies(graded)) == [("the same code", ["a", "b"])]


def test_trusted_submissions_run_without_walls(tmp_path):
    folder = lay_out(tmp_path, {"tiny/ada/tiny.ipynb": None}, "student\nada\n")
    (row,) = grade(folder, ALL, limits=tiny.LIMITS, trust=True)
    assert (row.status, row.points) == ("graded", 5.0)


def test_what_is_kept_reads_back(graded):
    texts = [f.read_text(encoding="utf-8") for f in (graded / RESULTS / ".kept").glob("*.json")]
    assert [Submission(tiny.TINY).with_json(text).to_json() for text in texts] == texts
    assert len(texts) == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["grade", "/none"], "emvae: /none: there is no such folder; SUBMISSIONS=... names it"),
        (["try", "7-none"], "emvae: 7-none: no such assignment"),
    ],
)
def test_a_command_that_cannot_be_carried_out_says_why_in_a_line(arguments, said, capsys, monkeypatch):
    monkeypatch.setenv("EMVAE_BOOK", "")
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(said)
    assert main(["--trust", *arguments]) == 2


@pytest.mark.parametrize(
    ("arguments", "book"),
    [(["try", "x"], None), (["--book", "https://b.example", "try", "x"], "https://b.example"), (["grade", "x"], "")],
)
def test_who_tries_an_assignment_reads_on_in_the_book_that_was_built_here(arguments, book, monkeypatch):
    """Students have no such files: what is graded names the published book or none."""
    monkeypatch.setenv("EMVAE_BOOK", "put back at the end")
    monkeypatch.delenv("EMVAE_BOOK")
    seen = []
    for name in ("check_package", "read_all", "attempt", "grade", "summary"):
        monkeypatch.setattr(command, name, lambda *_, **__: seen.append(os.environ.get("EMVAE_BOOK")))
    main(["--trust", *arguments])
    assert seen[-1] == book


def test_cells_are_read_side_by_side():
    """Without the lock about every eighth parse is a SystemError here (CPython 3.11)."""
    cell = "\n".join(f"def f{i}(x):\n    return [a + b * c for a, (b, c) in x]" for i in range(60))
    threshold, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.callbacks.append(lambda *_: None)  # Python that runs while a tree is built: a thread may lose its turn
    try:
        gc.set_threshold(20)
        sys.setswitchinterval(1e-6)
        with ThreadPoolExecutor(2) as pool:
            trees = list(pool.map(names.tree, [cell] * 200))
    finally:
        gc.set_threshold(*threshold)
        sys.setswitchinterval(interval)
        gc.callbacks.pop()
    assert all(len(tree.body) == 60 for tree in trees)
