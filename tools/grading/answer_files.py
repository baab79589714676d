"""Make a student's notebook from a release and a file of answers."""

from __future__ import annotations

import ast
import copy
import re
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from tools.grading import names
from tools.grading.sources import Assignment, grade_id, is_solution

CELL = re.compile(r"^# %% (\S+)[ \t]*$", re.M)


@dataclass(frozen=True)
class Answers:
    """What one student wrote: a story, the test cells that must fail, the code of each cell that differs.

    ``own_work`` are the answers that leave to the package what is the student's own task.
    """

    story: str
    fails: frozenset[str]
    cells: dict[str, str]
    own_work: frozenset[str] = frozenset()

    @classmethod
    def read(cls, path: Path) -> Answers:
        """Read a file: docstring, ``FAILS = {...}``, then ``# %% name`` and the code of that cell.

        Raises
        ------
        ValueError : no docstring, or no ``FAILS``.
        """
        head, *rest = CELL.split(path.read_text(encoding="utf-8"))
        tree = names.parse(head)
        story = ast.get_docstring(tree)
        values = {
            node.targets[0].id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        if not story or "FAILS" not in values:
            raise ValueError(f"{path.name}: begin with a docstring and FAILS = {{...}}")
        cells = {name: code.strip("\n") for name, code in zip(rest[::2], rest[1::2], strict=True)}
        leaning = _names(values["OWN_WORK"]) if "OWN_WORK" in values else set()
        return cls(story, frozenset(_names(values["FAILS"])), cells, frozenset(leaning))


def notebook(assignment: Assignment, answers: Answers | None = None) -> NotebookNode:
    """Return what a student hands in: the model solution, with the student's own cells in their place.

    Raises
    ------
    ValueError : the answers name a cell that the assignment does not have.
    """
    made = copy.deepcopy(assignment.model)
    cells = dict(answers.cells) if answers else {}
    for cell in made.cells:
        if is_solution(cell) and grade_id(cell) in cells:
            cell.source = cells.pop(grade_id(cell))
    if cells:
        raise ValueError(f"{', '.join(cells)}: {assignment.name} has no such solution cell")
    return made


def _names(node: ast.expr) -> set[str]:
    """Evaluate a set of strings; the empty one is written set()."""
    if isinstance(node, ast.Call) and not node.args:
        return set()
    return set(ast.literal_eval(node))
