"""Write what students get: notebook, package with its data, requirements, two lines of install."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from pathlib import Path

import nbformat
from flit_core import buildapi

from tools.grading import names
from tools.grading.judging import Judge
from tools.grading.sources import ROOT, Assignment, SourceError

HOW = """\
{name}

Install (once) and start, with Python 3.11 or newer, in this folder:

    python3 -m venv .venv && .venv/bin/python -m pip install -r requirements.txt
    .venv/bin/jupyter lab {name}.ipynb

On Windows: python -m venv .venv && .venv\\Scripts\\python -m pip install -r requirements.txt
            .venv\\Scripts\\jupyter lab {name}.ipynb

Write your answers where the notebook says YOUR CODE HERE or YOUR ANSWER HERE; cells of your own may stand
anywhere. Before you hand in: Kernel, "Restart Kernel and Run All Cells", save. That stops at the first
check that fails; go on below it with Run, "Run Selected Cell and All Below". Hand in {name}.ipynb, under
this name.
"""


def release(
    assignments: dict[str, Assignment], out: Path, *, book: str, trust: bool, say: Callable[[str], None]
) -> None:
    """Validate assignments by running them, then write their student versions.

    Parameters
    ----------
    assignments : by name.
    out : folder that is written.
    book : address of the published book, to which failing tests link; empty if there is none.
    trust : run without bubblewrap.
    say : is told a line for each assignment.

    Raises
    ------
    SourceError : a model solution does not get all points, or an untouched notebook gets some.
    """
    with ThreadPoolExecutor(2) as pool:
        problems = list(pool.map(lambda a: validate(a, trust=trust), assignments.values()))
    if found := [problem for several in problems for problem in several]:
        raise SourceError("\n".join(found))
    out.mkdir(parents=True, exist_ok=True)
    wheel = build_wheel(out)
    for name, assignment in assignments.items():
        files = contents(assignment, wheel.name, book)
        folder = out / name
        folder.mkdir(exist_ok=True)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8", newline="\n")
        _zip(
            out / f"{name}.zip",
            name,
            {f: t.encode() for f, t in files.items()} | {wheel.name: wheel.read_bytes()},
        )
        say(f"{name}.zip: {sum(assignment.tasks.values()):g} points, {len(assignment.tests)} test cells")


def validate(assignment: Assignment, *, trust: bool) -> list[str]:
    """Return what is wrong with an assignment: the model solution must get all, no answer nothing."""
    with Judge(assignment, trust=trust) as judge:
        solved, untouched = judge.mark(assignment.model), judge.mark(assignment.release)
    found = [f"{assignment.name}: {fault}" for fault in [*solved.faults, *solved.attention]]
    for test, why in solved.verdicts.items():
        if why:
            found.append(f"{assignment.name}: the model solution fails {test}: {why}")
        if not untouched.verdicts[test]:
            found.append(f"{assignment.name}: {test} passes though nothing was answered")
    return found


def contents(assignment: Assignment, wheel: str, book: str) -> dict[str, str]:
    """Return the files of a release by name, without the package."""
    imported = [names.imported(names.tree(c.source)) for c in assignment.source.cells]
    used = {full.partition(".")[0] for found in imported for full in found.values()}
    torch = "[torch]" if "torch" in used else ""
    packages = [f"./{wheel}{torch}", "jupyterlab>=4.2", *(["scipy>=1.13"] if "scipy" in used else [])]
    files = {
        f"{assignment.name}.ipynb": nbformat.writes(assignment.release) + "\n",
        "requirements.txt": "\n".join(packages) + "\n",
        "README.txt": HOW.format(name=assignment.name),
    }
    return files | ({"book-address.txt": book + "\n"} if book else {})


def build_wheel(out: Path) -> Path:
    """Build the package, data included."""
    os.environ.setdefault("SOURCE_DATE_EPOCH", "1767225600")  # the same bytes whenever it is built
    with chdir(ROOT):
        name = buildapi.build_wheel(str(out.resolve()))
    (out / name).chmod(0o644)  # flit leaves it to its maker alone
    return out / name


def _zip(path: Path, folder: str, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(f"{folder}/{name}", (2026, 1, 1, 0, 0, 0)), data)
