"""The tables that come of a graded folder: for the lecturer, for Moodle, for grading by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tools.grading import csv_tables
from tools.grading.csv_tables import number
from tools.grading.results import Result
from tools.grading.sources import MARKS, grade_id

GRADES = [
    "student", "name", "assignment", "status", "late", "points", "open", "possible",
    "tasks", "unanswered", "reason",
]  # fmt: skip
BY_HAND = [
    "assignment",
    "student",
    "cell",
    "possible",
    "points",
    "comment",
    "answer",
    "rubric",
    "model answer",
]
MOODLE = [
    "Identifier", "Full name", "Email address", "ID number",
    "Grade", "Maximum grade", "Feedback comments",
]  # fmt: skip


def grades(results: Iterable[Result]) -> str:
    """Return one line for each student of the roster and assignment."""
    return csv_tables.text(GRADES, map(_grades, results))


def by_task(results: list[Result]) -> str:
    """Return one line for each student, one column for each task, of one assignment."""
    tasks = list(results[0].submission.assignment.tasks)
    lines = (
        [
            r.submission.student.student,
            *(number(r.tasks.get(task, (None, 0))[0]) for task in tasks),
            number(r.points),
            r.status,
        ]
        for r in results
    )
    return csv_tables.text(["student", *tasks, "points", "status"], lines)


def moodle(results: Iterable[Result]) -> str:
    """Return a grading worksheet as Moodle reads it; points that are not settled stay empty."""
    lines = (
        [
            f"Participant {r.submission.number}" if r.submission.number else "",
            r.submission.student.name,
            r.submission.student.email,
            r.submission.student.student,
            number(r.points) if r.is_settled else "",
            number(r.possible),
            "; ".join(r.reasons),
        ]
        for r in results
        if r.submission.student.known
    )
    return csv_tables.text(MOODLE, lines)


def by_hand(results: Iterable[Result]) -> str:
    """Return one line for each written answer: fill it, save it beside roster.csv, and grade again."""
    return csv_tables.text(BY_HAND, (line for result in results for line in _by_hand(result)))


def _grades(result: Result) -> list[str]:
    tasks = (
        f"{task}={given:g}" + ("+?" if waiting else "") for task, (given, waiting) in result.tasks.items()
    )
    return [
        result.submission.student.student,
        result.submission.student.name,
        result.submission.assignment.name,
        result.status,
        "late" if result.is_late else "",
        number(result.points),
        number(result.open) if result.grades else "",
        number(result.possible),
        "; ".join(tasks),
        " ".join(result.unanswered),
        "; ".join(result.reasons),
    ]


def _by_hand(result: Result) -> Iterator[list[str]]:
    models = {grade_id(c): MARKS.sub("", c.source).strip() for c in result.submission.assignment.written}
    for grade, answer in result.answers():
        rubric, mark, model = models[grade.cell].partition("**Model answer.**")
        who = [result.submission.assignment.name, result.submission.student.student, grade.cell]
        yield [
            *(*who, number(grade.possible), number(grade.points), grade.comment, answer),
            *((re.sub(r"^\*\*Rubric\.\*\*\s*", "", rubric.strip()), model.strip()) if mark else ("", rubric)),
        ]
