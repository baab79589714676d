"""One submission, from the folder to the report: a record to which each step adds what it finds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import nbformat
from nbformat import NotebookNode

from tools.grading.sources import Assignment, grade_id, task

Status = Literal["graded", "graded-with-faults", "needs-attention", "missing"]
REASONS = 20  # sentences for one submission; a notebook of 400 faults has no more


@dataclass(frozen=True)
class Student:
    """One line of the roster; ``number`` is Moodle's, which belongs to one student and one assignment."""

    id: str
    name: str = ""
    email: str = ""
    number: str = ""
    known: bool = True


@dataclass(frozen=True)
class Grade:
    """What one cell gave: points, or None where a person has to grade it."""

    cell: str
    points: float | None
    possible: float
    comment: str = ""


@dataclass
class Submission:
    """What one student handed in for one assignment, where it lies, and what it came to.

    ``grades`` is empty where nothing could be run. ``attention`` are the reasons why a person must look,
    ``faults`` what was mended or did not run. ``prints`` are digests and lengths of what two copies of one
    work have in common. Not ``final``: this machine failed, not the submission; the next run tries again.
    """

    assignment: Assignment
    student: Student = field(default=Student(""))
    places: tuple[Path, ...] = ()
    number: str = ""  # Moodle's, for student and assignment
    deadline: datetime | None = None
    time: datetime | None = None  # of submitted.csv
    # what is found out, and kept
    file: str = ""
    place: str = ""
    notebook: NotebookNode | None = None
    grades: list[Grade] = field(default_factory=list)
    verdicts: dict[str, str] = field(default_factory=dict)  # of each test cell: "" or why it failed
    unanswered: list[str] = field(default_factory=list)
    attention: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    prints: dict[str, tuple[str, int]] = field(default_factory=dict)
    final: bool = True

    @property
    def status(self) -> Status:
        """What the tables say of it in a word."""
        if self.attention:
            return "needs-attention"
        return "missing" if not self.grades else "graded-with-faults" if self.faults else "graded"

    @property
    def reasons(self) -> list[str]:
        """As many sentences as a table can hold, each once."""
        if self.status == "missing":
            return ["nothing was handed in"]
        different = [clean(reason)[:1000] for reason in dict.fromkeys([*self.attention, *self.faults])]
        more = len(different) - REASONS
        return [*different[:REASONS], f"and {more} more of the kind"] if more > 0 else different

    @property
    def tasks(self) -> dict[str, tuple[float, float]]:
        """Points of each task and points that a person has yet to give; empty where nothing was graded."""
        tasks = {grade_id(c): task(c) for c in self.assignment.graded}
        points = {name: (0.0, 0.0) for name in self.assignment.tasks if self.grades}
        for grade in self.grades:
            given, waiting = points[tasks[grade.cell]]
            waits = grade.possible if grade.points is None else 0.0
            points[tasks[grade.cell]] = given + (grade.points or 0.0), waiting + waits
        return points

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
        return sum(self.assignment.tasks.values())

    @property
    def is_late(self) -> bool:
        """Tell whether it came after the deadline; a deadline's last second is in time."""
        time = self.time
        if time is None and self.place and Path(self.place).exists():
            time = datetime.fromtimestamp(Path(self.place).stat().st_mtime, UTC)
        return bool(self.deadline and time and time > self.deadline)

    @property
    def is_settled(self) -> bool:
        """Tell whether the points can go out: nothing open, nobody has to look."""
        return self.status in ("graded", "graded-with-faults") and not self.open

    def answers(self) -> Iterator[tuple[Grade, str]]:
        """Yield the written answers with their grades."""
        written = {grade_id(c) for c in self.assignment.written} - set(self.unanswered)
        texts = {grade_id(c): c.source for c in self.notebook.cells} if self.notebook else {}
        yield from ((grade, texts.get(grade.cell, "")) for grade in self.grades if grade.cell in written)

    def to_json(self) -> str:
        """Return what was found out; ``with_json`` reads it."""
        names = [f.name for f in fields(self)]
        found = {name: getattr(self, name) for name in names[names.index("file") :]}
        return json.dumps({**found, "grades": [vars(grade) for grade in self.grades]})

    def with_json(self, text: str | bytes) -> Submission:
        """Return the submission with what ``to_json`` wrote."""
        found: dict[str, Any] = json.loads(text)
        found["grades"] = [Grade(**grade) for grade in found["grades"]]
        found["prints"] = {words: (digest, length) for words, (digest, length) in found["prints"].items()}
        found["notebook"] = found["notebook"] and nbformat.from_dict(found["notebook"])
        return replace(self, **found)


def clean(text: Any) -> str:
    """Return a text that can be written: half of a surrogate pair, which JSON may hold, becomes a "?"."""
    return str(text).encode("utf-8", "replace").decode("utf-8")
