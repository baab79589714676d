r"""The book's numbered equations as a script, so that a reference to another page can show what it means.

A page that is read from a file may not fetch another page, but it may load a script. book/_static/preview.js
loads this one when the first such reference is pointed at.
"""

from __future__ import annotations

import json
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

SCRIPT = "_static/equations.js"


def collect(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Note the TeX of a page's numbered equations under their addresses, seen from the book's root."""
    if app.builder.format == "html":
        found = {f"{docname}.html#{node['ids'][0]}": tex(node) for node in doctree.findall(numbered)}
        app.env.emvae_equations = getattr(app.env, "emvae_equations", {}) | found  # type: ignore[attr-defined]


def numbered(node: nodes.Node) -> bool:
    """Tell whether a node is an equation with a number."""
    return isinstance(node, nodes.math_block) and bool(node.get("number"))


def tex(node: nodes.math_block) -> str:
    r"""Return what MathJax gets to read: several lines are aligned, as Sphinx does."""
    text = node.astext()
    return rf"\begin{{split}}{text}\end{{split}}" if r"\\" in text and not node.get("nowrap") else text


def write(app: Sphinx, error: Exception | None) -> None:
    """Write them as an assignment."""
    if error is None and app.builder.format == "html":
        text = json.dumps(getattr(app.env, "emvae_equations", {}), ensure_ascii=False, separators=(",", ":"))
        (Path(app.outdir) / SCRIPT).write_text(f"window.emvaeEquations={text};\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect both steps."""
    app.connect("doctree-resolved", collect)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
