"""The book as its sources say it: pages, labels, figures, and the checks in executed notebooks.

Pure functions of the files. The ledger draws what they return, the tests of the book judge it.
A label that begins with ``def-`` is a definition, any other is a claim.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

ASSIGNMENTS = "book/assignments/"
DIRECTIVE = r"^[ \t>]*(?:`{{3,}}|:{{3,}})\{{{name}\}}[^\n]*\n(?P<options>(?:[ \t>]*:[\w-]+:[^\n]*\n)*)"
MATH = re.compile(DIRECTIVE.format(name="math"), re.MULTILINE)
FIGURE = re.compile(DIRECTIVE.format(name="figure"), re.MULTILINE)
DOLLAR_LABEL = re.compile(r"^[ \t>]*\$\$(?:.*\$\$)?[ \t]*\(([^()\s]+)\)[ \t]*$", re.MULTILINE)
TARGET = re.compile(r"^\(([\w-]+)\)=[ \t]*$", re.MULTILINE)
NAMED = re.compile(r"^[ \t>]*:(?:label|name):[ \t]*(\S+)", re.MULTILINE)

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Check:
    """One ``checks.report`` as a notebook's stored output records it."""

    label: str
    part: str
    error: float
    tol: float

    @property
    def by_construction(self) -> bool:
        """Tell a check that cannot fail, and says so, from one that measures."""
        return self.part.startswith("by construction")


@dataclass(frozen=True)
class Page:
    """One source file of the book; a markdown file is a page of one cell."""

    name: str
    cells: tuple[dict[str, Any], ...]
    metadata: dict[str, Any]
    is_notebook: bool = True

    @classmethod
    def from_notebook(cls, name: str, notebook: dict[str, Any]) -> Page:
        """Take the content of an ``.ipynb`` file; each cell's source becomes one string."""
        cells = tuple({**cell, "source": "".join(cell["source"])} for cell in notebook["cells"])
        return cls(name, cells, notebook["metadata"])

    @classmethod
    def from_markdown(cls, name: str, text: str) -> Page:
        """Take the content of an ``.md`` file."""
        cell = {"cell_type": "markdown", "source": text, "metadata": {}}
        return cls(name, (cell,), metadata={}, is_notebook=False)

    @cached_property
    def prose(self) -> str:
        """All markdown, cell after cell."""
        return "\n\n".join(c["source"] for c in self.cells if c["cell_type"] == "markdown") + "\n"

    @property
    def code_cells(self) -> list[dict[str, Any]]:
        """The code cells that hold code."""
        return [c for c in self.cells if c["cell_type"] == "code" and c["source"].strip()]

    @cached_property
    def placed_equations(self) -> list[tuple[int, str]]:
        """Where in the prose each displayed equation stands, and its label, in reading order."""
        found = [(m.start(), name) for m in MATH.finditer(self.prose) for name in _names(m)]
        return sorted(found + [(m.start(), m[1]) for m in DOLLAR_LABEL.finditer(self.prose)])

    @property
    def equations(self) -> list[str]:
        """Labels of displayed equations, in reading order."""
        return [label for _, label in self.placed_equations]

    @cached_property
    def figures(self) -> list[str]:
        """Names of figures: first those that code draws, then those that the prose places."""
        return self.drawn + [name for m in FIGURE.finditer(self.prose) for name in _names(m)]

    @property
    def drawn(self) -> list[str]:
        """Names of the figures that code draws."""
        return [name for cell in self.code_cells if (name := figure_of(cell).get("name"))]

    @property
    def labels(self) -> list[str]:
        """All names that can be referred to, as often as they are given."""
        in_prose = [NAMED, DOLLAR_LABEL, TARGET]
        return self.drawn + [label for kind in in_prose for label in kind.findall(self.prose)]

    @cached_property
    def checks(self) -> list[Check]:
        """The checks that the stored outputs record, in the order of execution."""
        return [check for cell in self.code_cells for check in checks_of(cell)]


def _names(directive: re.Match[str]) -> list[str]:
    """Return the label or name that a directive's options give it."""
    return NAMED.findall(directive["options"])


def figure_of(cell: dict[str, Any]) -> dict[str, Any]:
    """Return the MyST-NB figure metadata of a code cell: name, caption; empty if it draws none."""
    return dict(cell.get("metadata", {}).get("mystnb", {}).get("figure", {}))


def checks_of(cell: dict[str, Any]) -> list[Check]:
    """Return the checks that the stored outputs of a code cell record."""
    records = (output.get("metadata", {}).get("emvae") for output in cell.get("outputs", []))
    return [Check(r["label"], r.get("part") or "", float(r["error"]), float(r["tol"])) for r in records if r]


def amount(value: float) -> str:
    """Write an error or a tolerance with at most two significant digits: 0.73, 3·10⁻¹⁴."""
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    if value == 0 or 1e-3 <= value < 1e4:
        return f"{float(f'{value:.2g}'):g}"
    power = f"10{str(int(exponent)).translate(RAISED)}"
    return power if mantissa == "1.0" else f"{mantissa.removesuffix('.0')}·{power}"


def is_claim(label: str) -> bool:
    """Tell a claim, which needs a check, from a definition."""
    return not label.startswith("def-")


def files_of_toc(entry: Any) -> Iterator[str]:
    """Yield the pages that a table of contents names, in reading order."""
    if isinstance(entry, dict):
        yield from (entry[key] for key in ("root", "file") if key in entry)
        for value in entry.values():
            yield from files_of_toc(value)
    elif isinstance(entry, list):
        for item in entry:
            yield from files_of_toc(item)


def read_page(root: Path, name: str) -> Page:
    """Read ``root/name.ipynb``, or else ``root/name.md``."""
    notebook = root / f"{name}.ipynb"
    if notebook.exists():
        return Page.from_notebook(name, json.loads(notebook.read_text(encoding="utf-8")))
    return Page.from_markdown(name, (root / f"{name}.md").read_text(encoding="utf-8"))


def read_contents(root: Path) -> list[str]:
    """Return the names of the pages, in reading order, assignments included."""
    return list(files_of_toc(yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))))


def read_toc(root: Path) -> list[str]:
    """Return the names of the book's own pages; assignments make no claims and hold no outputs."""
    return [name for name in read_contents(root) if not name.startswith(ASSIGNMENTS)]


def read_book(root: Path) -> list[Page]:
    """Read every page that the table of contents in ``root`` names, in reading order."""
    return [read_page(root, name) for name in read_toc(root)]
