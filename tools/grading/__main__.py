"""Commands: try an assignment, release all, grade a folder. ``python -m tools.grading --help`` lists them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.grading import sandbox, students
from tools.grading.judging import Judge, by_task
from tools.grading.sources import SourceError, read_all


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


def main(arguments: list[str]) -> int:
    """Carry out one command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.grading", description=__doc__)
    parser.add_argument("--trust", action="store_true", help="do without bubblewrap: for your own code only")
    commands = parser.add_subparsers(dest="command", required=True)
    trying = commands.add_parser("try", help="grade the model solution, or a file of answers")
    trying.add_argument("assignment")
    trying.add_argument("answers", type=Path, nargs="?")
    given = parser.parse_args(arguments)
    try:
        if not given.trust:
            sandbox.check()
        return attempt(given.assignment, given.answers, trust=given.trust)
    except (SourceError, sandbox.NoSandboxError, ValueError) as error:
        print(f"emvae: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
