"""Find in a folder who handed in what and when; nothing that lies there is overlooked, nothing is opened yet.

The folder holds ``roster.csv``, perhaps ``deadlines.csv``, ``submitted.csv`` and ``by-hand.csv``, and a
folder for each assignment with one for each student, named by the student's id or as Moodle's download does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tools.grading import csv_tables
from tools.grading.csv_tables import FolderError, Line
from tools.grading.roster import Roster, Student, moodle_number
from tools.grading.sources import Assignment
from tools.grading.submitted_files import IGNORED, printable

RESULTS = "graded"  # the folder of results, beside those of the assignments


@dataclass(frozen=True)
class Submission:
    """What one student handed in for one assignment, where it lies; ``number`` is Moodle's for both."""

    assignment: Assignment
    student: Student
    places: tuple[Path, ...] = ()
    number: str = ""
    deadline: datetime | None = None
    time: datetime | None = None  # of submitted.csv

    def is_late(self, file: Path | None) -> bool:
        """Tell whether it came after the deadline; a deadline's last second is in time."""
        time = self.time
        if time is None and file is not None and file.exists():
            time = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        return bool(self.deadline and time and time > self.deadline)


@dataclass(frozen=True)
class Collected:
    """All that a folder holds; points given by hand are found by assignment, student and cell."""

    submissions: list[Submission]
    by_hand: dict[tuple[str, str, str], Line] = field(default_factory=dict)


def collect(folder: Path, assignments: dict[str, Assignment]) -> Collected:
    """Read a folder.

    Raises
    ------
    FolderError : there is no roster, a table cannot be read, or a name is no assignment's.
    """
    if not folder.is_dir():
        raise FolderError(f"{folder}: there is no such folder; SUBMISSIONS=... names it")
    roster = Roster.read(folder)
    present = [p for p in sorted(folder.iterdir()) if p.is_dir() and p.name not in IGNORED | {RESULTS}]
    present = [p for p in present if not p.name.startswith(".")]
    if unknown := [printable(p.name) for p in present if p.name not in assignments]:
        raise FolderError(f"{unknown[0]}: no assignment has this name; there are {', '.join(assignments)}")
    if not present:
        raise FolderError(f"{folder.name} holds no folder of an assignment ({', '.join(assignments)})")
    deadlines, times = _deadlines(folder, assignments), _times(folder, roster, assignments)
    submissions = []
    for path in present:
        for student, places, number in _owners(path, roster, alone=len(present) == 1):
            time = times.get((path.name, student.student))
            submissions.append(
                Submission(assignments[path.name], student, places, number, deadlines.get(path.name), time)
            )
    return Collected(submissions, _by_hand(folder, roster, assignments))


def _owners(folder: Path, roster: Roster, *, alone: bool) -> Iterator[tuple[Student, tuple[Path, ...], str]]:
    """Yield each student of the roster with the places and Moodle's number, then those of nobody.

    Moodle's number belongs to one assignment, so the roster's is good only where there is one.
    """
    owners: dict[str, list[Path]] = {}
    strangers: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name not in IGNORED and not path.name.startswith("."):
            student = roster.owner(printable(path.name))
            (strangers if student is None else owners.setdefault(student.student, [])).append(path)
    for student in roster.students:
        places = owners.get(student.student, [])
        found = next(filter(None, (moodle_number(p.name) for p in places)), "")
        yield student, tuple(places), found or (student.number if alone and " " not in student.number else "")
    for path in strangers:
        yield Student(printable(path.name), known=False), (path,), ""


def _deadlines(folder: Path, assignments: dict[str, Assignment]) -> dict[str, datetime]:
    lines = csv_tables.read(folder / "deadlines.csv", ["assignment", "deadline"])
    return {_assignment(line, assignments): _time(line, "deadline") for line in lines}


def _times(
    folder: Path, roster: Roster, assignments: dict[str, Assignment]
) -> dict[tuple[str, str], datetime]:
    lines = csv_tables.read(folder / "submitted.csv", ["assignment", "student", "time"])
    return {(_assignment(line, assignments), _student(line, roster)): _time(line, "time") for line in lines}


def _by_hand(
    folder: Path, roster: Roster, assignments: dict[str, Assignment]
) -> dict[tuple[str, str, str], Line]:
    found: dict[tuple[str, str, str], Line] = {}
    for line in csv_tables.read(folder / "by-hand.csv", ["assignment", "student", "cell", "points"]):
        if line["points"].strip():
            key = _assignment(line, assignments), _student(line, roster), line["cell"].strip()
            if key in found:
                raise FolderError(f"{line.place}: {' '.join(key)} has points already, in {found[key].place}")
            found[key] = line
    return found


def _assignment(line: Line, assignments: dict[str, Assignment]) -> str:
    name = line["assignment"].strip()
    if name not in assignments:
        raise FolderError(
            f"{line.place}: no assignment is named {name!r}; there are {', '.join(assignments)}"
        )
    return name


def _student(line: Line, roster: Roster) -> str:
    if (student := roster.owner(line["student"].strip())) is None:
        raise FolderError(f"{line.place}: nobody in the roster is {line['student'].strip()!r}")
    return student.student


def _time(line: Line, column: str) -> datetime:
    """Read a moment: with an offset (2026-11-25T23:59+01:00), or with a zone in a column of its own."""
    text, zone = line[column].strip(), line["zone"].strip()
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is None and zone:
            time = time.replace(tzinfo=ZoneInfo(zone))
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise FolderError(
            f"{line.place}: {text!r} {zone!r}: write 2026-11-25T23:59 and Europe/Berlin"
        ) from error
    if time.tzinfo is None:
        raise FolderError(
            f"{line.place}: {text!r} has no time zone: fill a column zone, or write 23:59+01:00"
        )
    return time
