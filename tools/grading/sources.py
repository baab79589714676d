"""Read an assignment's source, and make of it what students get and what the grader judges by.

nbgrader knows its cells and makes the student's version; here is all that is used of it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader import preprocessors, utils

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "book" / "assignments"
POINTS = 20
MARKS = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION[^\n]*\n?", re.M)
HIDDEN = re.compile(r"^(?P<indent>[ \t]*)### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS[^\n]*\n?", re.M | re.S)
READ_ONLY = {"grade": False, "solution": False, "locked": True, "task": False, "schema_version": 3}
# As nbgrader's GenerateAssignment has them, in two parts.
BEFORE_SAVING = ("LockCells", "ClearSolutions", "ClearOutput", "CheckCellMetadata", "ComputeChecksums")
AFTER_SAVING = ("ClearHiddenTests", "ClearMarkScheme", "ComputeChecksums", "CheckCellMetadata")


class SourceError(ValueError):
    """An assignment's source breaks a rule; the message has a line for each breach."""


@dataclass(frozen=True)
class Assignment:
    """One assignment: its identifier and its source notebook."""

    name: str
    source: NotebookNode

    @classmethod
    def read(cls, path: Path) -> Assignment:
        """Read a source; code cells that are neither answer nor test become read-only.

        Raises
        ------
        SourceError : the source breaks a rule.
        """
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code" and "nbgrader" not in cell.metadata:
                cell.metadata["nbgrader"] = {**READ_ONLY, "grade_id": f"cell-{cell.id}"}
        assignment = cls(path.stem, notebook)
        if breaches := list(assignment.breaches()):
            raise SourceError(f"{path.name}: " + "\n".join(breaches))
        return assignment

    @cached_property
    def release(self) -> NotebookNode:
        """What students get: without solutions, hidden tests and outputs, test cells locked."""
        return _process(self.source, BEFORE_SAVING + AFTER_SAVING)

    @cached_property
    def judged(self) -> NotebookNode:
        """What the grader judges by: without solutions, with hidden tests."""
        return _process(self.source, BEFORE_SAVING)

    @cached_property
    def model(self) -> NotebookNode:
        """What the best student hands in: the release with the model solutions."""
        notebook = copy.deepcopy(self.release)
        for cell, source in zip(notebook.cells, self.source.cells, strict=True):
            if is_solution(cell):
                cell.source = MARKS.sub("", source.source).rstrip("\n")
        return notebook

    @property
    def tests(self) -> list[NotebookNode]:
        """The cells that are graded by running them."""
        return [c for c in self.source.cells if is_test(c)]

    @property
    def written(self) -> list[NotebookNode]:
        """The cells that a person grades."""
        return [c for c in self.source.cells if is_written(c)]

    @property
    def graded(self) -> list[NotebookNode]:
        """All cells that give points, in order."""
        return [c for c in self.source.cells if utils.is_grade(c)]

    @property
    def tasks(self) -> dict[str, float]:
        """Points of each task, in order."""
        points: dict[str, float] = {}
        for cell in self.graded:
            points[task(cell)] = points.get(task(cell), 0.0) + float(cell.metadata.nbgrader.points)
        return points

    @property
    def names(self) -> set[str]:
        """The names of its cells."""
        return {grade_id(c) for c in self.source.cells} - {""}

    def breaches(self) -> Iterator[str]:
        """Yield a sentence for every rule that the source breaks."""
        names = [grade_id(c) for c in self.source.cells if grade_id(c)]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"{name}: two cells have this grade_id"
        for cell in self.source.cells:
            yield from _breaches_of(cell)
        total = sum(self.tasks.values())
        if self.source.cells and total != POINTS and not self.source.metadata.get("emvae", {}).get("trial"):
            yield f"the points add up to {total:g}, not to {POINTS}"


def read_all(names: Iterable[str] = ()) -> dict[str, Assignment]:
    """Read the named assignments, or all that the book has, in order."""
    paths = sorted(FOLDER.glob("*/*.ipynb"))
    found = {p.stem: p for p in paths if p.parent.name == p.stem}
    wanted = list(names) or list(found)
    if unknown := sorted(set(wanted) - found.keys()):
        raise ValueError(f"{', '.join(unknown)}: no such assignment; there are {', '.join(found) or 'none'}")
    return {name: Assignment.read(found[name]) for name in wanted}


def grade_id(cell: NotebookNode) -> str:
    """Return the name that nbgrader knows a cell by, or nothing."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def task(cell: NotebookNode) -> str:
    """Return the task to which a cell's points belong: the one that it names, or the answer that it is."""
    own = grade_id(cell) if is_solution(cell) else ""
    return str(cell.metadata.get("emvae", {}).get("task", own))


def is_solution(cell: NotebookNode) -> bool:
    """Tell whether a student writes this cell."""
    return bool(utils.is_solution(cell))


def is_locked(cell: NotebookNode) -> bool:
    """Tell whether this cell is ours alone: a test, or a cell that is only read."""
    return bool(utils.is_locked(cell))


def is_test(cell: NotebookNode) -> bool:
    """Tell whether this cell gives points by running."""
    return bool(utils.is_grade(cell)) and not is_solution(cell) and cell.cell_type == "code"


def is_written(cell: NotebookNode) -> bool:
    """Tell whether a person grades this cell."""
    return bool(utils.is_grade(cell)) and is_solution(cell)


def is_unanswered(cell: NotebookNode) -> bool:
    """Tell whether a solution cell is as it was handed out."""
    made = is_solution(cell) and cell.metadata.nbgrader.get("checksum")
    return bool(made and made == utils.compute_checksum(cell))


def _breaches_of(cell: NotebookNode) -> Iterator[str]:
    """Yield what is wrong with one cell."""
    name = grade_id(cell)
    for word in ("SOLUTION", "HIDDEN TESTS"):
        if cell.source.count(f"### BEGIN {word}") != cell.source.count(f"### END {word}"):
            yield f"{name or cell.id}: a region of {word} is not closed"
    if utils.is_grade(cell) and not task(cell):
        yield f"{name}: its metadata name no task (emvae: {{task: ...}})"
    if is_test(cell) and not name.startswith("test_"):
        yield f"{name}: the grade_id of a test cell begins with test_"
    if is_solution(cell) and "### BEGIN SOLUTION" not in cell.source:
        yield f"{name}: holds no solution"


def _process(source: NotebookNode, steps: Iterable[str]) -> NotebookNode:
    notebook = copy.deepcopy(source)
    for step in steps:
        notebook, _ = getattr(preprocessors, step)().preprocess(notebook, {"nbgrader": {}})
    return notebook
