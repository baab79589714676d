# ruff: noqa: E501 - tables of cases read better with one line each
"""Sources keep their rules, and releases hold nothing of solutions and hidden tests."""

import copy
import json
import re
import sys
import zipfile

import assignment_pages as extension
import nbformat
import pytest

from tests.assignments import tiny
from tools.grading import answer_files, names, release
from tools.grading.sources import FOLDER, POINTS, Assignment, SourceError, grade_id, is_solution, read_all

ASSIGNMENTS = read_all()
each = pytest.mark.parametrize("name", ASSIGNMENTS)


def test_there_is_one_for_each_problem():
    assert [name[0] for name in ASSIGNMENTS] == list("123456")
    assert {sum(a.tasks.values()) for a in ASSIGNMENTS.values()} == {POINTS}


@each
def test_a_release_holds_no_solution_no_hidden_test_no_output(name):
    """The page of the book is the release, so this holds for it too."""
    source = (FOLDER / name / f"{name}.ipynb").read_text(encoding="utf-8")
    page = extension.released(name, source)
    assert page == nbformat.writes(ASSIGNMENTS[name].release) + "\n"
    assert re.findall("BEGIN SOLUTION|HIDDEN TESTS|Model answer|Rubric", page) == []
    assert [line for line in tiny.hidden_lines(ASSIGNMENTS[name]) if line in page.replace('\\"', '"')] == []
    assert len(tiny.hidden_lines(ASSIGNMENTS[name])) > 20
    assert [c for c in json.loads(page)["cells"] if c.get("outputs")] == []


@each
def test_a_release_says_where_to_write(name):
    for cell in ASSIGNMENTS[name].release.cells:
        if is_solution(cell):
            stub = "YOUR CODE HERE" if cell.cell_type == "code" else "YOUR ANSWER HERE"
            assert stub in cell.source, grade_id(cell)


@each
def test_a_test_cell_needs_no_other(name):
    """A new kernel, after one was lost, runs no test cell again."""
    tests = {grade_id(c): c.source for c in ASSIGNMENTS[name].tests}
    for test, source in tests.items():
        others = set().union(*(names.bound(s) for t, s in tests.items() if t != test))
        cells = [
            c.source
            for c in ASSIGNMENTS[name].source.cells
            if c.cell_type == "code" and grade_id(c) not in tests
        ]
        known = set().union(names.bound(source), *map(names.bound, cells))
        assert names.read(source) & others - known == set(), test


@each
def test_tests_cite_equations_of_their_own_chapter(name):
    pages = json.loads((FOLDER.parents[1] / "emvae" / "data" / "equations.json").read_text(encoding="utf-8"))
    cited = {label for c in ASSIGNMENTS[name].tests for label in re.findall(r'equation="([^"]+)"', c.source)}
    assert cited - pages.keys() == set()
    assert f"book/{name}" in {pages[label]["page"] for label in cited}


def broken(change):
    made = tiny.assignment()  # not TINY, which may have been cut into its versions already
    change(made.source)
    return list(made.breaches())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda n: tiny.find(n, "centre").metadata.nbgrader.update(grade_id="double"), "double: two cells"),
        (lambda n: tiny.find(n, "double").update(source="def double(x): pass"), "double: holds no solution"),
        (lambda n: tiny.find(n, "test_twice").update(source="### BEGIN HIDDEN TESTS"), "test_twice: a region of HIDDEN"),
        (lambda n: tiny.find(n, "test_twice").metadata.pop("emvae"), "test_twice: its metadata name no task"),
        (lambda n: tiny.find(n, "test_twice").metadata.nbgrader.update(grade_id="twice"), "begins with test_"),
        (lambda n: n.metadata.pop("emvae"), "the points add up to 8, not to 20"),
    ],
)  # fmt: skip
def test_a_source_that_breaks_a_rule_is_told(change, said):
    assert said in "\n".join(broken(change))


def test_a_source_with_breaches_is_not_read(tmp_path):
    notebook = copy.deepcopy(tiny.TINY.source)
    notebook.metadata.pop("emvae")
    nbformat.write(notebook, tmp_path / "tiny.ipynb")
    with pytest.raises(SourceError, match=r"tiny\.ipynb: the points"):
        Assignment.read(tmp_path / "tiny.ipynb")


def test_a_name_that_no_assignment_has():
    with pytest.raises(ValueError, match="7-none: no such assignment; there are 1-responsibilities"):
        read_all(["7-none"])


def test_code_that_is_neither_answer_nor_test_is_read_only(tmp_path):
    notebook = copy.deepcopy(tiny.TINY.source)
    del tiny.find(notebook, "setup").metadata["nbgrader"]
    nbformat.write(notebook, tmp_path / "tiny.ipynb")
    read = Assignment.read(tmp_path / "tiny.ipynb")
    assert read.release.cells[1].metadata.editable is False
    assert grade_id(read.release.cells[1]) == "cell-setup"


def test_answers_are_put_in_place(tmp_path):
    path = tmp_path / "x.py"
    path.write_text(
        '"""Adds."""\n\nFAILS = {"test_double"}\n\n# %% double\ndef double(x):\n    return x + 2\n'
    )
    answers = answer_files.Answers.read(path)
    assert (answers.story, answers.fails) == ("Adds.", {"test_double"})
    made = answer_files.notebook(tiny.TINY, answers)
    assert tiny.find(made, "double").source == "def double(x):\n    return x + 2"
    assert "x - x.mean()" in tiny.find(made, "centre").source
    assert "SOLUTION" not in tiny.find(made, "centre").source
    with pytest.raises(ValueError, match="triple: tiny has no such solution cell"):
        answer_files.notebook(tiny.TINY, answer_files.Answers("", frozenset(), {"triple": ""}))


def test_answers_without_a_story_are_refused(tmp_path):
    path = tmp_path / "x.py"
    path.write_text("FAILS = set()\n")
    with pytest.raises(ValueError, match="begin with a docstring and FAILS"):
        answer_files.Answers.read(path)


def test_what_is_released(tmp_path):
    files = release.contents(ASSIGNMENTS["4-reparameterisation"], "emvae-1.whl", "https://book.example")
    assert set(files) == {"4-reparameterisation.ipynb", "requirements.txt", "README.txt", "book-address.txt"}
    assert files["requirements.txt"].splitlines()[0] == "./emvae-1.whl[torch]"
    plain = release.contents(ASSIGNMENTS["1-responsibilities"], "emvae-1.whl", "")
    assert (plain["requirements.txt"].splitlines()[0], "book-address.txt" in plain) == (
        "./emvae-1.whl",
        False,
    )
    for name in ("a.zip", "b.zip"):
        release._zip(tmp_path / name, "x", {"y": b"z"})
    assert zipfile.ZipFile(tmp_path / "a.zip").namelist() == ["x/y"]
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize(
    ("source", "bound", "read"),
    [
        ("import numpy as np, os.path", {"np", "os"}, set()),
        ("from a import b as c\nx, (y, *z) = c", {"c", "x", "y", "z"}, {"c"}),
        ("def f(a):\n    b = a\n    return g", {"f"}, {"g"}),
        ("for i in range(3):\n    def h(): pass", {"i", "h"}, {"range"}),
        ("%matplotlib inline\n!ls\nclass A:\n    c = d", {"A"}, {"d"}),
        ("with open(p) as q:\n    r = 1\nif (s := t): u = 1", {"q", "r", "s", "u"}, {"open", "p", "t"}),
        ("def broken(:", set(), set()),
    ],
)
def test_names_of_a_cell(source, bound, read):
    assert (names.bound(source), names.read(source)) == (bound, read)


@pytest.mark.skipif(
    sys.platform != "linux", reason="bubblewrap is Linux's; elsewhere make assignments refuses"
)
@pytest.mark.parametrize(
    ("cell", "code", "said"),
    [
        ("setup", tiny.SETUP, []),
        ("test_double", "assert grid.size", ["tiny: test_double passes though nothing was answered"]),
        (
            "test_centre",
            "assert centre(grid) is None",
            ["tiny: the model solution fails test_centre: AssertionError: "],
        ),
        ("setup", f"{tiny.SETUP}\n1 / 0", ["tiny: cell `setup` ends in ZeroDivisionError"]),
    ],
)
def test_an_assignment_is_run_before_it_is_released(cell, code, said):
    made = tiny.assignment()  # not TINY, which may have been cut into its versions already
    tiny.find(made.source, cell).source = code
    assert release.validate(made, trust=False) == said


def test_a_release_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(release, "validate", lambda *_, **__: [])
    release.release({"tiny": tiny.TINY}, tmp_path, book="", trust=False, say=lambda line: None)
    (wheel,) = tmp_path.glob("emvae-*.whl")
    entries = {f"tiny/{name}" for name in ("tiny.ipynb", "requirements.txt", "README.txt", wheel.name)}
    assert set(zipfile.ZipFile(tmp_path / "tiny.zip").namelist()) == entries
    assert "emvae/data/train-images-idx3-ubyte.gz" in zipfile.ZipFile(wheel).namelist()


def test_a_release_with_a_fault_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(release, "validate", lambda *_, **__: ["a fault"])
    with pytest.raises(SourceError, match="a fault"):
        release.release({"tiny": tiny.TINY}, tmp_path / "out", book="", trust=False, say=print)
    assert list(tmp_path.iterdir()) == []
