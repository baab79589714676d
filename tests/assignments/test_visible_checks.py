"""A wrong answer is told at home: the law that a check which students see fails, or a reason is given.

A solution in ``solutions/`` that passes all visible checks says in ``ONLY_HIDDEN`` why that has to be so.
Cells are executed here and not in a kernel, and of a solution only the checks of the tasks that it answers.
"""

import ast
import contextlib
import warnings
from functools import cache
from pathlib import Path

import matplotlib
import pytest

from tools.grading import answer_files, names
from tools.grading.sources import grade_id, is_solution, is_test, read_all, task

FOLDER = Path(__file__).with_name("solutions")
ASSIGNMENTS = read_all()
TABLE = [(path.parent.name, path.stem) for path in sorted(FOLDER.glob("*/*.py"))]
MOST_UNSEEN = 0.1  # of the wrong solutions


@cache
def answers(assignment, name):
    return answer_files.Answers.read(FOLDER / assignment / f"{name}.py")


@cache
def reason(assignment, name):
    """Return why only a hidden test can tell that a solution is wrong, or nothing."""
    tree = ast.parse((FOLDER / assignment / f"{name}.py").read_text(encoding="utf-8").split("# %%")[0])
    said = [ast.literal_eval(n.value) for n in tree.body
            if isinstance(n, ast.Assign) and n.targets[0].id == "ONLY_HIDDEN"]  # fmt: skip
    return said[0] if said else ""


def run(source, namespace):
    exec(compile(source, "cell", "exec"), namespace)


@cache
def prepared(assignment):
    """Return what the model solution defines, without checks and hand-graded experiments."""
    matplotlib.use("Agg")
    namespace = {"__name__": "__main__"}
    tasks = {task(cell) for cell in ASSIGNMENTS[assignment].tests}
    for cell in ASSIGNMENTS[assignment].model.cells:
        experiment = is_solution(cell) and grade_id(cell) not in tasks
        if cell.cell_type == "code" and not (is_test(cell) or experiment):
            run(cell.source, namespace)
    return namespace


@cache
def complaints(assignment, name):
    """Return which visible checks fail, and with what message."""
    found, own = {}, answers(assignment, name).cells
    namespace = dict(prepared(assignment))
    for cell in answer_files.notebook(ASSIGNMENTS[assignment], answers(assignment, name)).cells:
        if grade_id(cell) in own:
            run(cell.source, namespace)
        elif is_test(cell) and task(cell) in own:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    run(cell.source, namespace)
                except Exception as error:
                    found[grade_id(cell)] = f"{type(error).__name__}: {error}"
    return found


@pytest.mark.parametrize(("assignment", "name"), TABLE, ids=map("/".join, TABLE))
def test_a_visible_check_tells(assignment, name):
    failed, fails = complaints(assignment, name).keys(), answers(assignment, name).fails
    assert failed <= fails, complaints(assignment, name)
    assert bool(failed) != bool(reason(assignment, name) or not fails), "say why in ONLY_HIDDEN, or check it"


@pytest.mark.parametrize("nothing", [None, NotImplemented, 0.0, True], ids=str)
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_an_answer_of_nothing_passes_no_test(assignment, nothing):
    """Tests of speed included: to return at once is the fastest of all."""
    cells = [c for c in ASSIGNMENTS[assignment].model.cells if is_solution(c) and c.cell_type == "code"]
    answers = set().union(*(names.bound(cell.source) for cell in cells))
    passed = []
    for cell in ASSIGNMENTS[assignment].tests:
        with warnings.catch_warnings(), contextlib.suppress(Exception):
            warnings.simplefilter("ignore")
            run(cell.source, prepared(assignment) | dict.fromkeys(answers, lambda *_, **__: nothing))
            passed.append(grade_id(cell))
    assert passed == []


def test_few_wrong_answers_are_told_by_hidden_tests_alone():
    wrong = [key for key in TABLE if answers(*key).fails]
    unseen = [key for key in wrong if not complaints(*key)]
    assert len(unseen) <= MOST_UNSEEN * len(wrong), unseen
    assert [key for key in unseen if len(reason(*key).split()) < 5] == []
