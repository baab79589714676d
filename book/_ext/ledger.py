"""Sphinx directive ``{ledger} equations`` (or ``figures``): what the book claims and how it was checked.

The tables are made from the outputs stored in the executed notebooks, each time the book is built.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path

from book_pages import Check, Page, amount, is_claim, read_book
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

COLUMNS = ("Label", "Number", "Page", "Kind", "Check", "Error", "Tolerance")
ROLES = {"equations": "eq", "figures": "numref"}
LABELS = {"equations": attrgetter("equations"), "figures": attrgetter("drawn")}


class LedgerTable(SphinxDirective):
    """A count in a sentence, then a table with one row per label."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Read the book and draw it."""
        self.what = directives.choice(self.arguments[0], tuple(ROLES))
        self.env.note_reread()  # the notebooks may have changed though this page has not
        pages = read_book(Path(self.env.srcdir))
        body = nodes.tbody()
        for page in pages:
            for label in LABELS[self.what](page):
                body += self.rows(label, page)
        group = nodes.tgroup(cols=len(COLUMNS))
        group += [nodes.colspec(colwidth=1) for _ in COLUMNS]
        group += nodes.thead("", _row(_entry(nodes.Text(head)) for head in COLUMNS))
        group += body
        sentence = nodes.paragraph(text=count(self.what, pages))
        return [sentence, nodes.table("", group, classes=["ledger"])]

    def rows(self, label: str, page: Page) -> Iterator[nodes.row]:
        """Yield a row for each check of a label; the cells that say which label span them all."""
        checks = [check for check in page.checks if check.label == label]
        spanned = [
            [nodes.literal(text=label)],
            self.markdown(f"{{{ROLES[self.what]}}}`{label}`"),
            self.markdown(f"{{doc}}`{short_title(page)}</{page.name}>`"),
            [nodes.Text("claim" if is_claim(label) else "definition")],
        ]
        first = [_entry(*cell, span=len(checks)) for cell in spanned]
        for i, cells in enumerate([_cells(check) for check in checks] or [[nodes.Text("–")] * 3]):
            yield _row([*(first if i == 0 else []), *map(_entry, cells)])

    def markdown(self, text: str) -> list[nodes.Node]:
        """Parse a line of markdown, so that references become links."""
        parsed, _ = self.state.inline_text(text, self.lineno)
        return list(parsed)


def short_title(page: Page) -> str:
    """Name a page in a narrow column: its chapter's number, or else its file."""
    name = page.name.rpartition("/")[2]
    number = name.partition("-")[0]
    return f"Chapter {number}" if number.isdigit() else name.capitalize()


def count(what: str, pages: list[Page]) -> str:
    """Say how many labels, claims and checks there are."""
    labels = [label for page in pages for label in LABELS[what](page)]
    claims = {label for label in labels if is_claim(label)}
    checks = [check for page in pages for check in page.checks if check.label in claims]
    checked = {check.label for check in checks}
    built = sum(check.by_construction for check in checks)
    marked = f", {built} of them by construction" if built else ""
    definitions = f"{len(labels) - len(claims)} definitions and " if what == "equations" else ""
    return (
        f"{len(labels)} {what}: {definitions}{len(claims)} claims, "
        f"of which {len(checked)} are checked, in {len(checks)} checks{marked}."
    )


def _cells(check: Check) -> list[nodes.Node]:
    part = (nodes.emphasis if check.by_construction else nodes.inline)(text=check.part or "as a whole")
    return [part, nodes.Text(amount(check.error)), nodes.Text(amount(check.tol))]


def _entry(*content: nodes.Node, span: int = 1) -> nodes.entry:
    """Make a table cell that spans some rows."""
    entry = nodes.entry("", nodes.paragraph("", "", *content))
    if span > 1:
        entry["morerows"] = span - 1
    return entry


def _row(entries: Iterable[nodes.entry]) -> nodes.row:
    return nodes.row("", *entries)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("ledger", LedgerTable)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
