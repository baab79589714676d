"""One submission's result: its status, its points, and a reason for whatever is not as it should be."""

from __future__ import annotations

import ast
import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from nbformat import NotebookNode

from tools.grading import names, reading
from tools.grading.collecting import File, Submission
from tools.grading.judging import Judge, Marked
from tools.grading.kernels import KernelFailedError
from tools.grading.mending import WrongAssignmentError
from tools.grading.nbgraders import Grade, is_solution
from tools.grading.reading import UnreadableError
from tools.grading.sources import grade_id

Status = Literal["graded", "graded-with-faults", "needs-attention", "missing"]


@dataclass(frozen=True)
class Result:
    """What a submission came to; ``grades`` is empty where nothing could be run."""

    assignment: str
    student: str
    status: Status
    reasons: list[str] = field(default_factory=list)
    grades: list[Grade] = field(default_factory=list)
    verdicts: dict[str, str] = field(default_factory=dict)
    unanswered: list[str] = field(default_factory=list)
    file: str = ""
    hashes: dict[str, str] = field(default_factory=dict)
    final: bool = True  # False: this machine failed, not the submission

    def to_json(self) -> str:
        """Return the result as text; ``from_json`` reads it."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Result:
        """Read what ``to_json`` wrote."""
        record = json.loads(text)
        record["grades"] = [Grade(**grade) for grade in record["grades"]]
        return cls(**record)


def result_of(submission: Submission, judge: Judge) -> tuple[Result, Marked | None]:
    """Grade a submission, whatever it is."""
    who: dict[str, Any] = {"assignment": submission.assignment, "student": submission.student.student}
    if submission.is_missing:
        return Result(**who, status="missing", reasons=["nothing was handed in"]), None
    try:
        file, notebook, faults = choose(submission, judge)
    except (UnreadableError, WrongAssignmentError) as error:
        reasons = [*submission.attention, *([str(error)] if submission.files else [])]
        return Result(**who, status="needs-attention", reasons=reasons, file=submission.place), None
    who["file"] = file.name
    try:
        marked = judge.mark(notebook)
    except WrongAssignmentError as error:
        return Result(**who, status="needs-attention", reasons=[f"{file.name}: {error}"]), None
    except KernelFailedError as error:
        return Result(**who, status="needs-attention", reasons=[str(error)], final=False), None
    attention = [*submission.attention, *marked.attention]
    faults = list(dict.fromkeys([*submission.faults, *faults, *marked.faults]))
    status: Status = "needs-attention" if attention else "graded-with-faults" if faults else "graded"
    result = Result(
        **who,
        status=status,
        reasons=[*attention, *faults],
        grades=marked.grades,
        verdicts=marked.verdicts,
        unanswered=marked.unanswered,
        hashes=hashes(file, marked.notebook),
    )
    return result, marked


def choose(submission: Submission, judge: Judge) -> tuple[File, NotebookNode, list[str]]:
    """Return the one file that is the submission's notebook.

    Raises
    ------
    UnreadableError : there is none, or there are several, or it cannot be read.
    """
    wanted = f"{submission.assignment}.ipynb"
    files = list({file.data: file for file in submission.files}.values())
    faults = ["one notebook was handed in several times"] if len(files) < len(submission.files) else []
    notebooks = [f for f in files if f.is_notebook] or [f for f in files if _is_notebook(f)]
    if not notebooks:
        listed = ", ".join(f.name for f in files[:5]) or "nothing that can be read"
        raise UnreadableError(f"no notebook was handed in, but: {listed}")
    if len(notebooks) > 1:
        ours = [f for f in notebooks if _is_of(f, judge)]
        listed = ", ".join(f.name for f in notebooks[:5])
        if len(ours) != 1:
            raise UnreadableError(f"which one counts? {len(notebooks)} notebooks were handed in: {listed}")
        faults.append(f"other notebooks were handed in beside it: {listed}")
        notebooks = ours
    (file,) = notebooks
    try:
        notebook, mended = reading.read(file.data)
    except UnreadableError as error:
        raise UnreadableError(f"{file.name}: {error}") from error
    if file.name not in (wanted, submission.place):  # a file may be named after the student
        faults.append(f"the file is named {file.name}, not {wanted}")
    return file, notebook, [*faults, *mended]


def hashes(file: File, notebook: NotebookNode) -> dict[str, str]:
    """Return what two copies of one work have in common: code without comments, texts, outputs."""
    answers = [c for c in notebook.cells if is_solution(c)]
    code = [ast.dump(names.tree(c.source)) for c in answers if c.cell_type == "code"]
    text = [c.source.split() for c in answers if c.cell_type == "markdown"]
    parts = {"code": repr(code), "text": repr(text), "outputs": reading.shown(file.data)}
    return {key: hashlib.sha256(value.encode()).hexdigest()[:12] for key, value in parts.items()}


def _is_notebook(file: File) -> bool:
    try:
        reading.read(file.data)
    except UnreadableError:
        return False
    return True


def _is_of(file: File, judge: Judge) -> bool:
    """Tell whether a file holds mostly cells of the judge's assignment, with at least one answer in them."""
    try:
        notebook, _ = reading.read(file.data)
    except UnreadableError:
        return True  # a person must tell which one counts
    ours = {grade_id(c) for c in judge.assignment.source.cells} - {""}
    return bool(ours & {grade_id(c) for c in notebook.cells})
