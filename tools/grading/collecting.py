"""Find in a folder who handed in what and when; nothing that lies there is overlooked, nothing is unpacked.

The folder holds ``roster.csv``, perhaps ``deadlines.csv``, ``submitted.csv`` and ``by-hand.csv``, and a
folder for each assignment with one for each student, named by the student's id or as Moodle's download does.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tools.grading.reading import LARGEST

MOODLE = re.compile(r"(?P<name>.+)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)_?")
IGNORED = {"__MACOSX", ".ipynb_checkpoints", ".DS_Store", "Thumbs.db", "__pycache__", "desktop.ini"}
RESULTS = "graded"  # the folder of results, beside those of the assignments
ENTRIES = 1000  # of one archive


class FolderError(ValueError):
    """The lecturer's folder is not as it should be; the message says where and what to do."""


@dataclass(frozen=True)
class Student:
    """One line of the roster; ``number`` is Moodle's."""

    student: str
    name: str = ""
    email: str = ""
    number: str = ""
    known: bool = True


@dataclass(frozen=True)
class File:
    """One file that was handed in, from the disk or from an archive."""

    name: str
    data: bytes
    time: float

    @property
    def is_notebook(self) -> bool:
        """Tell by the name."""
        return self.name.lower().endswith(".ipynb")


@dataclass(frozen=True)
class Submission:
    """What one student handed in for one assignment, with what is odd about the files."""

    assignment: str
    student: Student
    place: str = ""
    files: tuple[File, ...] = ()
    faults: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()

    @property
    def is_missing(self) -> bool:
        """Tell whether nothing at all was handed in."""
        return not self.files and not self.attention

    @property
    def digest(self) -> str:
        """Identify the content."""
        state = hashlib.sha256(
            repr((self.assignment, self.student.student, self.faults, self.attention)).encode()
        )
        for file in self.files:
            state.update(repr(file.name).encode())
            state.update(hashlib.sha256(file.data).digest())
        return state.hexdigest()


@dataclass(frozen=True)
class Collected:
    """All that a folder holds."""

    submissions: list[Submission]
    deadlines: dict[str, datetime] = field(default_factory=dict)
    times: dict[tuple[str, str], datetime] = field(default_factory=dict)
    by_hand: list[dict[str, str]] = field(default_factory=list)

    def is_late(self, submission: Submission, file: File | None) -> bool:
        """Tell whether a submission came after the deadline; a deadline's last second is in time."""
        deadline = self.deadlines.get(submission.assignment)
        time = self.times.get((submission.assignment, submission.student.student))
        if time is None and file is not None:
            time = datetime.fromtimestamp(file.time, UTC)
        return bool(deadline and time and time > deadline)


def collect(folder: Path, assignments: list[str]) -> Collected:
    """Read a folder.

    Raises
    ------
    FolderError : there is no roster, a table cannot be read, or a folder is named after no assignment.
    """
    roster = _roster(folder)
    present = [p for p in sorted(folder.iterdir()) if p.is_dir() and p.name not in IGNORED | {RESULTS}]
    if strange := [p.name for p in present if p.name not in assignments]:
        raise FolderError(
            f"{folder.name}/{strange[0]}: no assignment has this name; rename or remove it "
            f"({', '.join(assignments)})"
        )
    if not present:
        raise FolderError(f"{folder.name} holds no folder of an assignment ({', '.join(assignments)})")
    submissions = [s for path in present for s in _of_assignment(path, roster)]
    return Collected(submissions, _deadlines(folder), _times(folder, roster), _table(folder / "by-hand.csv"))


def _of_assignment(folder: Path, roster: list[Student]) -> Iterator[Submission]:
    """Yield a submission for each student of the roster, then those of nobody."""
    owners: dict[str, list[Path]] = {}
    strangers: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name in IGNORED:
            continue
        student = _owner(path.name, roster)
        if student is None:
            strangers.append(path)
        else:
            owners.setdefault(student.student, []).append(path)
    for student in roster:
        yield _read(folder.name, student, owners.get(student.student, []))
    for path in strangers:
        nobody = Student(path.name, known=False)
        yield Submission(
            folder.name, nobody, path.name, attention=(f"nobody in the roster is {path.name!r}",)
        )


def _owner(name: str, roster: list[Student]) -> Student | None:
    """Return whose a file or a folder is, by its name."""
    stem = _plain(name.removesuffix(".ipynb").removesuffix(".zip"))
    if found := [s for s in roster if _plain(s.student) in (stem, _plain(name))]:
        return found[0]
    if (match := MOODLE.fullmatch(name)) is None:
        return None
    numbered = [s for s in roster if s.number and s.number == match["number"]]
    named = [s for s in roster if s.name and not s.number and _plain(s.name) == _plain(match["name"])]
    found = numbered or named
    return found[0] if len(found) == 1 else None


def _read(assignment: str, student: Student, places: list[Path]) -> Submission:
    """Read all files of one student."""
    files: list[File] = []
    faults: list[str] = []
    attention: list[str] = []
    for place in places:
        for path in _walk(place, attention):
            try:
                if path.suffix.lower() == ".zip":
                    files += _unzip(path)
                    faults.append(f"handed in as an archive: {path.name}")
                elif path.stat().st_size > LARGEST:
                    attention.append(f"{path.name} has {path.stat().st_size >> 20} MB")
                else:
                    files.append(File(path.name, path.read_bytes(), path.stat().st_mtime))
            except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError) as error:
                attention.append(f"{path.name} cannot be read: {str(error)[:100]}")
    where = " and ".join(place.name for place in places)
    return Submission(assignment, student, where, tuple(files), tuple(faults), tuple(attention))


def _walk(place: Path, attention: list[str]) -> Iterator[Path]:
    """Yield the regular files in a place; links and devices are not touched but told."""
    mode = place.lstat().st_mode
    if stat.S_ISREG(mode):
        yield place
    elif stat.S_ISDIR(mode):
        for entry in sorted(os.listdir(place)):
            if entry not in IGNORED and not entry.startswith("._"):
                yield from _walk(place / entry, attention)
    else:
        kind = "a link" if stat.S_ISLNK(mode) else "no regular file"
        attention.append(f"{place.name} is {kind}: it was not followed")


def _unzip(path: Path) -> list[File]:
    """Return the files of an archive, read into memory; names in it lead nowhere."""
    found, time = [], path.stat().st_mtime
    with zipfile.ZipFile(path) as archive:
        entries = [e for e in archive.infolist() if not e.is_dir()]
        if len(entries) > ENTRIES or sum(e.file_size for e in entries) > LARGEST:
            raise ValueError("it holds too much")
        for entry in entries:
            parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
            if IGNORED.isdisjoint(parts) and parts and not parts[-1].startswith("._"):
                with archive.open(entry) as file:
                    data = file.read(LARGEST + 1)  # the size in the directory may be a lie
                found.append(File(parts[-1], data, time))
    return found


def _roster(folder: Path) -> list[Student]:
    if not folder.is_dir():
        raise FolderError(f"{folder}: there is no such folder; SUBMISSIONS=... names it")
    rows = _table(folder / "roster.csv")
    if not rows or "student" not in rows[0]:
        raise FolderError(
            f"{folder.name}/roster.csv: one line per student is needed, under a line of titles: "
            "student,name,email,number (the last three may be left out); it tells who is missing"
        )
    students = []
    for row in rows:
        first, name, email, number = (
            (row.get(key) or "").strip() for key in ("student", "name", "email", "number")
        )
        students.append(Student(first, name, email, number))
    ids = [_plain(s.student) for s in students]
    for student, name in zip(students, ids, strict=True):
        if not name or ids.count(name) > 1 or "/" in name or name.startswith("."):
            raise FolderError(
                f"{folder.name}/roster.csv: {student.student!r} is empty, occurs twice or is no name"
            )
    return students


def _deadlines(folder: Path) -> dict[str, datetime]:
    rows = _table(folder / "deadlines.csv")
    return {row["assignment"].strip(): _time(row, "deadline", "deadlines.csv") for row in rows}


def _times(folder: Path, roster: list[Student]) -> dict[tuple[str, str], datetime]:
    times = {}
    for row in _table(folder / "submitted.csv"):
        student = _owner(row["student"].strip(), roster)
        if student is None:
            raise FolderError(f"submitted.csv: nobody in the roster is {row['student']!r}")
        times[row["assignment"].strip(), student.student] = _time(row, "time", "submitted.csv")
    return times


def _time(row: dict[str, str], column: str, table: str) -> datetime:
    """Read a moment: with an offset (2026-11-25T23:59+01:00), or with a zone in a column of its own."""
    text, zone = (row.get(column) or "").strip(), (row.get("zone") or "").strip()
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is None and zone:
            time = time.replace(tzinfo=ZoneInfo(zone))
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise FolderError(f"{table}: {text!r} {zone!r}: write 2026-11-25T23:59 and Europe/Berlin") from error
    if time.tzinfo is None:
        raise FolderError(f"{table}: {text!r} has no time zone: fill a column zone, or write 23:59+01:00")
    return time


def _table(path: Path) -> list[dict[str, str]]:
    """Read a table with a line of titles, separated by commas or semicolons; nothing where no file is."""
    if not path.exists():
        return []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FolderError(f"{path.name}: save it as UTF-8") from error
    first = text.partition("\n")[0]
    return list(
        csv.DictReader(io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ",")
    )


def _plain(name: str) -> str:
    """Return a name as it compares: composed, without case, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
