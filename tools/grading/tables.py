"""All tables: read as spreadsheets leave them, written so that none takes an entry for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tools.grading.sources import MARKS, grade_id
from tools.grading.submissions import Grade, Submission, clean

LARGEST = 64 << 20  # bytes of a table
NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?")
FORMULA = re.compile(r"'*[=+\-@\t]")  # what a spreadsheet computes; an apostrophe in front makes it a text


class FolderError(ValueError):
    """The lecturer's folder is not as it should be; the message says where and what to do."""


@dataclass(frozen=True)
class Line:
    """One line of a table; ``place`` says which, for messages."""

    place: str
    entries: dict[str, str]

    def __getitem__(self, title: str) -> str:
        """Return an entry; nothing where the line or the table has none."""
        return self.entries.get(title, "")


def read(path: Path, needed: Iterable[str]) -> list[Line]:
    """Read a table with a line of titles, separated by commas, semicolons or tabs; nothing where no file is.

    Raises
    ------
    FolderError : it cannot be read, or lacks a column that is needed.
    """
    if not path.exists():
        return []
    try:
        if path.stat().st_size > LARGEST:
            raise FolderError(f"{path.name}: the table has more than {LARGEST >> 20} MB")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FolderError(f"{path.name}: save it as UTF-8 (Excel calls it CSV UTF-8)") from error
    csv.field_size_limit(LARGEST)
    separator = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    titles, lines, start = list[str](), list[Line](), 1
    try:
        for entries in reader:
            place, start = f"{path.name}, line {start}", reader.line_num + 1
            if not any(entry.strip() for entry in entries):
                continue  # a spreadsheet saves lines that were filled once
            if not titles:
                titles = [entry.strip().casefold() for entry in entries]
                continue
            if any(entry.strip() for entry in entries[len(titles) :]):
                raise FolderError(f"{place}: it has more entries than there are titles")
            lines.append(Line(place, {t: plain(e) for t, e in zip(titles, entries, strict=False) if t}))
    except csv.Error as error:
        raise FolderError(f"{path.name}, line {start}: this is no table ({error})") from error
    if missing := [title for title in needed if title not in titles]:
        raise FolderError(
            f"{path.name}, line 1: the column {missing[0]} is missing; a line of titles is needed, with "
            f"{','.join(needed)}, and there is {','.join(filter(None, titles)) or 'none'}"
        )
    return lines


def harmless(entry: str) -> str:
    """Return an entry that no spreadsheet takes for a formula; ``plain`` undoes it."""
    entry = entry.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{entry}" if FORMULA.match(entry) and not NUMBER.fullmatch(entry) else entry


def plain(entry: str) -> str:
    """Return what was written before ``harmless``."""
    return entry[1:] if entry.startswith("'") and FORMULA.match(entry) else entry


def text(lines: Iterable[Mapping[str, Any]], titles: Iterable[str] = ()) -> str:
    """Return a table as the text of a file; points that are not there yet are empty entries.

    Parameters
    ----------
    lines : entries by title.
    titles : those of a table without lines.
    """
    lines = list(lines)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(lines[0] if lines else titles)
    for line in lines:
        shown = (e if isinstance(e, str) else "" if e is None else f"{e:g}" for e in line.values())
        writer.writerow(map(harmless, shown))
    return buffer.getvalue()


def grades(submissions: Iterable[Submission]) -> str:
    """Return one line for each student of the roster and assignment."""
    return text(
        {
            "student": s.student.id,
            "name": s.student.name,
            "assignment": s.assignment.name,
            "status": s.status,
            "late": "late" if s.is_late else "",
            "points": s.points,
            "open": s.open if s.grades else None,
            "possible": s.possible,
            "tasks": "; ".join(f"{task}={p:g}" + "+?" * (waits > 0) for task, (p, waits) in s.tasks.items()),
            "unanswered": " ".join(s.unanswered),
            "reason": "; ".join(s.reasons),
        }
        for s in submissions
    )


def by_task(submissions: Iterable[Submission]) -> str:
    """Return one line for each student, one column for each task, of one assignment."""
    return text(
        {
            "student": s.student.id,
            **{task: s.tasks.get(task, (None, 0))[0] for task in s.assignment.tasks},
            "points": s.points,
            "status": s.status,
        }
        for s in submissions
    )


def moodle(submissions: Iterable[Submission]) -> str:
    """Return a grading worksheet as Moodle reads it; points that are not settled stay empty."""
    return text(
        {
            "Identifier": f"Participant {s.number}" if s.number else "",
            "Full name": s.student.name,
            "Email address": s.student.email,
            "ID number": s.student.id,
            "Grade": s.points if s.is_settled else None,
            "Maximum grade": s.possible,
            "Feedback comments": "; ".join(s.reasons),
        }
        for s in submissions
        if s.student.known
    )


BY_HAND = (
    "assignment", "student", "cell", "possible", "points", "comment", "answer", "rubric", "model answer",
)  # fmt: skip


def by_hand(submissions: Iterable[Submission]) -> str:
    """Return one line for each written answer: fill it, save it beside roster.csv, and grade again."""
    lines = []
    for s in submissions:
        models = {grade_id(c): MARKS.sub("", c.source).strip() for c in s.assignment.written}
        for grade, answer in s.answers():
            rubric, mark, model = models[grade.cell].partition("**Model answer.**")
            rubric = re.sub(r"^\*\*Rubric\.\*\*\s*", "", rubric.strip())
            entries = [s.assignment.name, s.student.id, grade.cell, grade.possible, grade.points]
            entries += [grade.comment, answer, *((rubric, model.strip()) if mark else ("", rubric))]
            lines.append(dict(zip(BY_HAND, entries, strict=True)))
    return text(lines, BY_HAND)


def take_up(submissions: Iterable[Submission], lines: dict[tuple[str, str, str], Line]) -> None:
    """Put what a person gave, by assignment, student and cell, in place of what the grader could not.

    Raises
    ------
    FolderError : the points are no number or too many, or there is nothing to grade.
    """
    left = dict(lines)
    for s in submissions:
        who, written = (s.assignment.name, s.student.id), {grade_id(c) for c in s.assignment.written}
        given = (left.pop((*who, g.cell), None) if g.cell in written else None for g in s.grades)
        s.grades = [_given(g, line) if line else g for g, line in zip(s.grades, given, strict=True)]
    for key, line in left.items():
        raise FolderError(f"{line.place}: there is nothing to grade for {' '.join(key)}")


def _given(grade: Grade, line: Line) -> Grade:
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
