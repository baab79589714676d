"""The book as its sources say it: pages, labels, figures, and the checks in executed notebooks.

Pure functions of the files. The ledger draws what they return, the tests of the book judge it.
A label that begins with ``def-`` is a definition, any other is a claim.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

ASSIGNMENTS = "book/assignments/"
DIRECTIVE = re.compile(r"\{([\w:-]+)\}\s*(.*)")
OPTION = re.compile(r"[ \t]*:([\w-]+):[ \t]*(.*?)[ \t]*$")
VERBATIM = {"math", "literalinclude", "code-block", "code-cell", "raw", "toctree"}  # hold no markdown
MARKDOWN = create_md_parser(
    MdParserConfig(
        enable_extensions={"amsmath", "colon_fence", "deflist", "dollarmath"}, dmath_double_inline=True
    ),
    RendererHTML,
)
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
class Block:
    """What a page's markdown holds that rules ask for: a heading, directive, equation, picture or target.

    kind : "heading", "equation" or "formula" (between dollars), "picture", "target", or a directive's name.
    argument : what follows a directive's name, a heading's text, a label or a target's name.
    content : of a directive or formula.
    level : of a heading.
    cell, line : the cell of the page in which it stands, and the line in it of the outermost block around it.
    inside : the directives around it, the outermost first.
    """

    kind: str
    argument: str
    content: str
    cell: int
    line: int
    level: int = 0
    options: dict[str, str] = field(default_factory=dict)
    inside: tuple[Block, ...] = ()

    @property
    def label(self) -> str:
        """The name by which it can be referred to, or an empty one."""
        if self.kind in {"equation", "target"}:
            return self.argument
        return self.options.get("label") or self.options.get("name", "")

    @property
    def is_equation(self) -> bool:
        """Tell whether it is a displayed equation with a number."""
        return self.kind in {"equation", "math"} and bool(self.label)

    @property
    def folded(self) -> bool:
        """Tell whether a reader has to open it."""
        return self.kind == "dropdown" or "dropdown" in self.options.get("class", "").split()


def blocks_of(
    source: str, cell: int, line: int | None = None, inside: tuple[Block, ...] = ()
) -> Iterator[Block]:
    """Yield the blocks of a markdown cell as MyST reads it, each before those that it holds."""
    tokens = MARKDOWN.parse(source)
    for i, token in enumerate(tokens):
        start = line if line is not None else (token.map or [0])[0]
        if token.type == "heading_open":
            text = tokens[i + 1].content
            yield Block("heading", text, "", cell, start, level=int(token.tag[1]), inside=inside)
        elif found := token.type in {"fence", "colon_fence"} and DIRECTIVE.match(token.info):
            options, content = split_options(token.content)
            block = Block(found[1], found[2], content, cell, start, options=options, inside=inside)
            yield block
            yield from blocks_of(block.argument, cell, start, (*inside, block))
            if block.kind not in VERBATIM:
                yield from blocks_of(content, cell, start, (*inside, block))
        else:
            yield from small_blocks(token, cell, start, inside)


def small_blocks(token: Token, cell: int, line: int, inside: tuple[Block, ...]) -> Iterator[Block]:
    """Yield what a token is or holds that is neither heading nor directive."""
    if token.type == "math_block_label":
        yield Block("equation", token.info, token.content, cell, line, inside=inside)
    elif token.type.startswith("math_") or token.type == "amsmath":
        yield Block("formula", "", token.content, cell, line, inside=inside)
    elif token.type == "myst_target":
        yield Block("target", token.content, "", cell, line, inside=inside)
    elif token.type == "image":
        yield Block("picture", "", "", cell, line, options={"alt": token.content}, inside=inside)
    for child in token.children or []:
        yield from small_blocks(child, cell, line, inside)


def split_options(content: str) -> tuple[dict[str, str], str]:
    """Return a directive's options, which stand in its first lines, and the rest."""
    options: dict[str, str] = {}
    lines = content.splitlines(keepends=True)
    while lines and (found := OPTION.match(lines[0].rstrip("\n"))):
        options[found[1]] = found[2]
        del lines[0]
    return options, "".join(lines)


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
    def blocks(self) -> list[Block]:
        """The blocks of its markdown, in reading order."""
        sources = [(i, c["source"]) for i, c in enumerate(self.cells) if c["cell_type"] == "markdown"]
        return [block for i, source in sources for block in blocks_of(source, i)]

    @property
    def code_cells(self) -> list[dict[str, Any]]:
        """The code cells that hold code."""
        return [c for c in self.cells if c["cell_type"] == "code" and c["source"].strip()]

    @cached_property
    def equations(self) -> list[str]:
        """Labels of displayed equations, in reading order."""
        return [block.label for block in self.blocks if block.is_equation]

    @cached_property
    def figures(self) -> list[str]:
        """Names of figures: first those that code draws, then those that the prose places."""
        return self.drawn + [b.label for b in self.blocks if b.kind == "figure" and b.label]

    @property
    def drawn(self) -> list[str]:
        """Names of the figures that code draws."""
        return [name for cell in self.code_cells if (name := figure_of(cell).get("name"))]

    @property
    def labels(self) -> list[str]:
        """All names that can be referred to, as often as they are given."""
        return self.drawn + [block.label for block in self.blocks if block.label]

    @cached_property
    def checks(self) -> list[Check]:
        """The checks that the stored outputs record, in the order of execution."""
        return [check for cell in self.code_cells for check in checks_of(cell)]


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
