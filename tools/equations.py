"""Write emvae/data/equations.json: on which page each labelled equation of the book stands.

The test cells of the assignments link to equations, on a student's machine that has no book.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "emvae" / "data" / "equations.json"
sys.path.insert(0, str(ROOT / "book" / "_ext"))

from book_pages import read_book  # noqa: E402 - the path to it is set above


def text() -> str:
    """Return the content of the file, as the book's sources say it now."""
    pages = {label: page.name for page in read_book(ROOT) for label in page.equations}
    return json.dumps(pages, indent=0) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
