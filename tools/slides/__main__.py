"""Write the slides of the chapters beside the built book: a page for each deck, nothing from elsewhere."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path

import jinja2
import yaml

from tools.slides.deck import Chapter, read_entries, slides

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).parent
DECKS = ROOT / "book" / "slides"
REVEAL = ("dist/reveal.js", "dist/reveal.css", "plugin/notes/notes.js", "LICENSE")


def copy_files(target: Path) -> None:
    """Put reveal.js, which the package sphinx-revealjs carries, and our style and script beside the decks."""
    source = resources.files("sphinx_revealjs") / "_static" / "revealjs"
    (target / "reveal").mkdir(parents=True, exist_ok=True)
    for name in REVEAL:
        (target / "reveal" / Path(name).name).write_bytes((source / name).read_bytes())
    for name in ("slides.css", "slides.js"):
        (target / name).write_bytes((HERE / name).read_bytes())


def write_deck(path: Path, html: Path) -> Path:
    """Write the deck of one file."""
    name = path.stem
    chapter = Chapter((html / "book" / f"{name}.html").read_bytes(), f"../book/{name}.html")
    try:
        made = list(slides(chapter, read_entries(path)))
    except ValueError as error:
        raise SystemExit(f"emvae: book/slides/{path.name}, {error}") from error
    template = jinja2.Template((HERE / "deck.html").read_text(encoding="utf-8"))
    course = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["title"]
    target = html / "slides" / f"{name}.html"
    text = template.render(
        title=chapter.title, course=course, scripts=chapter.scripts, slides=made, address=chapter.address
    )
    target.write_text(text + "\n", encoding="utf-8")
    return target


def main(html: Path, names: list[str]) -> None:
    """Write all decks, or those that are named."""
    copy_files(html / "slides")
    paths = sorted(DECKS.glob("*.yml")) if not names else [DECKS / f"{name}.yml" for name in names]
    for path in paths:
        print(f"Slides: {write_deck(path, html)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "_build" / "html", sys.argv[2:])
