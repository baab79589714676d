"""What stands before the first page of the book: its cover and its contents."""

from __future__ import annotations

import re
from html import escape

from bs4 import Tag

from tools.print.built_pages import Page, Part, text_of

LEVELS = 2  # of headings that the contents list; the outline has all
NUMBER = re.compile(r"([\d.]+)\.\s+(.*)", re.DOTALL)


def cover(front: Page, edition: str) -> str:
    """Return the cover: title and first words of the landing page, and its picture without the caption."""
    strap, picture = front.article.select_one("p strong"), front.article.select_one("figure img")
    shown = f'<img src="{picture["src"]}" alt="">' if picture else ""
    return (
        f'<section class="print-cover"><p class="print-title">{escape(front.title)}</p>'
        f'<p class="print-strap">{escape(text_of(strap)) if strap else ""}</p>{shown}'
        f'<p class="print-edition">{escape(edition)}</p></section>'
    )


def contents(parts: list[Part]) -> str:
    """Return the table of contents, whose page numbers are filled in when they are known."""
    lines = []
    for part in parts:
        lines += [f'<p class="print-part">{escape(part.caption)}</p>'] if part.caption else []
        lines += [entry(heading) for page in part.pages for heading in page.headings if listed(heading)]
    return '<nav class="print-contents"><h1>Contents</h1>\n' + "\n".join(lines) + "\n</nav>"


def listed(heading: Tag) -> bool:
    """Tell whether the contents have a heading."""
    return int(heading.name[1]) <= LEVELS


def entry(heading: Tag) -> str:
    """Return a heading's line in the contents."""
    anchor = heading.find_parent(id=True)
    if anchor is None:
        raise ValueError(f"the heading {text_of(heading)!r} has no section with an id to link to")
    html = heading.decode_contents()
    if section := heading.select_one(".section-number"):
        html = html.replace(str(section), text_of(section) + " ")
    number, text = found.groups() if (found := NUMBER.match(html)) else ("", html)
    return (
        f'<p class="print-{heading.name}"><a href="#{anchor["id"]}">'
        f'<span class="print-number">{number}</span><span class="print-text">{text}</span>'
        '<span class="print-at"></span></a></p>'
    )
