"""Find in a folder who handed in what and when; nothing that lies there is overlooked, nothing is opened yet.

The folder holds ``roster.csv``, perhaps ``deadlines.csv``, ``submitted.csv`` and ``by-hand.csv``, and a
folder for each assignment with one for each student, named by the student's id or as Moodle's download does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tools.grading import tables
from tools.grading.reading import IGNORED, MOODLE, printable
from tools.grading.sources import Assignment
from tools.grading.submissions import Student, Submission
from tools.grading.tables import FolderError, Line

RESULTS = "graded"  # the folder of results, beside those of the assignments
DROPPED = re.compile(r"[\x00-\x1f&<>\"`|':\\/]")  # what Moodle leaves out of names of files
BY_HAND = ["assignment", "student", "cell", "points"]


@dataclass(frozen=True)
class Roster:
    """All students, in the order of the table."""

    students: list[Student]

    @classmethod
    def read(cls, folder: Path) -> Roster:
        """Read ``roster.csv``.

        Raises
        ------
        FolderError : there is none, or a student is named twice or cannot be the name of a file.
        """
        lines = tables.read(folder / "roster.csv", ["student"])
        if not lines:
            raise FolderError(
                f"{folder.name}/roster.csv: one line per student is needed, under a line of titles: "
                "student,name,email,number (the last three may be left out); it tells who is missing"
            )
        students, seen = list[Student](), set[str]()
        for line in lines:
            first, name, email, number = (line[key].strip() for key in ("student", "name", "email", "number"))
            key = _plain(first)
            if not key or key in seen or "/" in key or "\x00" in key or key.startswith(".") or len(key) > 80:
                raise FolderError(f"{line.place}: the student {first!r} is empty, occurs twice or is no name")
            seen.add(key)
            students.append(Student(first, name, email, number))
        return cls(students)

    def by_id(self, text: str) -> Student | None:
        """Return who has this id; ``7`` is 007, since spreadsheets drop zeros."""
        key = _plain(text)
        exact = [s for s in self.students if _plain(s.id) == key]
        return _only(exact or [s for s in self.students if key and _unpadded(s.id) == _unpadded(text)])

    def owner(self, name: str) -> Student | None:
        """Return whose a file or a folder is: by the student's id, else as Moodle names it."""
        stem = re.sub(r"\.(ipynb|zip)$", "", name, flags=re.I)
        if student := (self.by_id(stem) or self.by_id(name)):
            return student
        if (match := MOODLE.fullmatch(name)) is None:
            return None
        numbered = [s for s in self.students if match["number"] in s.number.split()]
        theirs = _moodle(match["name"])
        named = [(s, _moodle(s.name)) for s in self.students if s.name]
        exact = [s for s, ours in named if ours == theirs]
        grouped = [s for s, ours in named if theirs.endswith(f"-{ours}")]  # "Group A-Ada Lovelace"
        return _only(numbered) or _only(exact or grouped)


@dataclass(frozen=True)
class Collected:
    """All that a folder holds; points given by hand are found by assignment, student and cell."""

    submissions: list[Submission]
    by_hand: dict[tuple[str, str, str], Line]


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
    listed = ", ".join(assignments)
    if unknown := [printable(p.name) for p in present if p.name not in assignments]:
        raise FolderError(f"{unknown[0]}: no assignment has this name; there are {listed}")
    if not present:
        raise FolderError(f"{folder.name} holds no folder of an assignment ({listed})")

    def lines(name: str, *needed: str) -> Iterator[tuple[Line, str, str]]:
        """Yield the lines of a table with the assignment and the student that they name."""
        for line in tables.read(folder / name, needed):
            if (assignment := line["assignment"].strip()) not in assignments:
                raise FolderError(f"{line.place}: no assignment is named {assignment!r}; there are {listed}")
            who = line["student"].strip()
            if (student := roster.owner(who)) is None and "student" in needed:
                raise FolderError(f"{line.place}: nobody in the roster is {who!r}")
            yield line, assignment, student.id if student else ""

    deadlines = {
        a: _time(line, "deadline") for line, a, _ in lines("deadlines.csv", "assignment", "deadline")
    }
    handed_in = lines("submitted.csv", "assignment", "student", "time")
    times = {(assignment, student): _time(line, "time") for line, assignment, student in handed_in}
    by_hand: dict[tuple[str, str, str], Line] = {}
    for line, assignment, student in lines("by-hand.csv", *BY_HAND):
        key = assignment, student, line["cell"].strip()
        if line["points"].strip() and key in by_hand:
            raise FolderError(f"{line.place}: {' '.join(key)} has points already, in {by_hand[key].place}")
        if line["points"].strip():
            by_hand[key] = line
    submissions = [
        Submission(assignments[p.name], *owned, deadlines.get(p.name), times.get((p.name, owned[0].id)))
        for p in present
        for owned in _owners(p, roster, alone=len(present) == 1)
    ]
    return Collected(submissions, by_hand)


def _owners(folder: Path, roster: Roster, *, alone: bool) -> Iterator[tuple[Student, tuple[Path, ...], str]]:
    """Yield each student of the roster with the places and Moodle's number, then those of nobody.

    Moodle's number belongs to one assignment, so the roster's is good only where there is one.
    """
    owners: dict[str, list[Path]] = {}
    strangers: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name not in IGNORED and not path.name.startswith("."):
            student = roster.owner(printable(path.name))
            (strangers if student is None else owners.setdefault(student.id, [])).append(path)
    for student in roster.students:
        places = owners.get(student.id, [])
        found = next((match["number"] for p in places if (match := MOODLE.fullmatch(p.name))), "")
        yield student, tuple(places), found or (student.number if alone and " " not in student.number else "")
    for path in strangers:
        yield Student(printable(path.name), known=False), (path,), ""


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


def _only(found: list[Student]) -> Student | None:
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    """Return a name as it compares: composed, without case, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _unpadded(text: str) -> str:
    key = _plain(text)
    return key.lstrip("0") or "0" if key.isdecimal() else key


def _moodle(name: str) -> str:
    return _plain(DROPPED.sub("", name).replace("_", " "))
