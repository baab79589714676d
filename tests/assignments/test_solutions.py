"""Graders tested by solutions: each wrong one fails exactly the tests that it names, a right one none."""

import copy
import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from tools.grading import answer_files, names, own_work, sandbox
from tools.grading.judging import Judge
from tools.grading.sandbox import Limits
from tools.grading.sources import Assignment, grade_id, is_solution, is_test, read_all, task

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
    """Grade one right solution in full, of the others what they can have any effect on."""
    source, found = ASSIGNMENTS[assignment], {}
    solutions = [name for folder, name in TABLE if folder == assignment]
    whole = next(name for name in solutions if not answers(assignment, name).fails)
    with Judge(source, limits=Limits(total_seconds=900), trust=TRUST, warm=True) as judge:
        for name in solutions:
            wrote = answers(assignment, name)
            notebook = answer_files.notebook(source, wrote)
            judge.assignment = source if name == whole else concerned(source, notebook, wrote)
            found[assignment, name] = judge.mark(notebook)
    return found


def concerned(source, notebook, wrote):
    """Return the assignment with those tests alone that read, in whatever way, a name of a cell that differs.

    The other tests call what the model solution is, and it passes them: that is seen in full once.
    Experiments, on which no test rests, are taken out of the notebook.
    """
    tested = {task(cell) for cell in source.tests}
    cells = [c for c in [*notebook.cells, *source.source.cells] if c.cell_type == "code" and is_solution(c)]
    touched = set().union(*(names.bound(c.source) for c in cells if grade_id(c) in wrote.cells))
    for _ in cells:  # what reads a name that differs differs, too
        touched |= set().union(*(names.bound(c.source) for c in cells if names.read(c.source) & touched))
    for cell in notebook.cells:
        if cell.cell_type == "code" and is_solution(cell) and grade_id(cell) not in {*tested, *wrote.cells}:
            cell.source = "pass"
    kept = copy.deepcopy(source.source)
    kept.cells = [c for c in kept.cells if not is_test(c) or names.read(c.source) & touched]
    left = {grade_id(c) for c in kept.cells}
    notebook.cells = [c for c in notebook.cells if not is_test(c) or grade_id(c) in left]
    return Assignment(source.name, kept)


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
            if given + waiting < result.assignment.tasks[part]}  # fmt: skip
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
        for forbidden in source.source.metadata.emvae.own_work.values():
            ours = [name for name in forbidden if name.startswith("emvae")]
            assert [name for name in ours if own_work.resolve(name) is None] == []


def test_there_are_enough_solutions():
    wrong = Counter(folder for folder, name in TABLE if answers(folder, name).fails)
    right = Counter(folder for folder, name in TABLE if not answers(folder, name).fails)
    assert {name for name in ASSIGNMENTS if wrong[name] < 4 or right[name] < 3} == set()
    assert len(ASSIGNMENTS) == 6
    assert sum(wrong.values()) >= 24
