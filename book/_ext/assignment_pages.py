"""Shows an assignment as students get it: its source is read, its released form becomes the page.

Nothing of solutions and hidden tests reaches the built book, neither its pages nor the sources that Sphinx
copies beside them for download.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nbformat
from book_pages import ASSIGNMENTS
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # jupyter-book starts elsewhere

from tools.grading.sources import Assignment


def released(name: str, text: str) -> str:
    """Return the released form of a source, as the text of a notebook.

    Parameters
    ----------
    name : of the assignment.
    text : the source's.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.ipynb"
        path.write_text(text, encoding="utf-8")
        return nbformat.writes(Assignment.read(path).release) + "\n"


def show(app: Sphinx, page: str, content: list[str]) -> None:
    """Replace a page's text, if it is an assignment's, before Sphinx parses it."""
    if page.startswith(ASSIGNMENTS):
        content[0] = released(Path(page).name, content[0])


def replace_copies(app: Sphinx, error: Exception | None) -> None:
    """Replace the copies of sources that the built book offers for download."""
    for copy in Path(app.outdir, "_sources", ASSIGNMENTS).rglob("*.ipynb"):
        copy.write_text(released(copy.stem, copy.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register both."""
    app.connect("source-read", show)
    app.connect("build-finished", replace_copies)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
