"""A cell tagged ``check`` becomes one thin line that opens to its code and output.

``✓ (2.24) checked: five lines, largest error 3·10⁻¹⁴ (tolerance 10⁻¹²)``: what was checked and how well comes
from the outputs that the notebook stores. A figure's line hangs directly below the figure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from book_pages import Check, amount, checks_of, read_page
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

NUMBERS = "no one two three four five six seven eight nine ten eleven twelve".split()
COUNTED = re.compile(r"([a-z]+) \d+")
LISTED = 45  # characters of parts that a line may list; of more it gives the number
WITHOUT_NUMBERS = "what the text says here"


def add_lines(app: Sphinx, doctree: nodes.document) -> None:
    """Fold each cell tagged ``check`` of a page that was read; Sphinx will resolve the line's references."""
    cells = [node for node in doctree.findall(nodes.container) if "tag_check" in node["classes"]]
    if not cells:
        return
    docname = app.env.docname
    sources = read_page(Path(app.srcdir), docname).cells
    figures = {name: figure for figure in doctree.findall(nodes.figure) for name in figure["names"]}
    for cell in cells:
        cell.attributes.pop("hide_mode", None)  # the line hides it
        checks = checks_of(sources[cell["cell_index"]])
        line = nodes.admonition("", nodes.title("", "", *words(checks, docname)))
        line["classes"] += ["dropdown", "thin", "check-line"]
        cell.parent.replace(cell, line)
        line += cell
        hang(line, [figures.get(label) for label in labels_of(checks)])


def hang(line: nodes.admonition, figures: list[nodes.figure | None]) -> None:
    """Move a line that speaks of one figure alone directly below it."""
    if len(figures) != 1 or figures[0] is None:
        return
    place = figures[0]
    while isinstance(place.parent, nodes.container):  # the cell that draws it
        place = place.parent
    line.parent.remove(line)
    section, index = place.parent, place.parent.index(place) + 1
    while index < len(section) and "of-figure" in section[index].get("classes", ()):
        index += 1  # what was checked first stands first
    section.insert(index, line)
    line["classes"].append("of-figure")


def words(checks: list[Check], docname: str) -> Iterator[nodes.Node]:
    """Yield the line's text, with references where labels are named."""
    yield nodes.inline(text="✓ ", classes=["check-mark"])
    if not checks:
        yield nodes.Text(f"Checked: {WITHOUT_NUMBERS}")
        return
    labels = labels_of(checks)
    for i, label in enumerate(labels):
        if i:
            yield nodes.Text(" and " if i == len(labels) - 1 else ", ")
        yield reference(label, docname)
    yield nodes.Text(f" checked: {what(checks)}")


def labels_of(checks: list[Check]) -> list[str]:
    """Return the labels that are checked, each once."""
    return list(dict.fromkeys(check.label for check in checks))


def reference(label: str, docname: str) -> pending_xref:
    """Return a reference to an equation's or a figure's number."""
    domain, kind, text = (
        ("std", "numref", "Figure {number}") if label.startswith("fig-") else ("math", "eq", label)
    )
    return pending_xref(
        "", nodes.inline(text=text), refdomain=domain, reftype=kind, reftarget=label, refdoc=docname,
        refexplicit=True, refwarn=True,
    )  # fmt: skip


def what(checks: list[Check]) -> str:
    """Say what was checked, with what error and tolerance: the largest, or of unequal ones the worst."""
    same = len({check.tol for check in checks}) == 1
    worst = max(checks, key=lambda check: check.error if same or not check.tol else check.error / check.tol)
    which = "error" if len(checks) == 1 else "largest error" if same else "worst error"
    measured = f"{which} {amount(worst.error)} (tolerance {amount(worst.tol)})"
    return ", ".join([*parts(checks), measured])


def parts(checks: list[Check]) -> Iterator[str]:
    """Yield the parts' names, or how many they are; and whether any of them holds by construction."""
    names = list(dict.fromkeys(check.part for check in checks if check.part))
    counted = [found[1] for name in names if (found := COUNTED.fullmatch(name))]
    built = sum(check.by_construction for check in checks)
    if len(names) > 1 and len(counted) == len(names) and all(a == b for a, b in pairwise(counted)):
        yield f"{number(len(names))} {counted[0]}s"
    elif len(checks) == 1 or len("; ".join(names)) <= LISTED:
        yield from ["; ".join(names)] if names else []
        return
    else:
        yield f"{number(len(checks))} parts"
    if built:
        yield "all by construction" if built == len(checks) else f"{number(built)} by construction"


def number(n: int) -> str:
    """Write a number out if it is small."""
    return NUMBERS[n] if n < len(NUMBERS) else str(n)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the step."""
    app.connect("doctree-read", add_lines)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
