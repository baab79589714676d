"""The built book as one HTML document to print: cover, contents, then the pages in reading order."""

from __future__ import annotations

import itertools
import re
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup, Tag

from tools.print.built_pages import Page, Part, address, prepare, read_parts
from tools.print.front import contents, cover

MATHJAX = re.compile(r"mathjax", re.IGNORECASE)


def assemble(root: Path, *, author: str, edition: str) -> str:
    """Return the document of the book built in ``root/_build/html``, to be saved in ``root/_build/print``.

    Parameters
    ----------
    root : the repository, whose ``_toc.yml`` gives order and parts.
    author, edition : who wrote it, and a line on this edition, for the foot of the cover.
    """
    parts = list(read_parts(root))
    names = {page.name for part in parts for page in part.pages}
    for part in parts:
        for page in part.pages:
            prepare(page, names)
    front = BeautifulSoup((root / "_build/html/book/index.html").read_bytes(), "html.parser")
    body = "\n".join(str(page.article) for part in parts for page in part.pages)
    return (
        '<!DOCTYPE html>\n<html lang="en" data-theme="light" data-mode="light">\n'
        f"<head>{head(front, parts, author)}</head>\n"
        f'<body><main class="bd-content print-book">\n{cover(parts[0].pages[0], f"{author}. {edition}")}\n'
        f"{contents(parts)}\n{body}\n</main></body></html>\n"
    )


def head(front: BeautifulSoup, parts: list[Part], author: str) -> str:
    """Return the document's head: styles and MathJax of the built pages, a footer for each of them."""
    taken = [tag for tag in front.find_all(["link", "script"]) if is_style(tag) or MATHJAX.search(str(tag))]
    for tag, key in itertools.product(taken, ("href", "src")):
        if tag.has_attr(key):
            tag[key] = address(str(tag[key]))
    lines = [f'<meta charset="utf-8"><title>{escape(parts[0].pages[0].title)}</title>']
    lines += [f'<meta name="author" content="{escape(author)}">', *map(str, taken)]
    lines += ["<style>", "@page { size: A4; }", *(footer(page) for part in parts for page in part.pages)]
    return "\n".join([*lines, "</style>"])


def is_style(tag: Tag) -> bool:
    """Tell whether an element of the head is a stylesheet."""
    return "stylesheet" in (tag.get("rel") or ())


def footer(page: Page) -> str:
    """Return the style of a page's sheets: its title stands in the footer, opposite the number."""
    title = page.title.replace("\\", "").replace('"', "”")
    return f'@page {page.sheet} {{ @bottom-left {{ content: "{title}"; }} }}'
