"""The tables that come of a graded folder: for the lecturer, for Moodle, for grading by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from nbformat import NotebookNode

from tools.grading.collecting import Collected, FolderError, Student
from tools.grading.judging import by_task
from tools.grading.nbgraders import Grade
from tools.grading.results import Result
from tools.grading.sources import Assignment, grade_id

GRADES = [
    "student", "name", "assignment", "status", "late", "points", "open", "possible",
    "tasks", "unanswered", "reason",
]  # fmt: skip
BY_HAND = ["assignment", "student", "cell", "possible", "points", "comment", "answer"]


@dataclass(frozen=True)
class Row:
    """One student and assignment: the result, with what a person gave."""

    student: Student
    assignment: Assignment
    result: Result
    late: bool
    grades: list[Grade] = field(default_factory=list)
    notebook: NotebookNode | None = None

    @property
    def tasks(self) -> dict[str, tuple[float, float]]:
        """Points of each task and points that are still open; empty where nothing was graded."""
        return by_task(self.assignment, self.grades) if self.grades else {}

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
    def is_settled(self) -> bool:
        """Tell whether the points can go out: nothing open, nobody has to look."""
        return self.result.status in ("graded", "graded-with-faults") and not self.open

    def answers(self) -> Iterator[tuple[Grade, str]]:
        """Yield the written answers with their grades."""
        written = {grade_id(c) for c in self.assignment.written}
        texts = {grade_id(c): c.source for c in self.notebook.cells} if self.notebook else {}
        for grade in self.grades:
            if grade.cell in written:
                yield grade, texts.get(grade.cell, "")


def rows(
    collected: Collected,
    assignments: dict[str, Assignment],
    done: list[tuple[Result, NotebookNode | None]],
) -> list[Row]:
    """Join results with the roster, the deadlines and what was graded by hand.

    Raises
    ------
    FolderError : by-hand.csv gives points for nothing that was handed in, or too many.
    """
    hand = {(r["assignment"], r["student"], r["cell"]): r for r in collected.by_hand if r["points"].strip()}
    made = []
    for submission, (result, notebook) in zip(collected.submissions, done, strict=True):
        who = submission.assignment, submission.student.student
        grades = [_by_hand(grade, hand.pop((*who, grade.cell), None)) for grade in result.grades]
        file = next((f for f in submission.files if f.name == result.file), None)
        late = collected.is_late(submission, file)
        assignment = assignments[submission.assignment]
        made.append(Row(submission.student, assignment, result, late, grades, notebook))
    if hand:
        raise FolderError(f"by-hand.csv: there is nothing to grade for {' '.join(next(iter(hand)))}")
    return made


def grades_csv(table: Iterable[Row]) -> str:
    """Return one row for each student of the roster and assignment."""
    return _csv(GRADES, map(_grades_row, table))


def plain_csv(table: list[Row]) -> str:
    """Return one row for each student, one column for each task, of one assignment."""
    tasks = list(table[0].assignment.tasks)
    lines = (
        [
            row.student.student,
            *(_number(row.tasks.get(task, (None, 0))[0]) for task in tasks),
            _number(row.points),
            row.result.status,
        ]
        for row in table
    )
    return _csv(["student", *tasks, "points", "status"], lines)


def moodle_csv(table: Iterable[Row]) -> str:
    """Return a grading worksheet as Moodle reads it; points that are not settled stay empty."""
    titles = [
        "Identifier", "Full name", "Email address", "ID number",
        "Grade", "Maximum grade", "Feedback comments",
    ]  # fmt: skip
    lines = (
        [
            f"Participant {row.student.number}" if row.student.number else "",
            row.student.name,
            row.student.email,
            row.student.student,
            _number(row.points) if row.is_settled else "",
            _number(row.possible),
            "; ".join(row.result.reasons),
        ]
        for row in table
        if row.student.known
    )
    return _csv(titles, lines)


def by_hand_csv(table: Iterable[Row]) -> str:
    """Return one row for each written answer: fill it, save it beside roster.csv, and grade again."""
    return _csv(BY_HAND, (line for row in table for line in _by_hand_rows(row)))


def _grades_row(row: Row) -> list[str]:
    tasks = "; ".join(
        f"{task}={given:g}" + ("+?" if waiting else "") for task, (given, waiting) in row.tasks.items()
    )
    return [
        row.student.student,
        row.student.name,
        row.assignment.name,
        row.result.status,
        "late" if row.late else "",
        _number(row.points),
        _number(row.open) if row.grades else "",
        _number(row.possible),
        tasks,
        " ".join(row.result.unanswered),
        "; ".join(row.result.reasons),
    ]


def _by_hand_rows(row: Row) -> Iterator[list[str]]:
    for grade, answer in row.answers():
        if grade.cell not in row.result.unanswered:
            who = [row.assignment.name, row.student.student, grade.cell]
            yield [*who, _number(grade.possible), _number(grade.points), grade.comment, answer]


def _by_hand(grade: Grade, line: dict[str, str] | None) -> Grade:
    """Return a grade with what a person gave in place of what the grader could not."""
    if line is None:
        return grade
    text = line["points"].strip().replace(",", ".")
    try:
        points = float(text)
    except ValueError as error:
        raise FolderError(f"by-hand.csv: {text!r} for {line['student']} {grade.cell} is no number") from error
    if not 0 <= points <= grade.possible:
        raise FolderError(
            f"by-hand.csv: {text} points for {line['student']} {grade.cell}, "
            f"where 0 to {grade.possible:g} are possible"
        )
    return Grade(grade.cell, points, grade.possible, (line.get("comment") or "").strip())


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _csv(titles: list[str], lines: Iterable[list[str]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(titles)
    writer.writerows([_harmless(entry) for entry in line] for line in lines)
    return buffer.getvalue()


def _harmless(entry: str) -> str:
    """Return an entry that no spreadsheet takes for a formula."""
    formula = entry[:1] in ("=", "@") or (entry[:1] in ("+", "-") and not entry[1:2].isdigit())
    return f"'{entry}" if formula else entry
