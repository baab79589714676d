"""A page's facts in a line below its title: reading time, what it needs, what can be downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from docutils import nodes
from folds import fold
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

# Seconds that a careful reader spends, so that chapter 1 takes the forty minutes that students took.
SECONDS = {"word": 0.28, "formula": 2.0, "display": 25.0, "line of code": 1.2, "picture": 30.0}


def reading_minutes(doctree: nodes.document) -> float:
    """Estimate how long a page takes, what is folded away not counted."""
    seconds = 0.0
    for node in visible(doctree):
        if isinstance(node, nodes.math_block):
            seconds += SECONDS["display"]
        elif isinstance(node, nodes.math):
            seconds += SECONDS["formula"]
        elif isinstance(node, nodes.literal_block):
            seconds += SECONDS["line of code"] * len(node.astext().splitlines())
        elif isinstance(node, nodes.image):
            seconds += SECONDS["picture"]
        elif isinstance(node, nodes.Text):
            seconds += SECONDS["word"] * len(node.split())
    return seconds / 60


def visible(node: nodes.Node) -> Iterator[nodes.Node]:
    """Yield the nodes that are not folded away, formulas and listings as wholes."""
    yield node
    if isinstance(node, nodes.math | nodes.math_block | nodes.literal_block):
        return
    for child in node.children:
        if isinstance(child, fold) or "sd-dropdown" in getattr(child, "attributes", {}).get("classes", []):
            continue
        yield from visible(child)


def duration(minutes: float) -> str:
    """Say how long reading takes, no more exactly than it is known."""
    step = 5 if minutes > 12 else 1
    rounded = max(1, step * ceil(minutes / step - 0.5))
    return f"About {rounded} minutes" if rounded > 1 else "About a minute"


def add_facts(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put a line below the title: reading time, what the page needs, what can be downloaded."""
    if app.builder.format != "html":
        return
    title = next(iter(doctree.findall(nodes.title)), None)
    if title is None or docname in app.config.reading_without_facts:
        return
    items = [[nodes.Text(f"{duration(reading_minutes(doctree))} to read")]]
    needed = list(existing(app, docname))
    if needed:
        links = [link(app, docname, name, short(app, name)) for name in needed]
        items.append([nodes.Text("Needs "), *comma_separated(links)])
    if app.env.doc2path(docname).endswith(".ipynb"):
        own = relative(app, docname, f"_sources/{docname}.ipynb")
        course = relative(app, docname, app.config.course_archive)
        links = [to(own, "this notebook"), nodes.Text(" or "), to(course, "the course")]
        items.append([nodes.Text("Download "), *links])
    facts = nodes.bullet_list(classes=["page-facts"])
    facts += [nodes.list_item("", nodes.paragraph("", "", *item)) for item in items]
    title.parent.insert(title.parent.index(title) + 1, facts)


def existing(app: Sphinx, docname: str) -> Iterator[str]:
    """Yield the pages that a page needs; warn of one that there is not."""
    for name in app.config.reading_needs.get(docname, []):
        if name in app.env.titles:
            yield name
        else:
            logger.warning("reading_needs in _config.yml: %s needs %s, which is no page", docname, name)


def short(app: Sphinx, docname: str) -> str:
    """Name a page in a few words: its chapter, or its title."""
    number = docname.rpartition("/")[2].partition("-")[0]
    return f"chapter {number}" if number.isdigit() else app.env.titles[docname].astext().lower()


def link(app: Sphinx, docname: str, target: str, text: str) -> nodes.reference:
    """Return a link from one page to another."""
    return to(app.builder.get_relative_uri(docname, target), text)


def to(address: str, text: str) -> nodes.reference:
    """Return a link."""
    return nodes.reference("", text, refuri=address, internal=True)


def relative(app: Sphinx, docname: str, path: str) -> str:
    """Return the address of a built file as seen from a page."""
    return "../" * docname.count("/") + path


def comma_separated(parts: list[nodes.reference]) -> Iterator[nodes.Node]:
    """Yield links with a comma or an "and" between them."""
    for i, part in enumerate(parts):
        if i:
            yield nodes.Text(" and " if i == len(parts) - 1 else ", ")
        yield part


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the settings and what adds the line, once proofs are folded."""
    app.add_config_value("reading_needs", {}, "env", dict)
    app.add_config_value("reading_without_facts", [], "env", list)
    app.connect("doctree-resolved", add_facts, priority=910)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
