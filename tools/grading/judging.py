"""From one submitted notebook to its points."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from nbformat import NotebookNode

from tools.grading import own_work
from tools.grading.mending import mend
from tools.grading.nbgraders import Grade, is_solution, is_test, is_unanswered
from tools.grading.running import Runner
from tools.grading.sandbox import Limits
from tools.grading.sources import Assignment, grade_id, task


@dataclass(frozen=True)
class Marked:
    """A graded notebook: points of each cell, why tests failed, and all that was not as it should be."""

    notebook: NotebookNode
    grades: list[Grade]
    verdicts: dict[str, str]
    faults: list[str] = field(default_factory=list)
    attention: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)


class Judge(AbstractContextManager["Judge"]):
    """Grades submissions of one assignment, one after the other; it holds the process that runs the tests.

    With ``warm``, for notebooks of one's own, a process is forked for each and not started.
    """

    def __init__(
        self,
        assignment: Assignment,
        *,
        limits: Limits | None = None,
        trust: bool = False,
        others: dict[str, set[str]] | None = None,
        warm: bool = False,
    ) -> None:
        self.assignment = assignment
        self.others = others or {}
        self.runner = Runner(assignment, limits or Limits(), trust=trust, warm=warm)

    def __exit__(self, *_: object) -> None:
        """End its processes."""
        self.close()

    def close(self) -> None:
        """End its processes."""
        self.runner.__exit__()

    def mark(self, notebook: NotebookNode) -> Marked:
        """Grade a notebook.

        Raises
        ------
        WrongAssignmentError : it has no cell of the assignment.
        KernelFailedError : this machine starts no process.
        """
        mended, faults = mend(notebook, self.assignment, self.others)
        unanswered = [grade_id(c) for c in mended.cells if is_unanswered(c)]
        faults += [
            f"answer cell `{name}` still says YOUR CODE HERE, and ends there" for name in _stubs(mended)
        ]
        run = self.runner.run(mended)
        attention = [*run.attention, *own_work.complaints(self.assignment, mended)]
        grades = [_grade(c, run.verdicts, unanswered) for c in self.assignment.graded]
        return Marked(run.notebook, grades, run.verdicts, [*faults, *run.faults], attention, unanswered)


def _grade(cell: NotebookNode, verdicts: dict[str, str], unanswered: list[str]) -> Grade:
    """Return a cell's points: of a test all or none, of a written answer what a person will give."""
    name, possible = grade_id(cell), float(cell.metadata.nbgrader.points)
    if is_test(cell):
        return Grade(name, 0.0 if verdicts[name] else possible, possible)
    return Grade(name, 0.0 if name in unanswered else None, possible)


def _stubs(notebook: NotebookNode) -> list[str]:
    """Return the answer cells that were changed and still raise what they were handed out with."""
    cells = [c for c in notebook.cells if is_solution(c) and not is_unanswered(c) and c.cell_type == "code"]
    return [
        grade_id(c) for c in cells if "YOUR CODE HERE" in c.source and "raise NotImplementedError" in c.source
    ]


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
