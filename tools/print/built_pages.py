"""The pages of the built book, each made part of one document.

Numbers, references and highlighting are Sphinx's and stay. What one page and another both call
`derivation` becomes `1-responsibilities--derivation`, so every link leads where it led.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from bs4 import BeautifulSoup, Tag

HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]
LEAVE_OUT = (
    ".headerlink, script, .d-print-none, .noprint, .page-facts li:has([href*='_downloads']), "
    ".check-line > :not(summary)"
)
POINTS_TO_IDS = ("aria-labelledby", "aria-describedby", "for", "headers")
LETTER = re.compile(r"\\\((\w)\\\)")
URL = re.compile(r"url\(#")
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//")  # http:, mailto:, data:


@dataclass(frozen=True)
class Page:
    """A page of the book: its file as the table of contents names it, and its article."""

    file: str
    article: Tag

    @property
    def name(self) -> str:
        """What it is called within the document."""
        return name_of(self.file)

    @property
    def headings(self) -> list[Tag]:
        """Its headings of all levels, in reading order."""
        return list(self.article.find_all(HEADINGS))

    @property
    def title(self) -> str:
        """Its first heading, with the chapter's number."""
        return text_of(self.headings[0])

    @property
    def sheet(self) -> str:
        """The name of the style of its sheets, which cannot begin with a digit."""
        return f"sheet-{self.name}"


@dataclass(frozen=True)
class Part:
    """Pages under one caption of the table of contents; the first part has none."""

    caption: str
    pages: tuple[Page, ...]


def read_parts(root: Path) -> Iterator[Part]:
    """Yield the parts of the book with the articles of their built pages."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    groups = [("", [toc["root"]])] + [(p["caption"], list(files(p["chapters"]))) for p in toc["parts"]]
    for caption, names in groups:
        yield Part(caption, tuple(read_page(root / "_build/html", name) for name in names))


def files(entries: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the files of a part's entries, those of their sections after them."""
    for entry in entries:
        yield entry["file"]
        yield from files(entry.get("sections", []))


def name_of(file: str) -> str:
    """Return what a page is called within the document: its file without the book's folder, in one word."""
    return file.removeprefix("book/").replace("/", "-")


def read_page(html: Path, file: str) -> Page:
    """Read the article of a built page."""
    path = html / f"{file}.html"
    article = BeautifulSoup(path.read_bytes(), "html.parser").article
    if article is None or article.find("h1") is None:
        raise ValueError(f"{path} has no article with a heading; build the book anew (make clean book)")
    return Page(file, article)


def prepare(page: Page, names: set[str]) -> None:
    """Make an article part of the whole: links that lead within the document, nothing folded or left out."""
    for tag in page.article.select(LEAVE_OUT):
        tag.decompose()
    for details in page.article.find_all("details"):
        details["open"] = ""
    for math in page.article.select(":is(h1, h2, h3, h4, h5, h6) > span.math"):
        set_plainly(math)
    seen: set[str] = set()
    for tag in page.article.find_all(True):
        if tag.get("id") in seen:
            del tag["id"]  # sphinx-proof calls every proof of a page proof-content; nothing leads there
        seen.add(str(tag.get("id")))
        rename(tag, page.name)
        link(tag, page, names)
    page.article["id"] = page.name
    page.article["class"] = "bd-article print-page"
    page.article["style"] = f"page: {page.sheet}"


def set_plainly(math: Tag) -> None:
    """Set a formula in a heading as text if it is one letter: the outline of a PDF has no formulas."""
    if letter := LETTER.fullmatch(text_of(math)):
        math.name, math.attrs, math.string = "em", {}, letter[1]


def rename(tag: Tag, page: str) -> None:
    """Put the page's name before an element's id and before the ids that its attributes name."""
    for key, value in list(tag.attrs.items()):
        if key == "id":
            tag[key] = f"{page}--{value}"
        elif key in POINTS_TO_IDS:
            tag[key] = " ".join(f"{page}--{name}" for name in str(value).split())
        elif isinstance(value, str) and "url(#" in value:
            tag[key] = URL.sub(f"url(#{page}--", value)


def link(tag: Tag, page: Page, names: set[str]) -> None:
    """Have a link lead within the document, a file's address to the built book; drop what leads elsewhere."""
    folder = posixpath.dirname(page.file)
    if tag.has_attr("src"):
        tag["src"] = address(str(tag["src"]), folder)
    target = str(tag.get("href", ""))
    if not target or ELSEWHERE.match(target):
        return
    path, _, anchor = target.partition("#")
    name = (
        name_of(posixpath.normpath(posixpath.join(folder, path)).removesuffix(".html")) if path else page.name
    )
    if name not in names:
        del tag["href"]
    else:
        tag["href"] = f"#{name}--{anchor}" if anchor else f"#{name}"


def address(source: str, folder: str = "book") -> str:
    """Return where a file is, seen from ``_build/print``, that a page in a folder names ``source``."""
    return (
        source if ELSEWHERE.match(source) else f"../html/{posixpath.normpath(posixpath.join(folder, source))}"
    )


def text_of(tag: Tag) -> str:
    """Return the text of an element on one line."""
    return " ".join(tag.get_text().split())
