"""Write emvae/data/equations.json: where each labelled equation of the book stands, as a reader sees it.

The test cells of the assignments say "(1.11), section 1.2.4", on a student's machine that has no book.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "emvae" / "data" / "equations.json"
sys.path.insert(0, str(ROOT / "book" / "_ext"))

from book_pages import Page, files_of_toc, read_page  # noqa: E402 - the path to it is set above

FENCED = re.compile(r"^(?P<fence>`{3,}|:{3,}).*?^(?P=fence)[ \t]*$", re.M | re.S)
HEADING = re.compile(r"^(#{1,6}) ", re.M)


def text() -> str:
    """Return the content of the file, as the book's sources say it now."""
    lines = [
        f"{json.dumps(label)}: {json.dumps({'page': page, 'number': number, 'section': section})}"
        for chapter, page in enumerate(chapters(ROOT), start=1)
        for label, number, section in equations(read_page(ROOT, page), chapter)
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def chapters(root: Path) -> Iterator[str]:
    """Yield the pages that the table of contents numbers, in reading order."""
    contents = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    yield from files_of_toc([part for part in contents["parts"] if part.get("numbered")])


def equations(page: Page, chapter: int) -> Iterator[tuple[str, str, str]]:
    """Yield the label of each of a chapter's equations, its number and its section, as Sphinx counts them."""
    sections = list(sections_of(page.prose, chapter))
    for n, (place, label) in enumerate(page.placed_equations, start=1):
        yield label, f"{chapter}.{n}", [section for start, section in sections if start < place][-1]


def sections_of(prose: str, chapter: int) -> Iterator[tuple[int, str]]:
    """Yield where each section of a chapter begins, and its number; the title has that of the chapter."""
    counts = [chapter]
    for heading in HEADING.finditer(FENCED.sub(lambda block: block[0].replace("#", " "), prose)):
        depth = len(heading[1])
        counts = [*counts[:depth], *[0] * (depth - len(counts))]
        counts[-1] += depth > 1
        yield heading.start(), ".".join(map(str, counts))


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
