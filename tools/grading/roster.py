"""Who takes the course, and whose a file or a folder is, by its name."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from tools.grading import csv_tables
from tools.grading.csv_tables import FolderError

# Moodle's download: a folder for each student, or all files in one folder, their names behind the student's.
MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)", re.S)
DROPPED = re.compile(r"[\x00-\x1f&<>\"`|':\\/]")  # what Moodle leaves out of names of files


@dataclass(frozen=True)
class Student:
    """One line of the roster; ``number`` is Moodle's, which belongs to one student and one assignment."""

    student: str
    name: str = ""
    email: str = ""
    number: str = ""
    known: bool = True


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
        lines = csv_tables.read(folder / "roster.csv", ["student"])
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
        exact = [s for s in self.students if _plain(s.student) == key]
        return _only(exact or [s for s in self.students if key and _unpadded(s.student) == _unpadded(text)])

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


def moodle_number(name: str) -> str:
    """Return the participant's number in the name of a folder or file, or nothing."""
    match = MOODLE.fullmatch(name)
    return match["number"] if match else ""


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
