"""Read an assignment's source, and make of it what students get and what the grader judges by."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.grading import nbgraders

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "book" / "assignments"
POINTS = 20
MARKS = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION[^\n]*\n?", re.M)


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
                cell.metadata["nbgrader"] = nbgraders.read_only(f"cell-{cell.id}")
        assignment = cls(path.stem, notebook)
        if breaches := list(assignment.breaches()):
            raise SourceError(f"{path.name}: " + "\n".join(breaches))
        return assignment

    @cached_property
    def release(self) -> NotebookNode:
        """What students get: without solutions, hidden tests and outputs, test cells locked."""
        return nbgraders.release(self.source)

    @cached_property
    def model(self) -> NotebookNode:
        """What the best student hands in: the release with the model solutions."""
        notebook = copy.deepcopy(self.release)
        for cell, source in zip(notebook.cells, self.source.cells, strict=True):
            if nbgraders.is_solution(cell):
                cell.source = MARKS.sub("", source.source).rstrip("\n")
        return notebook

    @property
    def tests(self) -> list[NotebookNode]:
        """The cells that are graded by running them."""
        return [c for c in self.source.cells if nbgraders.is_test(c)]

    @property
    def written(self) -> list[NotebookNode]:
        """The cells that a person grades."""
        return [c for c in self.source.cells if nbgraders.is_written(c)]

    @property
    def graded(self) -> list[NotebookNode]:
        """All cells that give points, in order."""
        return [c for c in self.source.cells if nbgraders.is_grade(c)]

    @property
    def tasks(self) -> dict[str, float]:
        """Points of each task, in order."""
        points: dict[str, float] = {}
        for cell in self.graded:
            points[task(cell)] = points.get(task(cell), 0.0) + float(cell.metadata.nbgrader.points)
        return points

    @property
    def hidden_lines(self) -> set[str]:
        """Lines of hidden tests that are long enough to be told from a student's own."""
        lines = {line.strip() for cell in self.tests for line in hidden(cell.source)}
        shown = "\n".join(cell.source for cell in self.release.cells)
        return {s for s in lines if len(s) >= 30 and not s.startswith("#") and s not in shown}

    def breaches(self) -> Iterator[str]:
        """Yield a sentence for every rule that the source breaks."""
        names = [grade_id(c) for c in self.source.cells if grade_id(c)]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"{name}: two cells have this grade_id"
        for cell in self.source.cells:
            yield from self.breaches_of(cell)
        total = sum(self.tasks.values())
        if self.source.cells and total != POINTS and not self.source.metadata.get("emvae", {}).get("trial"):
            yield f"the points add up to {total:g}, not to {POINTS}"

    def breaches_of(self, cell: NotebookNode) -> Iterator[str]:
        """Yield what is wrong with one cell."""
        name = grade_id(cell)
        for word in ("SOLUTION", "HIDDEN TESTS"):
            if cell.source.count(f"### BEGIN {word}") != cell.source.count(f"### END {word}"):
                yield f"{name or cell.id}: a region of {word} is not closed"
        if nbgraders.is_grade(cell) and not task(cell):
            yield f"{name}: its metadata name no task (emvae: {{task: ...}})"
        if nbgraders.is_test(cell) and not name.startswith("test_"):
            yield f"{name}: the grade_id of a test cell begins with test_"
        if nbgraders.is_solution(cell) and "### BEGIN SOLUTION" not in cell.source:
            yield f"{name}: holds no solution"


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
    own = grade_id(cell) if nbgraders.is_solution(cell) else ""
    return str(cell.metadata.get("emvae", {}).get("task", own))


def hidden(source: str) -> list[str]:
    """Return the lines of a test cell's hidden part."""
    lines, inside = [], False
    for line in source.splitlines():
        if "### BEGIN HIDDEN TESTS" in line or "### END HIDDEN TESTS" in line:
            inside = "BEGIN" in line
        elif inside:
            lines.append(line)
    return lines
