"""Assignments: try one, release all, grade a folder of submissions."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tools.grading import answer_files, collecting, pages, release, sandbox, tables
from tools.grading.batch import Batch, write
from tools.grading.collecting import RESULTS
from tools.grading.judging import Judge
from tools.grading.sandbox import Limits, NoSandboxError
from tools.grading.sources import ROOT, Assignment, SourceError, read_all
from tools.grading.submissions import Submission
from tools.grading.tables import FolderError


def attempt(name: str, answers: Path | None, *, trust: bool) -> int:
    """Grade the model solution, or a file of answers, and print what a student would get."""
    (assignment,) = read_all([name]).values()
    wrote = answer_files.Answers.read(answers) if answers else None
    with Judge(assignment, trust=trust) as judge:
        found = judge.mark(answer_files.notebook(assignment, wrote))
    for grade in found.grades:
        points = "by hand" if grade.points is None else f"{grade.points:g}"
        print(f"{points:>8} of {grade.possible:g}  {grade.cell}")
        if why := found.verdicts.get(grade.cell):
            print("            " + why.replace("\n", "\n            "))
    for title, sentences in (("fault", found.faults), ("attention", found.attention)):
        for sentence in sentences:
            print(f"{title}: {sentence}")
    for part, (given, waiting) in found.tasks.items():
        print(f"task {part}: {given:g} of {assignment.tasks[part]:g}, {waiting:g} open")
    failed = {test for test, why in found.verdicts.items() if why}
    expected = wrote.fails if wrote else frozenset()
    for test in sorted(failed ^ expected):
        print(f"NOT AS FAILS SAYS: {test} {'fails' if test in failed else 'passes'}")
    return int(failed != expected)


def grade(
    folder: Path,
    assignments: dict[str, Assignment],
    *,
    limits: Limits | None = None,
    trust: bool = False,
    say: Callable[[str], None] = print,
    share: tuple[int, int] | None = None,
) -> list[Submission]:
    """Grade a folder and write into its folder of results; return what each submission came to.

    A share (k, n) is every n-th submission from the k-th on: its results are kept, nothing else is written,
    so that several machines can grade one folder. A last call without a share finds all of them and goes on.

    Raises
    ------
    FolderError : the folder or a table in it is not as it should be, or a table of results cannot be made.
    OSError : results cannot be written.
    """
    collected = collecting.collect(folder, assignments)
    out = folder / RESULTS
    batch = Batch(assignments, out / ".kept", limits or Limits(), trust)
    if share is not None:
        k, n = share
        return batch.grade(collected.submissions[k - 1 :: n], say, lock=f"lock-{k}-{n}")
    results = batch.grade(collected.submissions, say)
    tables.take_up(results, collected.by_hand)
    graded = {out / "feedback" / pages.file_name(found): found for found in results if found.grades}
    for path, found in graded.items():
        if problem := _write(path, pages.feedback, found):
            found.attention.insert(0, problem)
    for path in {*(out / "feedback").glob("*/*.html")} - graded.keys():
        path.unlink()  # of a submission that was withdrawn
    made: list[tuple[str, Callable[[Any], str], Any]] = [
        ("grades.csv", tables.grades, results),
        ("by-hand.csv", tables.by_hand, results),
        ("report.html", pages.report, results),
    ]
    for name in dict.fromkeys(found.assignment.name for found in results):
        part = [found for found in results if found.assignment.name == name]
        made += [(f"{name}.csv", tables.by_task, part), (f"{name}-moodle.csv", tables.moodle, part)]
    if problems := [why for name, make, part in made if (why := _write(out / name, make, part))]:
        raise FolderError("\n".join(problems))
    return results


def _write(path: Path, make: Callable[[Any], str], what: Any) -> str:
    """Write a table or a page; where it cannot be made, say why and leave the others to be written."""
    try:
        text = make(what)
    except Exception as error:
        return f"{path.name} could not be written: {type(error).__name__}: {str(error)[:200]}"
    write(path, text)
    return ""


def _share(text: str) -> tuple[int, int]:
    """Read k/n."""
    share, _, shares = text.partition("/")
    if not (share.isdecimal() and shares.isdecimal() and 1 <= int(share) <= int(shares)):
        raise argparse.ArgumentTypeError(f"{text} is no share: write 3/20 for the third of twenty")
    return int(share), int(shares)


def summary(results: Iterable[Submission], out: Path) -> str:
    """Return the last lines that the lecturer sees."""
    statuses = [found.status for found in results]
    counts = ", ".join(f"{statuses.count(s)} {s}" for s in pages.ORDER if s in statuses)
    return f"{counts}\nOpen {out / 'report.html'} in a browser; grades.csv and feedback/ lie beside it"


def check_package() -> None:
    """Refuse to go on where kernels would run another tree's package than this command's.

    Raises
    ------
    NoSandboxError : the environment's ``emvae`` lies elsewhere, or there is none.
    """
    code = "from importlib.util import find_spec as f; s = f('emvae'); print(s and s.origin or '')"
    found = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60)
    ours, theirs = ROOT / "emvae" / "__init__.py", found.stdout.strip()
    if not theirs or Path(theirs).resolve() != ours.resolve():
        raise NoSandboxError(
            f"submissions would run with {theirs or 'no emvae at all'}, not with this tree's {ours}: "
            "install this tree there (python -m pip install -e .), or call its own .venv/bin/python"
        )


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


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
    grading.add_argument(
        "--share", type=_share, help="3/20: every 20th submission from the 3rd on, no tables"
    )
    given = parser.parse_args(arguments)
    if given.book or given.command != "try":  # who tries has the book that was built here, students do not
        os.environ["EMVAE_BOOK"] = given.book
    try:
        check_package()
        if not given.trust:
            sandbox.check()
        if given.command == "try":
            return attempt(given.assignment, given.answers, trust=given.trust)
        if given.command == "release":
            chosen = read_all(given.assignments)
            release.release(chosen, given.out, book=given.book, trust=given.trust, say=say)
        else:
            results = grade(given.folder, read_all(), trust=given.trust, say=say, share=given.share)
            done = "this share is graded: when all are, the same command without a share writes the tables"
            say(done if given.share else summary(results, given.folder / RESULTS))
    except (SourceError, FolderError, NoSandboxError, ValueError) as error:
        print(f"emvae: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"emvae: {place}{error.strerror}; mend that and run it again, it goes on", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
