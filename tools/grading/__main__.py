"""Assignments: try one, release all, grade a folder of submissions."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from tools.grading import collecting, pages, release, sandbox, students, tables
from tools.grading.batch import Batch, write
from tools.grading.collecting import RESULTS, FolderError
from tools.grading.judging import Judge, by_task, names_of_all
from tools.grading.sandbox import Limits, NoSandboxError
from tools.grading.sources import Assignment, SourceError, read_all


def attempt(name: str, answers: Path | None, *, trust: bool) -> int:
    """Grade the model solution, or a file of answers, and print what a student would get."""
    (assignment,) = read_all([name]).values()
    wrote = students.Answers.read(answers) if answers else None
    marked = Judge(assignment, trust=trust).mark(students.notebook(assignment, wrote))
    for grade in marked.grades:
        points = "by hand" if grade.points is None else f"{grade.points:g}"
        print(f"{points:>8} of {grade.possible:g}  {grade.cell}")
        if why := marked.verdicts.get(grade.cell):
            print("            " + why.replace("\n", "\n            "))
    for title, sentences in (("fault", marked.faults), ("attention", marked.attention)):
        for sentence in sentences:
            print(f"{title}: {sentence}")
    for part, (given, waiting) in by_task(assignment, marked.grades).items():
        print(f"task {part}: {given:g} of {assignment.tasks[part]:g}, {waiting:g} open")
    if wrote is None:
        return int(any(marked.verdicts.values()))
    failed = {test for test, why in marked.verdicts.items() if why}
    for test in sorted(failed ^ wrote.fails):
        print(f"NOT AS FAILS SAYS: {test} {'fails' if test in failed else 'passes'}")
    return int(failed != wrote.fails)


def grade(
    folder: Path,
    assignments: dict[str, Assignment],
    *,
    limits: Limits | None = None,
    trust: bool = False,
    others: dict[str, set[str]] | None = None,
) -> list[tables.Row]:
    """Grade a folder and write into its folder of results; return the rows of the table."""
    collected = collecting.collect(folder, list(assignments))
    out = folder / RESULTS
    batch = Batch(collected, assignments, out / ".kept", limits or Limits(), trust, others)
    table = tables.rows(collected, assignments, batch.grade(lambda line: print(line, flush=True)))
    write(out / "grades.csv", tables.grades_csv(table))
    write(out / "by-hand.csv", tables.by_hand_csv(table))
    for name, rows in groupby(table, key=lambda row: row.assignment.name):
        part = list(rows)
        write(out / f"{name}.csv", tables.plain_csv(part))
        write(out / f"{name}-moodle.csv", tables.moodle_csv(part))
    for row in table:
        if row.grades:
            write(out / "feedback" / pages.file_name(row), pages.feedback(row))
    write(out / "report.html", pages.report(table))
    return table


def summary(table: Iterable[tables.Row], out: Path) -> str:
    """Return the last lines that the lecturer sees."""
    statuses = [row.result.status for row in table]
    counts = ", ".join(f"{statuses.count(s)} {s}" for s in pages.ORDER if s in statuses)
    return f"{counts}\nOpen {out / 'report.html'} in a browser; grades.csv and feedback/ lie beside it"


def main(arguments: list[str]) -> int:
    """Carry out one command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.grading", description=__doc__)
    parser.add_argument("--trust", action="store_true", help="do without bubblewrap: for your own code only")
    parser.add_argument("--book", default="", help="address of the published book, for links in messages")
    commands = parser.add_subparsers(dest="command", required=True)
    trying = commands.add_parser("try", help="grade the model solution, or a file of answers")
    trying.add_argument("assignment")
    trying.add_argument("answers", type=Path, nargs="?")
    releasing = commands.add_parser("release", help="validate assignments and write what students get")
    releasing.add_argument("--out", type=Path, default=Path("release"))
    releasing.add_argument("assignments", nargs="*")
    grading = commands.add_parser("grade", help="grade a folder of submissions")
    grading.add_argument("folder", type=Path)
    given = parser.parse_args(arguments)
    os.environ["EMVAE_BOOK"] = given.book
    try:
        if not given.trust:
            sandbox.check()
        if given.command == "try":
            return attempt(given.assignment, given.answers, trust=given.trust)
        if given.command == "release":
            chosen = read_all(given.assignments)
            release.release(chosen, given.out, book=given.book, trust=given.trust, say=print)
        else:
            table = grade(given.folder, read_all(), trust=given.trust, others=names_of_all())
            print(summary(table, given.folder / RESULTS))
    except (SourceError, FolderError, NoSandboxError, ValueError) as error:
        print(f"emvae: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
