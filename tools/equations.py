"""Write emvae/data/equations.json: where each labelled equation of the book stands, as a reader sees it.

The test cells of the assignments say "(1.11), section 1.2.4", on a student's machine that has no book.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "emvae" / "data" / "equations.json"
sys.path.insert(0, str(ROOT / "book" / "_ext"))

from book_pages import Page, files_of_toc, read_page  # noqa: E402 - the path to it is set above


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
    section, n = [chapter], 0  # the title has the number of the chapter
    for block in page.blocks:
        if block.kind == "heading":
            section = [*section[: block.level], *[0] * (block.level - len(section))]
            section[-1] += block.level > 1
        elif block.is_equation:
            n += 1
            yield block.label, f"{chapter}.{n}", ".".join(map(str, section))


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
