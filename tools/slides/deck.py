r"""A deck is a list of references into a chapter; its slides are made of what the built page shows there.

A file ``book/slides/<chapter>.yml`` is a list, one entry a slide: what the slide shows, or a mapping::

    - fig-em-cycle                          # a figure, live or not: its claim is the title
    - title: Two problems instead of one    # otherwise the claim, the theorem's name, the heading
      show: [eq-gmm-split, def-gmm-counts]
      lines: ["At most three short lines, $\\pi_k$ as on the page."]
      say: One line for the speaker.
    - question: Which half-step ...         # the beginning of a quick question; its answer comes at a key
    - code: em                              # the listing that holds "def em("
    - sheet: Problem                        # what the page quotes in the section of that heading
    - list: Problem                         # the first list of that section

What a speaker sees besides is the chapter's own prose: the caption, or the paragraphs around an equation.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from bs4 import BeautifulSoup, Tag

HEADINGS = ["h2", "h3", "h4"]
KEYS = {"title", "show", "lines", "say", "question", "code", "sheet", "list"}
LEAVE_OUT = ".headerlink, script, .check-line, .copybtn, .zoom"
FORMULA = re.compile(r"\$([^$]+)\$")
# What ends the sentence in which a formula stands.
LAST_STOP = re.compile(r"\s*[,.;]\s*((?:\\end\{\w+\}\s*)*\\\])")


@dataclass(frozen=True)
class Slide:
    """One slide: HTML of its title, its content and its notes, and the section that it comes from."""

    title: str
    content: str
    notes: str
    section: str
    address: str
    kind: str = field(default="text")


def read_entries(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a deck as mappings; refuse a key that nobody reads."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    mappings = [entry if isinstance(entry, dict) else {"show": [entry]} for entry in entries]
    for number, entry in enumerate(mappings, 1):
        if unknown := entry.keys() - KEYS:
            known = ", ".join(sorted(KEYS))
            raise ValueError(f"{path}, slide {number}: {sorted(unknown)[0]!r} is none of {known}")
        if isinstance(entry.get("show"), str):
            entry["show"] = [entry["show"]]
    return mappings


def labels_of(entries: Iterable[dict[str, Any]]) -> list[str]:
    """Return the labels to which a deck refers."""
    return [label for entry in entries for label in entry.get("show", [])]


class Chapter:
    """The article of a built page, asked for its parts."""

    def __init__(self, html: bytes, address: str):
        page = BeautifulSoup(html, "html.parser")
        if page.article is None or page.article.h1 is None:
            raise ValueError(f"{address} has no article with a heading: build the book first (make book)")
        self.article, self.top = page.article, page.article.h1
        self.address = address
        self.scripts = [str(tag) for tag in page.select("head script") if is_needed(tag)]
        self.title = plain(self.top)

    def labelled(self, label: str) -> Tag:
        """Return what a label names: an equation, a figure, a theorem or an algorithm."""
        found = self.article.find(id=f"equation-{label}") or self.article.find(id=label)
        return found if isinstance(found, Tag) else missing(f"label {label!r}")

    def question(self, beginning: str) -> Tag:
        """Return the quick question that begins so."""
        for tag in self.article.select("fieldset.question"):
            if plain(tag.legend).startswith(beginning):
                return tag
        return missing(f"question that begins with {beginning!r}")

    def listing(self, name: str) -> Tag:
        """Return the first listing that defines a function, or else holds the words."""
        listings = self.article.select(".cell_input pre, .highlight-python pre, .highlight-ipython3 pre")
        for words in (f"def {name}(", name):
            for tag in listings:
                if words in tag.get_text():
                    return tag
        return missing(f"listing of {name!r}")

    def within(self, heading: str, selector: str) -> Tag:
        """Return the first element of a kind in the section that a heading begins."""
        for tag in self.article.find_all(HEADINGS):
            if plain(tag) == heading and tag.parent and (found := tag.parent.select_one(selector)):
                return found
        return missing(f"section {heading!r} that has such a part")

    def heading(self, tag: Tag) -> Tag:
        """Return the heading under which an element stands."""
        found = tag.find_previous(["h1", *HEADINGS])
        return found if isinstance(found, Tag) else self.top


def missing(what: str) -> Tag:
    """Say what a chapter lacks."""
    raise ValueError(f"the page has no {what}: change the deck, or build the book anew (make book)")


def is_needed(script: Tag) -> bool:
    """Tell the scripts of formulas and of live figures from the theme's."""
    source = str(script.get("src", ""))
    return "/mathjax/" in source or "/live/" in source or "window.MathJax" in script.get_text()


def plain(tag: Tag | None) -> str:
    """Return the text of an element without number and link mark."""
    if tag is None:
        return ""
    return inner(tag, leave_out=f"{LEAVE_OUT}, .section-number, .caption-number", text=True)


def inner(tag: Tag, *, leave_out: str = LEAVE_OUT, text: bool = False) -> str:
    """Return what an element holds, as HTML or as text: links become their words, ids go."""
    clean = cleaned(tag, leave_out)
    return " ".join(clean.get_text().split()) if text else clean.decode_contents().strip()


def outer(tag: Tag) -> str:
    """Return an element as HTML, links and ids gone."""
    return str(cleaned(tag, LEAVE_OUT))


def cleaned(tag: Tag, leave_out: str) -> Tag:
    """Return a copy without what belongs to the page alone."""
    clean = copy.copy(tag)
    for part in clean.select(leave_out):
        part.decompose()
    for link in clean.find_all("a"):
        link.unwrap()
    for part in [clean, *clean.find_all(id=True)]:
        part.attrs.pop("id", None)
    return clean


def slides(chapter: Chapter, entries: list[dict[str, Any]]) -> Iterator[Slide]:
    """Yield the slides of a deck; a reference that leads nowhere names its slide."""
    for number, entry in enumerate(entries, 1):
        try:
            yield make_slide(chapter, entry)
        except ValueError as error:
            raise ValueError(f"slide {number}: {error}") from error


def make_slide(chapter: Chapter, entry: dict[str, Any]) -> Slide:
    """Make one slide of what its entry names."""
    tags, kind = parts(chapter, entry)
    at = tags[0] if tags else chapter.top
    above = chapter.heading(at)
    title = set_formulas(entry["title"]) if "title" in entry else claim(at) or inner_title(above)
    content = "".join(shown(tag, kind) for tag in tags)
    lines = "".join(f"<li>{set_formulas(line)}</li>" for line in entry.get("lines", []))
    spoken = f"<p><strong>{set_formulas(entry['say'])}</strong></p>" if "say" in entry else ""
    place = above.find_parent("section")
    return Slide(
        title=title.removesuffix("."),
        content=content + (f"<ul>{lines}</ul>" if lines else ""),
        notes=spoken + "".join(notes(tags, kind)),
        section=section_of(above, chapter),
        address=f"{chapter.address}#{place['id']}" if place and place.get("id") else chapter.address,
        kind=kind,
    )


def parts(chapter: Chapter, entry: dict[str, Any]) -> tuple[list[Tag], str]:
    """Return what an entry shows, and its kind, which the style sheet knows."""
    if "question" in entry:
        return [chapter.question(entry["question"])], "question"
    if "code" in entry:
        return [chapter.listing(entry["code"])], "code"
    if "sheet" in entry:
        return [chapter.within(entry["sheet"], "blockquote, .sheet")], "sheet"
    if "list" in entry:
        return [chapter.within(entry["list"], "ul, ol")], "list"
    tags = [chapter.labelled(label) for label in entry.get("show", [])]
    if not tags:
        return tags, "text"
    if "live" in classes(tags[0]):
        return tags, "live"
    return tags, {"figure": "picture"}.get(tags[0].name, "formula")


def claim(tag: Tag) -> str:
    """Return the sentence that an element itself puts first: claim, theorem's name or question."""
    if tag.name == "figure":
        strong = tag.select_one("figcaption strong")
        return inner(strong) if strong else ""
    if tag.name == "fieldset" and tag.legend:
        return inner(tag.legend)
    name = tag.select_one(".admonition-title") if "proof" in classes(tag) else None
    return inner(name, leave_out=f"{LEAVE_OUT}, .caption-number").strip("() ") if name else ""


def inner_title(heading: Tag) -> str:
    """Return a heading without its number."""
    return inner(heading, leave_out=f"{LEAVE_OUT}, .section-number")


def section_of(heading: Tag, chapter: Chapter) -> str:
    """Return where in the book a slide comes from: the section's number, or else the chapter's title."""
    number = heading.select_one(".section-number")
    word = "Chapter" if heading.name == "h1" else "Section"
    return f"{word} {number.get_text(strip=True).rstrip('.')}" if number else chapter.title


def shown(tag: Tag, kind: str) -> str:
    """Return an element as a slide shows it."""
    if kind == "question":
        options = "".join(outer(part) for part in tag.select("ol"))
        why = "".join(outer(part) for part in tag.select(".answer > p"))
        return f'{options}<div class="fragment answer">{why}</div>'
    if kind == "code":
        return f'<div class="highlight">{outer(tag)}</div>'
    content = str(cleaned(tag, f"{LEAVE_OUT}, figcaption, .admonition-title"))
    return LAST_STOP.sub(r"\1", content) if "math" in classes(tag) else content


def notes(tags: list[Tag], kind: str) -> Iterator[str]:
    """Yield what the chapter says about what is shown: a caption, or the paragraphs before and after."""
    for tag in tags:
        if caption := tag.select_one("figcaption .caption-text"):
            yield f"<p>{inner(caption)}</p>"
    if tags and kind in {"formula", "code", "live", "picture"}:
        first, last = block(tags[0]), block(tags[-1])
        around = [first.find_previous_sibling(), None if kind == "picture" else last.find_next_sibling()]
        yield from (outer(tag) for tag in around if tag is not None and tag.name == "p")


def block(tag: Tag) -> Tag:
    """Return the block of the page that an element is or stands in: a cell, a theorem, itself."""
    return tag.find_parent(class_="cell") or tag.find_parent(class_="proof") or tag


def classes(tag: Tag) -> list[str]:
    """Return the classes of an element."""
    return tag.get_attribute_list("class")


def set_formulas(text: str) -> str:
    """Return a line of a deck as HTML, its formulas as MathJax reads them."""
    return FORMULA.sub(lambda found: rf'<span class="math">\({found[1]}\)</span>', text)
