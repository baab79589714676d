"""From one submitted notebook to its points."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from tools.grading import nbgraders
from tools.grading.mending import mend
from tools.grading.nbgraders import Grade, is_solution, is_unanswered
from tools.grading.running import Runner
from tools.grading.sandbox import Limits
from tools.grading.sources import Assignment, grade_id, read_all, task


@dataclass(frozen=True)
class Marked:
    """A graded notebook: points of each cell, why tests failed, and all that was not as it should be."""

    notebook: NotebookNode
    grades: list[Grade]
    verdicts: dict[str, str]
    faults: list[str] = field(default_factory=list)
    attention: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)


class Judge:
    """Grades submissions of one assignment."""

    def __init__(
        self,
        assignment: Assignment,
        *,
        limits: Limits | None = None,
        trust: bool = False,
        others: dict[str, set[str]] | None = None,
    ) -> None:
        self.assignment = assignment
        self.limits = limits or Limits()
        self.trust = trust
        self.others = others or {}
        with tempfile.TemporaryDirectory(prefix="emvae-judge-") as folder:
            database = Path(folder) / "gradebook.db"
            nbgraders.make_gradebook(assignment.source, database)
            self.gradebook = database.read_bytes()  # where no submission's code can reach it

    def mark(self, notebook: NotebookNode) -> Marked:
        """Grade a notebook.

        Raises
        ------
        WrongAssignmentError : it has no cell of the assignment.
        KernelFailedError : this machine starts no kernel.
        """
        with Runner(self.assignment, self.limits, trust=self.trust) as runner:
            return self.mark_with(runner, notebook)

    def mark_with(self, runner: Runner, notebook: NotebookNode) -> Marked:
        """Grade a notebook by a runner that is there; ``mark`` says the rest."""
        mended, faults = mend(notebook, self.assignment, self.others)
        with tempfile.TemporaryDirectory(prefix="emvae-mark-") as folder:
            database = Path(folder) / "gradebook.db"
            database.write_bytes(self.gradebook)
            restored = nbgraders.restore(mended, database)
            unanswered = [grade_id(c) for c in restored.cells if is_unanswered(c)]
            faults += [
                f"answer cell `{name}` still says YOUR CODE HERE, and ends there" for name in _stubs(restored)
            ]
            run = runner.run(restored)
            nbgraders.score(run.notebook, database)
            grades = nbgraders.grades(database)
        return Marked(run.notebook, grades, run.verdicts, [*faults, *run.faults], run.attention, unanswered)


def _stubs(notebook: NotebookNode) -> list[str]:
    """Return the answer cells that were changed and still raise what they were handed out with."""
    cells = [c for c in notebook.cells if is_solution(c) and not is_unanswered(c) and c.cell_type == "code"]
    return [
        grade_id(c) for c in cells if "YOUR CODE HERE" in c.source and "raise NotImplementedError" in c.source
    ]


def names_of_all() -> dict[str, set[str]]:
    """Return the names of the cells of every assignment of the book."""
    return {name: {grade_id(c) for c in a.source.cells} - {""} for name, a in read_all().items()}


def by_task(assignment: Assignment, grades: list[Grade]) -> dict[str, tuple[float, float]]:
    """Return for each task its points, and those that a person has yet to give."""
    tasks = {grade_id(c): task(c) for c in assignment.graded}
    points = {name: (0.0, 0.0) for name in assignment.tasks}
    for grade in grades:
        given, waiting = points[tasks[grade.cell]]
        if grade.points is None:
            points[tasks[grade.cell]] = given, waiting + grade.possible
        else:
            points[tasks[grade.cell]] = given + grade.points, waiting
    return points
