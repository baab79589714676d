"""The markup of a page: classes that reading.css asks for, and what docutils writes and axe objects to."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

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
EQUATION = re.compile(r"\{eq\}`([^`]+)`")


def mark(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Add the classes to a page."""
    if app.builder.format != "html":
        return
    for formula in doctree.findall(nodes.math):
        formula["classes"].append(f"glyphs-{glyphs(formula.astext())}")
    mark_the_sheet(doctree)
    for listing in doctree.findall(nodes.literal_block):
        write_numbers(listing, lambda label: number(app.env, label))


def write_numbers(listing: nodes.literal_block, number: Callable[[str], str]) -> None:
    """Write the number of an equation, (2.24), where a docstring that is shown cites it by its label."""
    text = EQUATION.sub(lambda role: number(role[1]), listing.astext())
    if text != listing.astext():
        listing.rawsource = text  # Sphinx colours a listing whose text is its source
        listing.children = []
        listing += nodes.Text(text)


def number(env: BuildEnvironment, label: str) -> str:
    """Return an equation's number as the page shows it; the label, if there is no such equation."""
    docname, _ = env.get_domain("math").equations.get(label, ("", ""))  # type: ignore[attr-defined]
    if not docname:
        return label
    parts = env.toc_fignumbers[docname]["displaymath"][f"equation-{label}"]
    return f"({'.'.join(map(str, parts))})"


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


def mend(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Mend what docutils writes and axe objects to, in a page's HTML."""
    for wrong, right in MENDED.items():
        if "body" in context:
            context["body"] = context["body"].replace(wrong, right)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect both."""
    app.connect("doctree-resolved", mark, priority=900)
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
