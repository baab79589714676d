"""The parts of nbgrader that are used, behind typed functions: cells and preprocessors."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)

# As nbgrader's GenerateAssignment has them, in two parts.
BEFORE_SAVING = (LockCells, ClearSolutions, ClearOutput, CheckCellMetadata, ComputeChecksums)
AFTER_SAVING = (ClearHiddenTests, ClearMarkScheme, ComputeChecksums, CheckCellMetadata)


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
    return _process(copy.deepcopy(source), BEFORE_SAVING + AFTER_SAVING)


def judged(source: NotebookNode) -> NotebookNode:
    """Return the grader's version of a source: without solutions, with hidden tests."""
    return _process(copy.deepcopy(source), BEFORE_SAVING)


def _process(notebook: NotebookNode, steps: tuple[type, ...]) -> NotebookNode:
    for step in steps:
        notebook, _ = step().preprocess(notebook, {"nbgrader": {}})
    return notebook
