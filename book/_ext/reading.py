"""What helps to read a page: its facts below the title, folds that open by themselves, the sheet's own words.

Only HTML gets it. A fold is a ``<details>``: it opens by keyboard, by a link into it, by the browser's own
search, and without JavaScript.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import ceil
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)

# Seconds that a careful reader spends, so that chapter 1 takes the forty minutes that students took.
SECONDS = {"word": 0.28, "formula": 2.0, "display": 25.0, "line of code": 1.2, "picture": 30.0}
# What takes no room on a line of its own, what takes one letter's, and what makes the next letters small.
WITHOUT_WIDTH = re.compile(r"\\(?:math(?:bf|cal|bb|rm)|operatorname|text|hat|bar|tilde|left|right|big|[,;!])")
COMMAND, SPACE, SCRIPT_MARK = re.compile(r"\\[A-Za-z]+|\\."), re.compile(r"[\s{}&]+"), re.compile(r"[\^_]")
# A deprecated role, a list that holds more than its items, a header that heads nothing.
MENDED = {
    ' role="doc-biblioentry"': "",
    'role="list" class="citation-list"': 'class="citation-list"',
    '<th class="head"><p></p></th>': "<td></td>",
}
LEFT_OUT = "What the sheet leaves out"


class fold(nodes.Element):  # type: ignore[misc]  # docutils carries no types
    """A proof or solution that opens and closes."""


class fold_title(nodes.Element):  # type: ignore[misc]  # docutils carries no types
    """What stands there when it is closed."""


def improve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Change a page whose references are resolved."""
    if app.builder.format != "html":
        return
    for node in list(doctree.findall(nodes.Admonition)):
        if isinstance(node, nodes.Element) and "dropdown" in node["classes"]:
            node.replace_self(folded(node))
    for formula in doctree.findall(nodes.math):
        formula["classes"].append(f"glyphs-{glyphs(formula.astext())}")
    mark_the_sheet(doctree)
    add_facts(app, doctree, docname)


def folded(node: nodes.Element) -> fold:
    """Return the fold that holds what an admonition of class dropdown held."""
    title, *content = node.children
    for link in list(title.findall(nodes.reference)):
        link.replace_self(link.children)  # a link inside of a button would be two controls in one
    classes = [name for name in node["classes"] if name != "dropdown"]
    summary = fold_title("", *title.children, classes=["admonition-title"])
    return fold("", summary, *content, ids=node["ids"], classes=["admonition", "fold", *classes])


def glyphs(tex: str) -> int:
    """Estimate how many letters wide a formula is; reading.css keeps the room until it is set."""
    plain = SPACE.sub("", COMMAND.sub("x", WITHOUT_WIDTH.sub("", tex)))
    count = len(SCRIPT_MARK.sub("", plain)) - 0.35 * len(SCRIPT_MARK.findall(plain))
    return max(1, min(24, round(count)))


def mark_the_sheet(doctree: nodes.document) -> None:
    """Mark the problem in the sheet's own words, and the notes on what the sheet leaves out."""
    for section in doctree.findall(nodes.section):
        if "problem" in section["ids"]:
            for quote in section.findall(nodes.block_quote):
                quote["classes"].append("sheet-says")
                quote.insert(0, nodes.paragraph(text="The sheet says", classes=["sheet-label"]))
    for note in doctree.findall(nodes.admonition):
        if note.children[0].astext().startswith(LEFT_OUT):
            note["classes"].append("sheet-leaves-out")


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


def mend(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Mend what docutils writes and axe objects to, in a page's HTML."""
    for wrong, right in MENDED.items():
        if "body" in context:
            context["body"] = context["body"].replace(wrong, right)


def visit_fold(translator: HTML5Translator, node: fold) -> None:
    """Open the element."""
    translator.body.append(translator.starttag(node, "details"))


def depart_fold(translator: HTML5Translator, node: fold) -> None:
    """Close it."""
    translator.body.append("</details>\n")


def visit_fold_title(translator: HTML5Translator, node: fold_title) -> None:
    """Open the element."""
    translator.body.append(translator.starttag(node, "summary", ""))


def depart_fold_title(translator: HTML5Translator, node: fold_title) -> None:
    """Close it."""
    translator.body.append('<span class="fold-mark" aria-hidden="true"></span></summary>\n')


def setup(app: Sphinx) -> dict[str, bool]:
    """Register nodes, settings and what changes a page."""
    app.add_config_value("reading_needs", {}, "env", dict)
    app.add_config_value("reading_without_facts", [], "env", list)
    app.add_node(fold, html=(visit_fold, depart_fold))
    app.add_node(fold_title, html=(visit_fold_title, depart_fold_title))
    app.connect("doctree-resolved", improve, priority=900)
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
