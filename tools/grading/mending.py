"""Bring a submitted notebook into the assignment's form: every cell of the source once, in its order.

What the student wrote stays, wherever it stood: answers in the answers' cells, everything else as cells of
the student's own behind the cell that it followed. Locked cells are the source's.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from difflib import SequenceMatcher

from nbformat import NotebookNode

from tools.grading.sources import Assignment, grade_id, is_locked, is_solution, is_test

DELETED = "# this cell was deleted"


class WrongAssignmentError(ValueError):
    """The notebook has nothing of this assignment."""


class Mending:
    """One submission between its two forms; ``mend`` does it."""

    def __init__(self, assignment: Assignment) -> None:
        self.form = assignment.judged.cells
        self.released = {c.id: c for c in assignment.release.cells}
        self.by_name = {grade_id(c): c.id for c in self.form if grade_id(c)}
        self.by_text = {c.source.strip(): c.id for c in assignment.release.cells if not grade_id(c)}
        self.taken: dict[str, NotebookNode] = {}
        self.own: dict[str, list[NotebookNode]] = {"": []}
        self.foreign = 0
        self.faults: list[str] = []

    def place(self, cells: list[NotebookNode]) -> None:
        """Find for each submitted cell the one of the source that it is, or the one that it follows."""
        last = ""
        for cell in cells:
            key = self._key(cell)
            if key is None:
                self.foreign += bool(grade_id(cell))
                self.own.setdefault(last, []).append(cell)
            elif key not in self.taken:
                self.taken[key] = cell
                last = key
            else:
                self._double(key, cell, last)

    def _key(self, cell: NotebookNode) -> str | None:
        """Return the id of the source's cell that this one is: by its name, its id or its text."""
        if (key := self.by_name.get(grade_id(cell))) is not None:
            return key
        if not grade_id(cell) and cell.get("id") in self.released:
            return str(cell.id)
        return self.by_text.get(cell.source.strip()) if cell.cell_type == "markdown" else None

    def _double(self, key: str, cell: NotebookNode, last: str) -> None:
        """Keep the first of two copies, but the one that has an answer."""
        given = self.released[key]
        if not grade_id(given) or is_locked(given):
            if grade_id(given):
                self.faults.append(f"cell `{grade_id(given)}` occurs twice: the second is left out")
            return
        self.faults.append(f"cell `{grade_id(given)}` occurs twice: the first with an answer counts")
        if self.taken[key].source.strip() == given.source.strip():
            self.taken[key], cell = cell, self.taken[key]
        else:
            self.own.setdefault(last, []).append(cell)

    def check(self, others: dict[str, set[str]]) -> None:
        """Raise where the notebook is another's; complain of strange cells otherwise."""
        answers = [key for key in self.taken if grade_id(self.released[key])]
        if not answers or self.foreign > len(answers):
            raise WrongAssignmentError("it holds no cell of this assignment" + _whose(self.own, others))
        if self.foreign:
            self.faults.append(f"cells of another notebook run as the student's own: {self.foreign}")
        order = list(self.taken)
        wanted = [c.id for c in self.form if c.id in self.taken]
        blocks = SequenceMatcher(None, wanted, order, autojunk=False).get_matching_blocks()
        still = {wanted[i] for block in blocks for i in range(block.a, block.a + block.size)}
        moved = [grade_id(self.released[key]) for key in wanted if key not in still]
        if names := [f"`{name}`" for name in moved if name]:
            self.faults.append(f"cells stood in another place and were put back: {', '.join(names)}")

    def cells(self) -> Iterator[NotebookNode]:
        """Yield the cells in the source's order, the student's own behind the ones that they followed."""
        yield from self._extra("")
        for ours in self.form:
            cell = copy.deepcopy(ours)
            theirs = self.taken.get(ours.id)
            if theirs is None:
                self._missing(cell)
            elif is_solution(ours):
                cell.source = theirs.source
                if theirs.cell_type != ours.cell_type:
                    self.faults.append(f"cell `{grade_id(ours)}` was of type {theirs.cell_type}: set right")
            elif theirs.source.split() != self.released[ours.id].source.split():
                yield from self._beside(cell, theirs)
            if theirs is not None and "attachments" in theirs and ours.cell_type == "markdown":
                cell.attachments = theirs.attachments
            yield cell
            yield from self._extra(ours.id)

    def _missing(self, cell: NotebookNode) -> None:
        if not grade_id(cell):
            return
        if is_solution(cell):
            self.faults.append(f"answer cell `{grade_id(cell)}` was deleted")
            if cell.cell_type == "code":
                cell.source = DELETED  # the stub would undo a definition in another cell
        else:
            kind = "test cell" if is_test(cell) else "cell"
            self.faults.append(f"{kind} `{grade_id(cell)}` was deleted: restored")

    def _beside(self, cell: NotebookNode, theirs: NotebookNode) -> Iterator[NotebookNode]:
        """Yield what a student made of a cell that is ours; of a test cell nothing."""
        if not grade_id(cell):
            cell.source = theirs.source  # a text that nobody relies on
        elif is_test(cell):
            self.faults.append(f"test cell `{grade_id(cell)}` was edited: restored")
        else:
            self.faults.append(f"cell `{grade_id(cell)}` was edited: restored, the edited one runs before it")
            yield _plain(theirs, f"edited-{cell.id}")

    def _extra(self, key: str) -> Iterator[NotebookNode]:
        for number, cell in enumerate(self.own.get(key, [])):
            yield _plain(cell, f"own-{number}-{key}")


def mend(
    notebook: NotebookNode, assignment: Assignment, others: dict[str, set[str]]
) -> tuple[NotebookNode, list[str]]:
    """Return a submission in the assignment's form, and what had to be mended.

    Parameters
    ----------
    notebook : as handed in.
    assignment : what it should be.
    others : the names of the cells of each assignment, to tell a notebook that is another's.

    Raises
    ------
    WrongAssignmentError : it has no cell of this assignment.
    """
    mending = Mending(assignment)
    mending.place(notebook.cells)
    mending.check(others)
    mended = copy.deepcopy(assignment.release)
    mended.cells = list(mending.cells())
    return mended, mending.faults


def _plain(cell: NotebookNode, name: str) -> NotebookNode:
    """Return a copy of a cell without what nbgrader would take it for."""
    plain = copy.deepcopy(cell)
    plain.metadata = NotebookNode()
    plain.id = name[:64]
    return plain


def _whose(own: dict[str, list[NotebookNode]], others: dict[str, set[str]]) -> str:
    """Say which assignment the cells belong to, if to one."""
    found = {grade_id(cell) for cells in own.values() for cell in cells} - {""}
    best = max(others, key=lambda name: len(others[name] & found), default="")
    return f", but cells of {best}" if best and others[best] & found else ""
