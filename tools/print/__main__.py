"""Print the book built in _build/html into the file that is named, a .pdf or an .epub."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Error

import emvae
from tools.print.browser import launched
from tools.print.document import assemble
from tools.print.epub import make_epub
from tools.print.pdf import print_pdf
from tools.print.progress import give_up, tell

ROOT = Path(__file__).resolve().parent.parent.parent
AUTHOR = "The emvae authors"
EDITION = f"Version {emvae.__version__}. Code BSD-3-Clause, text CC BY 4.0."


def main(target: Path) -> None:
    """Write the PDF or the EPUB."""
    document = ROOT / "_build/print/book.html"
    document.parent.mkdir(parents=True, exist_ok=True)
    with launched() as browser:
        document.write_text(assemble(ROOT, author=AUTHOR, edition=EDITION), encoding="utf-8")
        tell("pages put together, formulas being typeset ...")
        make = {".pdf": print_pdf, ".epub": make_epub}[target.suffix]
        content = make(document, browser)
    target.write_bytes(content)
    tell(f"{len(content) / 1e6:.1f} MB: {target}")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except Error as error:  # Playwright's message has many lines; the first says it
        give_up(str(error).splitlines()[0])
