"""One submission's result: its status, its points, and a reason for whatever is not as it should be."""

from __future__ import annotations

import hashlib
import io
import json
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

import nbformat
from nbformat import NotebookNode

from tools.grading import submitted_notebook
from tools.grading.collecting import Submission
from tools.grading.csv_tables import FolderError, Line
from tools.grading.judging import Judge, by_task
from tools.grading.kernels import KernelFailedError
from tools.grading.mending import WrongAssignmentError
from tools.grading.nbgraders import Grade, is_solution
from tools.grading.outputs import CUT
from tools.grading.sources import grade_id
from tools.grading.submitted_files import File, Files
from tools.grading.submitted_notebook import UnreadableError, clean

Status = Literal["graded", "graded-with-faults", "needs-attention", "missing"]
REASONS = 20  # sentences for one submission; a notebook of 400 faults has no more
SHOWN = 8 << 20  # characters of all outputs of one submission


@dataclass(frozen=True)
class Result:
    """What a submission came to, from the folder to the report.

    ``grades`` is empty where nothing could be run. ``prints`` are digests and lengths of what two copies of
    one work have in common. Not ``final``: this machine failed, not the submission; the next run tries again.
    """

    submission: Submission
    status: Status
    reasons: list[str] = field(default_factory=list)
    grades: list[Grade] = field(default_factory=list)
    verdicts: dict[str, str] = field(default_factory=dict)
    unanswered: list[str] = field(default_factory=list)
    file: str = ""
    place: str = ""
    prints: dict[str, tuple[str, int]] = field(default_factory=dict)
    notebook: NotebookNode | None = None
    final: bool = True

    @property
    def tasks(self) -> dict[str, tuple[float, float]]:
        """Points of each task and points that are still open; empty where nothing was graded."""
        return by_task(self.submission.assignment, self.grades) if self.grades else {}

    @property
    def points(self) -> float | None:
        """All points so far."""
        return sum(given for given, _ in self.tasks.values()) if self.grades else None

    @property
    def open(self) -> float:
        """Points that a person has yet to give."""
        return sum(waiting for _, waiting in self.tasks.values())

    @property
    def possible(self) -> float:
        """All points that there are."""
        return sum(self.submission.assignment.tasks.values())

    @property
    def is_late(self) -> bool:
        """Tell whether it came after the deadline."""
        return self.submission.is_late(Path(self.place) if self.place else None)

    @property
    def is_settled(self) -> bool:
        """Tell whether the points can go out: nothing open, nobody has to look."""
        return self.status in ("graded", "graded-with-faults") and not self.open

    def answers(self) -> Iterator[tuple[Grade, str]]:
        """Yield the written answers with their grades."""
        written = {grade_id(c) for c in self.submission.assignment.written}
        texts = {grade_id(c): c.source for c in self.notebook.cells} if self.notebook else {}
        for grade in self.grades:
            if grade.cell in written and grade.cell not in self.unanswered:
                yield grade, texts.get(grade.cell, "")

    def with_points(self, by_hand: dict[tuple[str, str, str], Line]) -> Result:
        """Return the result with what a person gave in place of what the grader could not; used lines go.

        Raises
        ------
        FolderError : the points are no number, or too many.
        """
        who = self.submission.assignment.name, self.submission.student.student
        written = {grade_id(c) for c in self.submission.assignment.written}
        grades = [
            _by_hand(g, by_hand.pop((*who, g.cell), None)) if g.cell in written else g for g in self.grades
        ]
        return replace(self, grades=grades)

    def to_json(self) -> str:
        """Return what was found, without the submission; ``from_json`` reads it."""
        record = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "submission"}
        return json.dumps({**record, "grades": [vars(grade) for grade in self.grades]})

    @classmethod
    def from_json(cls, text: str | bytes, submission: Submission) -> Result:
        """Read what ``to_json`` wrote."""
        record: dict[str, Any] = json.loads(text)
        record["grades"] = [Grade(**grade) for grade in record["grades"]]
        record["prints"] = {words: (digest, length) for words, (digest, length) in record["prints"].items()}
        record["notebook"] = record["notebook"] and nbformat.from_dict(record["notebook"])
        return cls(submission, **record)


def result_of(submission: Submission, judge: Judge) -> Result:
    """Grade a submission, whatever it is."""
    if not submission.student.known:
        reason = f"nobody in the roster is {submission.student.student!r}"
        return Result(submission, "needs-attention", [reason], file=submission.student.student)
    files = Files.read(submission.places)
    if not files.found and not files.attention:
        return Result(submission, "missing", ["nothing was handed in"])
    try:
        file, notebook, faults = choose(files, judge)
    except UnreadableError as error:
        reasons = [*files.attention, *([str(error)] if files.found else [])]
        return Result(submission, "needs-attention", short(reasons))
    at: dict[str, Any] = {"file": file.name, "place": str(file.place)}
    try:
        marked = judge.mark(notebook)
    except WrongAssignmentError as error:
        return Result(submission, "needs-attention", [f"{file.name}: {error}"], **at)
    except KernelFailedError as error:
        return Result(submission, "needs-attention", [str(error)], final=False, **at)
    attention = [*files.attention, *marked.attention]
    faults += marked.faults
    status: Status = "needs-attention" if attention else "graded-with-faults" if faults else "graded"
    _cut(marked.notebook)
    return Result(
        submission,
        status,
        short([*attention, *faults]),
        marked.grades,
        {test: clean(why)[:5000] for test, why in marked.verdicts.items()},
        marked.unanswered,
        prints=prints(file, marked.notebook),
        notebook=marked.notebook,
        **at,
    )


def choose(files: Files, judge: Judge) -> tuple[File, NotebookNode, list[str]]:
    """Return the one file that is the submission's notebook.

    Raises
    ------
    UnreadableError : there is none, or there are several, or it cannot be read.
    """
    name = judge.assignment.name
    different = list({file.data or file.name.encode(): file for file in files.found}.values())
    notebooks = [f for f in different if f.is_notebook] or [f for f in different if f.data and _read(f)]
    if not notebooks:
        listed = ", ".join(f.name for f in different[:5]) or "nothing that can be read"
        raise UnreadableError(f"no notebook was handed in, but: {listed}")
    faults = ["one notebook was handed in several times"] if _is_twice(notebooks, files) else []
    if len(notebooks) > 1:
        ours = [f for f in notebooks if _is_of(f, judge)]
        listed = ", ".join(f.name for f in notebooks[:5])
        if len(ours) != 1:
            raise UnreadableError(f"which one counts? {len(notebooks)} notebooks were handed in: {listed}")
        faults.append(f"other notebooks were handed in beside it: {listed}")
        notebooks = ours
    (file,) = notebooks
    try:
        notebook, mended = submitted_notebook.read(file.data)
    except UnreadableError as error:
        raise UnreadableError(f"{file.name}: {error}") from error
    if (
        file.name != f"{name}.ipynb" and file.place.parent.name != name
    ):  # a file may be named after the student
        faults.append(f"the file is named {file.name}, not {name}.ipynb")
    return file, notebook, [*faults, *mended]


def prints(file: File, notebook: NotebookNode) -> dict[str, tuple[str, int]]:
    """Return what two copies of one work have in common: code without comments, texts, outputs."""
    answers = [c for c in notebook.cells if is_solution(c)]
    found = {"the same code": " ".join(_words(c.source) for c in answers if c.cell_type == "code")}
    for cell in answers:
        if cell.cell_type == "markdown":
            found[f"the same answer to {grade_id(cell)}"] = " ".join(cell.source.split())
    if outputs := submitted_notebook.stored_outputs(file.data):
        found["the same outputs"] = outputs
    lengths = {words: len(text) if words != "the same outputs" else 0 for words, text in found.items()}
    return {
        words: (hashlib.sha256(text.encode()).hexdigest()[:12], lengths[words])
        for words, text in found.items()
        if text
    }


def short(reasons: list[str]) -> list[str]:
    """Return as many sentences as a table can hold, each once."""
    different = [clean(reason)[:1000] for reason in dict.fromkeys(reasons)]
    more = len(different) - REASONS
    return [*different[:REASONS], f"and {more} more of the kind"] if more > 0 else different


def _by_hand(grade: Grade, line: Line | None) -> Grade:
    if line is None:
        return grade
    text = line["points"].strip().replace(",", ".")
    try:
        points = float(text)
    except ValueError as error:
        raise FolderError(
            f"{line.place}: {text!r} for {line['student']} {grade.cell} is no number"
        ) from error
    if not 0 <= points <= grade.possible:
        raise FolderError(
            f"{line.place}: {text} points for {line['student']} {grade.cell}, "
            f"where 0 to {grade.possible:g} are possible"
        )
    return replace(grade, points=points, comment=clean(line["comment"]).strip())


def _is_twice(notebooks: list[File], files: Files) -> bool:
    return sum(f.data == n.data for n in notebooks for f in files.found if f.data) > len(notebooks)


def _read(file: File) -> NotebookNode | None:
    try:
        return submitted_notebook.read(file.data)[0]
    except UnreadableError:
        return None


def _is_of(file: File, judge: Judge) -> bool:
    """Tell whether a file holds a cell of the judge's assignment, or nobody can tell."""
    notebook = _read(file)
    ours = {grade_id(c) for c in judge.assignment.source.cells} - {""}
    return notebook is None or bool(ours & {grade_id(c) for c in notebook.cells})


def _words(source: str) -> str:
    """Return a cell's code without comments and spaces."""
    spaces = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    try:
        tokens = [
            t.string for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type not in spaces
        ]
    except (tokenize.TokenError, SyntaxError):
        tokens = source.split()
    return " ".join(filter(None, tokens))


def _cut(notebook: NotebookNode) -> None:
    """Leave out the outputs that are too much for one page."""
    left = SHOWN
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.outputs:
            left -= len(json.dumps(cell.outputs))
            if left < 0:
                cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=CUT)]
