# ruff: noqa: E501 - tables of cases read better with one line each
"""Nothing stops the batch: whatever one submission is or does, all others have a line, a page and the report."""

import base64
import csv
import io
import json
import os
import resource
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell

from tests.assignments import tiny
from tools.grading import __main__ as command
from tools.grading import batch, names, pages, sandbox, tables
from tools.grading.__main__ import grade, main
from tools.grading.collecting import RESULTS, collect
from tools.grading.kernels import CELLS, Outputs
from tools.grading.pages import page_text
from tools.grading.reading import Files, notebook_of, printable, stored_outputs
from tools.grading.submissions import Grade, Student, Submission
from tools.grading.tables import FolderError

linux = pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap is Linux's; elsewhere make grade refuses")
ALL = {"tiny": tiny.TINY}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(16)).decode()


def with_cell(*sources):
    """Return a solved notebook with cells of the student's own."""
    notebook = tiny.solved()
    for source in sources:
        notebook.cells.insert(2, new_code_cell(source))
    return tiny.text(notebook)


def with_data(change):
    """Return a solved notebook changed as plain data, beyond what nbformat would write."""
    data = tiny.raw(tiny.solved())
    change(data)
    return json.dumps(data).encode()


def markdown(data):
    return next(c for c in data["cells"] if c["cell_type"] == "markdown")


def answer(notebook, name, source):
    tiny.find(notebook, name).source = source
    return tiny.text(notebook)


def nested(depth):
    found = "x"
    for _ in range(depth):
        found = {"a": found}
    return found


def archive(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(f"{name}.ipynb", data)
    return buffer.getvalue()


# Each of these ended the whole batch, or took minutes or gigabytes; the points are what the work is worth.
HOSTILE = {
    "picture": with_cell("display({'image/png': 'a'}, raw=True)\ndisplay({'image/png': ['a'], 'text/plain': 3}, raw=True)"),
    "surrogate-title": with_data(lambda d: markdown(d).update(source="# \ud800 title")),
    "surrogate-message": with_cell("raise ValueError('\\ud800')", "print('\\udfff')", "display({'text/plain': '\\ud800'}, raw=True)"),
    "attachments": with_data(lambda d: markdown(d).update(attachments={"a.png": nested(400), "b": {"image/png": [1]}})),
    "metadata": with_data(lambda d: markdown(d)["metadata"].update(nbgrader=nested(400), emvae=nested(400))),
    "newlines": answer(tiny.solved(), "double", "def double(x):" + "\n" * 300_000 + "    return 2 * np.asarray(x)"),
    "long-sum": with_cell("y = " + " + ".join(["1"] * 1000)),
    "dotted-id": with_data(lambda d: d["cells"][1].update(id="a.b c/ü")),
    "many-cells": with_cell(*["print('x' * 190_000)"] * 60),
    "name-as-type": with_cell("raise type('### BEGIN HIDDEN TESTS', (Exception,), {})()"),
}  # fmt: skip


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course in which all but two students are hostile, graded once."""
    sandbox.check()
    folder = tmp_path_factory.mktemp("course")
    (folder / "roster.csv").write_text("student\nada\n" + "".join(f"{name}\n" for name in HOSTILE) + "files\nzed\n")
    for name, data in {**HOSTILE, "ada": tiny.text(tiny.solved()), "zed": tiny.text(tiny.solved())}.items():
        (folder / "tiny" / name).mkdir(parents=True)
        (folder / "tiny" / name / "tiny.ipynb").write_bytes(data)
    deep = folder / "tiny" / "files"
    deep.mkdir()
    (deep / os.fsdecode(b"L\xf6sung.ipynb")).write_bytes(tiny.text(tiny.solved()))
    place = os.open(deep, os.O_RDONLY)
    for _ in range(1200):  # longer than any path may be
        os.mkdir("d", dir_fd=place)
        inner = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)
    said = []
    start = time.monotonic()
    found = grade(folder, ALL, limits=replace(tiny.LIMITS, cell_seconds=30), say=said.append)
    yield folder, {r.student.id: r for r in found}, said, time.monotonic() - start
    subprocess.run(["rm", "-rf", deep], check=True)  # what pytest removes has to be less deep


@linux
def test_everyone_has_a_line_and_a_page(course):
    folder, found, said, _ = course
    lines = list(csv.DictReader(io.StringIO((folder / RESULTS / "grades.csv").read_text(encoding="utf-8"))))
    assert [line["student"] for line in lines] == ["ada", *HOSTILE, "files", "zed"]
    pages = {p.stem for p in (folder / RESULTS / "feedback" / "tiny").iterdir()}
    assert pages == set(found)
    assert (folder / RESULTS / "report.html").stat().st_size > 1000
    assert [line for line in said if "could not" in line] == []


@linux
def test_honest_work_beside_them_keeps_its_points(course):
    _, found, _, _ = course
    assert [(found[n].status, found[n].points, found[n].reasons) for n in ("ada", "zed")] == [("graded", 5.0, [])] * 2


@linux
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_notebook_is_graded_for_what_it_is_worth(course, name):
    _, found, _, _ = course
    assert found[name].points == 5.0
    assert not any("grader" in reason for reason in found[name].reasons)
    assert found[name].final


@linux
def test_its_own_line_says_what_happened(course):
    _, found, _, _ = course
    assert "ends in ValueError" in " ".join(found["surrogate-message"].reasons)
    assert found["files"].reasons == [
        "folders lie in folders, more than 30 deep: they were not opened",
        "the file is named Lösung.ipynb, not tiny.ipynb",
    ]
    assert found["files"].status == "needs-attention"


@linux
def test_what_is_kept_of_one_submission_is_bounded(course):
    folder, found, _, _ = course
    assert len(found["many-cells"].to_json()) < 10 << 20
    assert all(p.stat().st_size < 10 << 20 for p in (folder / RESULTS).rglob("*") if p.is_file())


@linux
def test_a_run_leaves_nothing_in_the_temporary_folder(course):
    assert list(Path("/tmp").glob(f"{batch.SCRATCH}{os.getpid()}-*")) == []


def test_lines_without_magics_are_read_in_no_time():
    start = time.monotonic()
    assert names.tree("\n" * 300_000 + "a = 1").body[0].lineno == 300_001
    assert time.monotonic() - start < 5


def test_outputs_are_what_a_page_can_hold():
    outputs = Outputs(1000)
    for shown in ({"image/png": "a"}, {"image/png": "AAAA"}, {"image/png": ["a"]}, {"text/html": "<b>"}, {"image/png": PNG}):
        outputs.take({"show": "data", "data": shown})
    assert [o.data for o in outputs.cells] == [{"image/png": PNG}]
    for strange in (None, [], {}, {"show": "data"}, {"show": "text", "name": 3, "text": None}, {"show": "error"}):
        outputs.take(strange)
    for number in range(2 * CELLS):
        outputs.take({"show": "data", "data": {"text/plain": str(number)}})
    assert outputs.cut
    assert len(outputs.cells) <= CELLS + 1


# Files


def test_archives_have_one_budget(tmp_path):
    bomb = archive(a=bytes(100 << 20))
    for number in range(8):
        (tmp_path / f"{number}.zip").write_bytes(bomb)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    files = Files.read([tmp_path])
    assert len(files.found) == 1
    assert "more than 128 MB were handed in" in files.attention[0]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500 << 10  # kilobytes


def test_a_python_in_the_folder_is_not_read(tmp_path):
    for name in (".venv/pyvenv.cfg", "env/pyvenv.cfg", ".venv/lib/a.ipynb", "env/b.ipynb", ".ipynb_checkpoints/c.ipynb", "photo.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(b"{}")
    (tmp_path / "env" / "python").symlink_to("/usr/bin/python3")
    (tmp_path / "tiny.ipynb").write_bytes(b"{}")
    files = Files.read([tmp_path])
    assert [(f.name, f.data) for f in files.found] == [("photo.jpg", b""), ("tiny.ipynb", b"{}")]
    assert files.attention == []


def test_a_folder_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    (tmp_path / "tiny.ipynb").write_bytes(b"{}")
    listed = os.listdir
    denied = PermissionError(13, "Permission denied")  # root may read all: what others meet is raised here
    monkeypatch.setattr(os, "listdir", lambda p: (_ for _ in ()).throw(denied) if Path(p).name == "in" else listed(p))
    files = Files.read([tmp_path])
    assert [f.name for f in files.found] == ["tiny.ipynb"]
    assert files.attention == ["in cannot be opened: Permission denied"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [(b"L\xf6sung", "Lösung"), ("Lösung".encode(), "Lösung"), (b"\x81", "\ufffd"), (b"a\nb", "a\ufffdb")],
)
def test_names_of_files_can_be_shown(name, shown):
    assert printable(os.fsdecode(name)) == shown


def test_a_notebook_of_too_many_cells_or_too_much_text_is_refused():
    for change, said in (
        (lambda d: d.update(cells=[{"cell_type": "code"}] * 2001), "2001 cells"),
        (lambda d: markdown(d).update(source="x" * (5 << 20)), "5 MB of text"),
    ):
        with pytest.raises(ValueError, match=said):
            notebook_of(with_data(change))


def test_only_pictures_stay_of_attachments():
    data = with_data(lambda d: markdown(d).update(attachments={"a": {"image/png": PNG, "text/html": "<b>"}, "b": {"image/png": "x"}}))
    cells = notebook_of(data)[0].cells
    assert [c.attachments for c in cells if "attachments" in c] == [{"a": {"image/png": PNG}}]


def test_a_notebook_without_outputs_has_none_in_common():
    assert stored_outputs(tiny.text(tiny.solved())) == ""
    assert stored_outputs(with_data(lambda d: d["cells"][1].update(outputs=[{"text": "1"}]))) != ""


# Moodle

NAMED = "student,name,number\nada,Ada Lovelace,4711 4802\nbob,Bob O'Hara,\n007,Jean-Luc Picard,\n"


def owners(folder, names, roster=NAMED):
    (folder / "roster.csv").write_text(roster, encoding="utf-8")
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"{}")
    return {
        s.student.id: ([p.name for p in s.places], s.number)
        for s in collect(folder, {"tiny": tiny.TINY, "other": tiny.assignment("other")}).submissions
        if s.places
    }


@pytest.mark.parametrize(
    ("name", "student", "number"),
    [
        ("Ada Lovelace_9_assignsubmission_file_", "ada", "9"),  # the roster's number is another assignment's
        ("Participant_4802_assignsubmission_file_", "ada", "4802"),
        ("Teilnehmer_4711_assignsubmission_file_", "ada", "4711"),
        ("Participant_5_assignsubmission_file_", "Participant_5_assignsubmission_file_", ""),
        ("Group A-Bob OHara_3_assignsubmission_file_", "bob", "3"),
        ("Jean-Luc Picard_4_assignsubmission_file_", "007", "4"),
        ("Tutorial 2-Jean-Luc Picard_4_assignsubmission_file_", "007", "4"),
        ("Bob OHara_3_assignsubmission_file_my_work.ipynb", "bob", "3"),
        ("7", "007", ""),
    ],
)
def test_a_moodle_download_is_understood(tmp_path, name, student, number):
    path = f"tiny/{name}" if name.endswith(".ipynb") else f"tiny/{name}/tiny.ipynb"
    assert owners(tmp_path, [path]) == {student: ([name], number)}


def test_a_participants_number_belongs_to_one_assignment(tmp_path):
    roster = "student,name,number\nada,Ada Lovelace,4711\n"
    names = ["tiny/Ada Lovelace_4711_assignsubmission_file_/a.ipynb", "other/Ada Lovelace_99_assignsubmission_file_/a.ipynb"]
    owners(tmp_path, names, roster)
    found = collect(tmp_path, {"tiny": tiny.TINY, "other": tiny.assignment("other")}).submissions
    assert {s.assignment.name: s.number for s in found} == {"tiny": "4711", "other": "99"}
    worksheet = tables.moodle(found)
    assert [row["Identifier"] for row in csv.DictReader(io.StringIO(worksheet))] == ["Participant 99", "Participant 4711"]


def test_a_flat_download_has_the_files_own_name(tmp_path):
    path = tmp_path / "Bob_3_assignsubmission_file_tiny.ipynb"
    path.write_bytes(b"{}")
    assert [f.name for f in Files.read([path]).found] == ["tiny.ipynb"]


# Spreadsheets


@pytest.mark.parametrize("entry", ["-x = 3", "+1", "-1.5", "=a", "@a", "\tx", "'-ada", "''=x", "'Because'", "-1,5", "- item", "", "x\ny;\"z\""])
def test_an_entry_comes_back_as_it_was(tmp_path, entry):
    path = tmp_path / "t.csv"
    path.write_text(tables.text([{"student": "ada", "answer": entry}]), encoding="utf-8", newline="")
    (line,) = tables.read(path, ["student"])
    assert line["answer"] == entry
    raw = next(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))["answer"]
    assert raw[:1] not in ("=", "@", "\t", "\r")
    assert raw[:1] not in ("+", "-") or tables.NUMBER.fullmatch(raw)


def hand_in(folder, by_hand, roster="student\n007\n-ada\n"):
    (folder / "roster.csv").write_text(roster)
    (folder / "tiny").mkdir()
    (folder / "by-hand.csv").write_bytes(by_hand)
    return collect(folder, ALL).by_hand


def test_by_hand_comes_back_from_a_spreadsheet(tmp_path):
    """Excel drops zeros, writes decimal commas, semicolons and empty cells, and lines that were filled once."""
    table = "\ufeffassignment;student;cell;possible;points;comment;;\r\ntiny;7;derivation;3;1,5;Why?;;\r\ntiny;'-ada;derivation;3;2;;;\r\n;;;;;;;\r\n"
    found = hand_in(tmp_path, table.encode())
    assert set(found) == {("tiny", "007", "derivation"), ("tiny", "-ada", "derivation")}
    made = Submission(tiny.TINY, Student("007"), grades=[Grade("derivation", None, 3.0)])
    tables.take_up([made], {key: line for key, line in found.items() if "007" in key})
    assert made.grades == [Grade("derivation", 1.5, 3.0, "Why?")]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (b"assignment,student,points\ntiny,007,1\n", "by-hand.csv, line 1: the column cell is missing"),
        (b"assignment,student,cell,points\ntiny,007,derivation,1\ntiny,eve,derivation,1\n", "line 3: nobody in the roster is 'eve'"),
        (b"assignment,student,cell,points\ntniy,007,derivation,1\n", "line 2: no assignment is named 'tniy'"),
        (b"assignment,student,cell,points\ntiny,007,derivation,1\ntiny,7,derivation,2\n", "line 3: tiny 007 derivation has points already"),
        (b"assignment,student,cell,points\ntiny,007,derivation,1,5,x\n", "line 2: it has more entries than there are titles"),
        ("assignment,student,cell,points,comment\ntiny,007,derivation,1,früh".encode("latin-1"), "save it as UTF-8"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_mended_is_refused_with_its_line(tmp_path, table, said):
    with pytest.raises(FolderError, match=said):
        hand_in(tmp_path, table)


def test_a_short_line_gives_no_points(tmp_path):
    assert hand_in(tmp_path, b"assignment,student,cell,points\ntiny,007\n") == {}


@pytest.mark.parametrize("table", ["deadlines.csv", "submitted.csv"])
def test_a_name_that_is_no_assignment_is_an_error(tmp_path, table):
    (tmp_path / table).write_text("assignment,student,deadline,time\ntniy,ada,2026-11-25T23:59Z,2026-11-25T23:59Z\n")
    with pytest.raises(FolderError, match=f"{table}, line 2: no assignment is named 'tniy'; there are tiny"):
        owners(tmp_path, ["tiny/ada.ipynb"])


def test_a_line_of_an_answer_that_runs_over_several_is_counted(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('student,answer\nada,"a\nb"\nbob,x\n')
    assert [line.place for line in tables.read(path, ["student"])] == ["t.csv, line 2", "t.csv, line 4"]


# Pages


def test_rubric_and_model_answer_stand_beside_the_answer():
    real = command.read_all(["1-responsibilities"])["1-responsibilities"]
    made = Submission(real, Student("ada"), grades=[Grade("derivation", None, 3.0)], notebook=real.model)
    (line,) = csv.DictReader(io.StringIO(tables.by_hand([made])))
    assert line["rubric"].startswith("*Part 1 (1 point):*")
    assert line["model answer"].startswith("*1.* Leaving out")


def page(points, comment, verdict=""):
    grades = [Grade("test_double", 2.0, 2.0), Grade("test_twice", 1.0, 1.0), Grade("test_centre", 0.0 if verdict else 2.0, 2.0), Grade("derivation", points, 3.0, comment)]
    given = {"grades": grades, "verdicts": {"test_centre": verdict}, "notebook": tiny.solved()}
    return pages.feedback(Submission(tiny.TINY, Student("ada"), **given))


def test_right_is_said_for_full_points_alone():
    assert page(3.0, "").count(">right<") == 3
    text = page(0.5, "Why is the sum finite?", "AssertionError: see https://book.example/x.html#a.")
    assert text.count(">right<") == 1
    table = text.partition("</table>")[0]
    assert "Why is the sum finite?" in table
    assert '<a href="https://book.example/x.html#a">https://book.example/x.html#a</a>.' in table
    assert 'href="#derivation"' in table
    assert 'id="derivation"' in text


def test_formulas_are_typeset_without_a_network():
    text = page_text("Since $a_n = \\frac{1}{2}$,\n\n$$\\begin{aligned} a &= b \\\\ &= \\text{<script>} \\end{aligned}$$")
    assert text.count("<math") == 2
    assert "<mfrac>" in text
    assert "<mtr>" in text
    assert "$" not in text
    assert "<script" not in text


@pytest.mark.parametrize(
    "text",
    [r"$\href{javascript:alert(1)}{x}$", "<script>alert(1)</script>", "![x](https://tracker.example/x.png)", "[x](javascript:alert(1))",
     r"$\style{background:url(//t.example)}{y}$", r"$\textcolor{red'><script>}{x}$", "$" + "{" * 3000 + "$", "![x](attachment:y)", r"$\unknown$", r"$\frac{$"],
)  # fmt: skip
def test_a_text_brings_nothing_of_its_own(text):
    shown = page_text(text, {})
    for word in ("<script", 'href="javascript', 'src="http', "style=", "<img"):
        assert word not in shown


def test_every_formula_of_the_assignments_is_typeset():
    for assignment in command.read_all().values():
        for cell in assignment.written:
            assert "<code>\\" not in page_text(cell.source)


def test_an_attached_photograph_is_shown():
    assert f'src="data:image/png;base64,{PNG}"' in page_text("![mine](attachment:a.png)", {"a.png": {"image/png": PNG}})


def test_the_median_of_two_is_between_them():
    def made(name, points):
        return Submission(tiny.TINY, Student(name), grades=[Grade("test_double", points, 20.0)])

    assert "median\n12.25," in pages.report([made("a", 4.5), made("b", 20.0)])


def test_a_page_that_cannot_be_written_is_a_reason_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "feedback", lambda _: 1 / 0)
    made = Submission(tiny.TINY, Student("a"), grades=[Grade("test_double", 1.0, 2.0)])
    monkeypatch.setattr(batch.Batch, "grade", lambda *_, **__: [made])
    (tmp_path / "tiny").mkdir()
    (tmp_path / "roster.csv").write_text("student\na\n")
    (shown,) = grade(tmp_path, ALL)
    assert (shown.status, shown.reasons) == ("needs-attention", ["a.html could not be written: ZeroDivisionError: division by zero"])
    assert "a.html could not be written" in (tmp_path / RESULTS / "grades.csv").read_text()


def test_a_table_that_cannot_be_made_leaves_the_others(tmp_path):
    said = [command._write(tmp_path / name, make, []) for name, make in (("a.csv", lambda _: 1 / 0), ("b.csv", lambda _: "x"))]
    assert said == ["a.csv could not be written: ZeroDivisionError: division by zero", ""]
    assert (tmp_path / "b.csv").read_text() == "x"


# The machine

RUN = """\
import sys
from pathlib import Path
from tests.assignments import tiny
from tools.grading import __main__ as command
command.read_all = lambda *_: {"tiny": tiny.TINY}
sys.exit(command.main(["grade", sys.argv[1]]))
"""
ROOT = Path(command.__file__).parents[2]


def start(folder, **options):
    return subprocess.Popen([sys.executable, "-c", RUN, folder], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


@pytest.fixture
def small(tmp_path):
    """A folder with two submissions, of which one takes its time."""
    (tmp_path / "roster.csv").write_text("student\nada\nbob\n")
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "ada.ipynb").write_bytes(tiny.text(tiny.solved()))
    (tmp_path / "tiny" / "bob.ipynb").write_bytes(with_cell("import time; time.sleep(25)"))
    return tmp_path


def goes_on(folder):
    """Grade again with everything in order; return what was said."""
    (folder / "tiny" / "bob.ipynb").write_bytes(tiny.text(tiny.solved()))
    said = []
    found = grade(folder, ALL, say=said.append)
    assert [r.points for r in found] == [5.0, 5.0]
    return said


@linux
def test_killed_it_leaves_nothing_and_goes_on(small):
    with start(small) as run:
        assert "ada: graded" in run.stdout.readline()
        scratch = f"{batch.SCRATCH}{run.pid}-*"
        assert len(list(Path("/tmp").glob(scratch))) == 1
        run.send_signal(signal.SIGKILL)
    assert goes_on(small)[0] == "1 of 2 were graded before and did not change"
    assert list(Path("/tmp").glob(scratch)) == []


@linux
def test_a_second_grading_at_once_is_refused(small):
    with start(small) as first:
        assert "ada: graded" in first.stdout.readline()
        with start(small) as second:
            assert "it is being graded already" in second.stderr.read()
        assert second.returncode == 2
        first.kill()


def on_a_disk_of_its_own(folder, script, *, how):
    """Run a shell's script where the folder is another disk: ``how`` is bubblewrap's word for it.

    ``grade`` in it grades the folder; nothing outside sees that disk, which is gone at the end.
    """
    shown = ["bwrap", "--dev-bind", "/", "/", "--cap-add", "ALL", "--die-with-parent", *how, "--chdir", str(ROOT)]
    words = [*shown, "--", "bash", "-c", f'given=("$@")\ngrade() {{ "${{given[@]}}"; echo "ended: $?"; }}\n{script}']
    return subprocess.run([*words, "bash", sys.executable, "-c", RUN, str(folder)], capture_output=True, text=True, timeout=300)


@linux
def test_a_full_disk_is_a_sentence_and_with_room_it_goes_on(small):
    """A disk of memory on which all but some kilobytes are taken: ENOSPC, as anywhere."""
    (small / "tiny" / "bob.ipynb").write_bytes(tiny.text(tiny.solved()))
    disk = small.parent / "disk"
    disk.mkdir()
    script = f"""
    cp -r {small}/. {disk}
    head -c 4M /dev/zero > {disk}/filler 2> /dev/null
    truncate -s -8K {disk}/filler
    grade
    rm {disk}/filler
    grade
    grep -c graded {disk}/{RESULTS}/grades.csv"""
    ran = on_a_disk_of_its_own(disk, script, how=["--size", str(1 << 20), "--tmpfs", str(disk)])
    assert "No space left on device; mend that and run it again, it goes on" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert [line for line in ran.stdout.splitlines() if line.startswith("ended")] == ["ended: 2", "ended: 0"]
    assert ran.stdout.splitlines()[-1] == "2"


@linux
def test_a_folder_on_a_read_only_disk_is_a_sentence(small):
    ran = on_a_disk_of_its_own(small, "grade", how=["--ro-bind", str(small), str(small)])
    assert "Read-only file system; mend that and run it again" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == "ended: 2\n"
    assert not (small / RESULTS).exists()


@linux
def test_a_kept_file_that_is_damaged_is_made_anew(small):
    (small / "tiny" / "bob.ipynb").write_bytes(b"{}")
    grade(small, ALL, say=[].append)
    for kept in (small / RESULTS / ".kept").glob("*.json"):
        kept.write_bytes(b"")
    goes_on(small)


@linux
def test_a_page_of_a_withdrawn_submission_goes(small):
    goes_on(small)
    (small / "tiny" / "bob.ipynb").unlink()
    grade(small, ALL, say=[].append)
    assert [p.name for p in (small / RESULTS / "feedback" / "tiny").iterdir()] == ["ada.html"]


@linux
def test_a_failing_tests_message_stays_what_it_was(small):
    """Two tests of one task fail: the first of the notebook speaks, in the first run and in the second."""
    for name in ("ada", "bob"):
        (small / "tiny" / f"{name}.ipynb").write_bytes(answer(tiny.solved(), "double", "def double(x):\n    return x"))
    pages = []
    for _ in range(2):
        grade(small, ALL, say=[].append)
        pages.append((small / RESULTS / "feedback" / "tiny" / "ada.html").read_bytes())
    assert pages[0] == pages[1]
    assert "twice the grid" in pages[0].decode().partition("</table>")[0]


@linux
def test_a_file_where_the_folder_of_results_should_be_is_a_sentence(small, capsys, monkeypatch):
    (small / RESULTS).write_text("a file stands where the folder of results should be")
    monkeypatch.setattr(command, "read_all", lambda *_: ALL)
    assert main(["grade", str(small)]) == 2
    assert "graded" in (error := capsys.readouterr().err)
    assert "mend that and run it again" in error


def test_the_package_of_another_tree_is_refused(monkeypatch, capsys, tmp_path):
    command.check_package()
    monkeypatch.setattr(command, "ROOT", tmp_path)
    for arguments in (["grade", "x"], ["release"], ["try", "1-responsibilities"]):
        assert main(arguments) == 2
        assert f"not with this tree's {tmp_path}" in capsys.readouterr().err
