"""The parts of nbgrader that are used, behind typed functions: cells, preprocessors, gradebook."""

from __future__ import annotations

import copy
import logging
import os
import sys
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    DeduplicateIds,
    LimitOutput,
    LockCells,
    OverwriteCells,
    SaveAutoGrades,
    SaveCells,
)

# As nbgrader's GenerateAssignment and Autograde have them, without the execution in the grader's process.
BEFORE_SAVING = (LockCells, ClearSolutions, ClearOutput, CheckCellMetadata, ComputeChecksums)
AFTER_SAVING = (ClearHiddenTests, ClearMarkScheme, ComputeChecksums, CheckCellMetadata)
RESTORE = (ClearOutput, DeduplicateIds, OverwriteCells, CheckCellMetadata)
SCORE = (LimitOutput, SaveAutoGrades, CheckCellMetadata)

os.environ["PATH"] = f"{sys.prefix}/bin{os.pathsep}{os.environ.get('PATH', '')}"  # it calls alembic by name
_one_by_one = threading.Lock()  # the filter of warnings belongs to the process, not to a thread
logging.getLogger("traitlets").setLevel(logging.ERROR)  # it warns of each test cell that it restores


@dataclass(frozen=True)
class Grade:
    """What one cell gave: points, or None where a person has to grade it."""

    cell: str
    points: float | None
    possible: float
    comment: str = ""


def is_solution(cell: NotebookNode) -> bool:
    """Tell whether a student writes this cell."""
    return bool(utils.is_solution(cell))


def is_grade(cell: NotebookNode) -> bool:
    """Tell whether this cell gives points."""
    return bool(utils.is_grade(cell))


def is_locked(cell: NotebookNode) -> bool:
    """Tell whether this cell is ours alone: a test, or a cell that is only read."""
    return bool(utils.is_locked(cell))


def is_test(cell: NotebookNode) -> bool:
    """Tell whether this cell gives points by running."""
    return is_grade(cell) and not is_solution(cell) and cell.cell_type == "code"


def is_written(cell: NotebookNode) -> bool:
    """Tell whether a person grades this cell."""
    return is_grade(cell) and is_solution(cell)


def is_unanswered(cell: NotebookNode) -> bool:
    """Tell whether a solution cell is as it was handed out."""
    if not is_solution(cell):
        return False
    return bool(cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell))


def read_only(name: str) -> dict[str, Any]:
    """Return the metadata of a cell that students only read."""
    return {
        "grade_id": name,
        "grade": False,
        "solution": False,
        "locked": True,
        "task": False,
        "schema_version": 3,
    }


def release(source: NotebookNode) -> NotebookNode:
    """Return the student's version of a source."""
    return _process(copy.deepcopy(source), BEFORE_SAVING + AFTER_SAVING, {})


def judged(source: NotebookNode) -> NotebookNode:
    """Return the grader's version of a source: without solutions, with hidden tests."""
    return _process(copy.deepcopy(source), BEFORE_SAVING, {})


def make_gradebook(source: NotebookNode, database: Path) -> None:
    """Make a gradebook that knows one assignment, named "assignment" with a notebook "notebook"."""
    with Gradebook(_url(database)) as book:
        book.update_or_create_assignment("assignment")
        book.update_or_create_student("student")
    _process(copy.deepcopy(source), (*BEFORE_SAVING, SaveCells), _resources(database))
    with _one_by_one, warnings.catch_warnings(action="ignore"), Gradebook(_url(database)) as book:
        book.update_or_create_submission("assignment", "student")


def restore(notebook: NotebookNode, database: Path) -> NotebookNode:
    """Return a submission with test and read-only cells, points and checksums as they were in the source."""
    return _process(notebook, RESTORE, _resources(database))


def score(notebook: NotebookNode, database: Path) -> NotebookNode:
    """Store the points that the executed cells of a submission give."""
    return _process(notebook, SCORE, _resources(database))


def grades(database: Path) -> list[Grade]:
    """Return the points of every graded cell."""
    with Gradebook(_url(database)) as book:
        submission = book.find_submission_notebook("notebook", "assignment", "student")
        return [_grade(grade) for grade in submission.grades]


def _grade(grade: Any) -> Grade:
    points = None if grade.needs_manual_grade else float(grade.score)
    return Grade(grade.name, points, float(grade.max_score))


def _url(database: Path) -> str:
    return f"sqlite:///{database}"


def _resources(database: Path) -> dict[str, Any]:
    return {
        "notebook": "notebook",
        "assignment": "assignment",
        "student": "student",
        "db_url": _url(database),
    }


def _process(notebook: NotebookNode, steps: tuple[type, ...], resources: dict[str, Any]) -> NotebookNode:
    for step in steps:
        notebook, _ = step().preprocess(notebook, {"nbgrader": resources})
    return notebook
