"""Graders tested by solutions: each wrong one fails exactly the tests that it names, a right one none."""

import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from tools.grading import answer_files, own_work, sandbox
from tools.grading.judging import Judge
from tools.grading.sandbox import Limits
from tools.grading.sources import grade_id, is_solution, read_all, task

FOLDER = Path(__file__).with_name("solutions")
TRUST = sys.platform != "linux"  # our own code: where there is no bubblewrap it runs without
ASSIGNMENTS = read_all()
TABLE = [(path.parent.name, path.stem) for path in sorted(FOLDER.glob("*/*.py"))]


@cache
def answers(assignment, name):
    return answer_files.Answers.read(FOLDER / assignment / f"{name}.py")


@pytest.fixture(scope="module")
def marked(request):
    """All solutions that are asked for, graded; those of one assignment one after the other by one judge."""
    items = [item for item in request.session.items if item.path == request.path]
    asked = {item.callspec.params["assignment"] for item in items if hasattr(item, "callspec")}
    if not TRUST:
        sandbox.check()
    workers = 2 if TRUST else len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(grade_all, sorted(asked)))
    return {key: value for part in parts for key, value in part.items()}


def grade_all(assignment):
    source = ASSIGNMENTS[assignment]
    with Judge(source, limits=Limits(total_seconds=900), trust=TRUST, warm=True) as judge:
        names = [name for folder, name in TABLE if folder == assignment]
        whole = next(name for name in names if not answers(assignment, name).fails)
        return {
            (assignment, name): judge.mark(handed_in(assignment, name, experiments=name == whole))
            for name in names
        }


def handed_in(assignment, name, *, experiments):
    """Return a student's notebook; the experiments, on which no test rests, are worth their time once."""
    source, wrote = ASSIGNMENTS[assignment], answers(assignment, name)
    notebook, tested = answer_files.notebook(source, wrote), {task(cell) for cell in source.tests}
    for cell in notebook.cells:
        if is_solution(cell) and cell.cell_type == "code" and grade_id(cell) not in {*tested, *wrote.cells}:
            cell.source = cell.source if experiments else "pass"
    return notebook


@pytest.mark.parametrize(("assignment", "name"), TABLE, ids=map("/".join, TABLE))
def test_a_solution_fails_exactly_the_tests_that_it_should(assignment, name, marked):
    source, result = ASSIGNMENTS[assignment], marked[assignment, name]
    fails = answers(assignment, name).fails
    assert {test for test, why in result.verdicts.items() if why} == fails
    complaints = {sentence.split("`")[1] for sentence in result.attention}
    assert complaints == answers(assignment, name).own_work
    tasks = {grade_id(cell): task(cell) for cell in source.tests}
    written = {task(cell) for cell in source.written} - set(tasks.values())
    lost = {part for part, (given, waiting) in result.tasks.items()
            if given + waiting < source.tasks[part]}  # fmt: skip
    assert lost - written == {tasks[test] for test in fails}


def test_a_message_of_a_failed_test_teaches(marked):
    """It says what was expected, and never only that an assertion failed."""
    bare = {
        (*key, test): why
        for key, result in marked.items()
        for test, why in result.verdicts.items()
        if why.startswith("AssertionError") and len(why.split()) < 5
    }
    assert bare == {}


def test_what_is_forbidden_exists():
    for source in ASSIGNMENTS.values():
        for names in source.source.metadata.emvae.own_work.values():
            ours = [name for name in names if name.startswith("emvae")]
            assert [name for name in ours if own_work.resolve(name) is None] == []


def test_there_are_enough_solutions():
    wrong = Counter(folder for folder, name in TABLE if answers(folder, name).fails)
    right = Counter(folder for folder, name in TABLE if not answers(folder, name).fails)
    assert {name for name in ASSIGNMENTS if wrong[name] < 4 or right[name] < 3} == set()
    assert len(ASSIGNMENTS) == 6
    assert sum(wrong.values()) >= 24
