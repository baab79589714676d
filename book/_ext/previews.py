r"""What a page may want to show of other pages, as scripts: a file may load one, but not fetch a page.

``equations.js`` holds the TeX of all numbered equations, for book/_static/preview.js: it loads them when a
reference to another page is pointed at. ``texts.js`` holds the words of all pages, for
book/_static/excerpts.js: it shows on the search page what surrounds a word that was found.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

SPACE = re.compile(r"\s+")


def collect(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Note a page's words, and its numbered equations under their addresses seen from the book's root."""
    if app.builder.format == "html":
        found = {f"{docname}.html#{node['ids'][0]}": tex(node) for node in doctree.findall(numbered)}
        noted(app, "equations").update(found)
        noted(app, "texts")[docname] = words(doctree)


def noted(app: Sphinx, name: str) -> dict[str, str]:
    """Return what was noted in this build under a name."""
    everything: dict[str, dict[str, str]] = app.env.temp_previews  # type: ignore[attr-defined]
    return everything[name]


def begin(app: Sphinx) -> None:
    """Begin with nothing."""
    app.env.temp_previews = {"equations": {}, "texts": {}}  # type: ignore[attr-defined]


def numbered(node: nodes.Node) -> bool:
    """Tell whether a node is an equation with a number."""
    return isinstance(node, nodes.math_block) and bool(node.get("number"))


def tex(node: nodes.math_block) -> str:
    r"""Return what MathJax gets to read: several lines are aligned, as Sphinx does."""
    text = node.astext()
    return rf"\begin{{split}}{text}\end{{split}}" if r"\\" in text and not node.get("nowrap") else text


def words(doctree: nodes.document) -> str:
    """Return a page's prose; code, displayed formulas and scripts would be hard to read in an excerpt."""
    paragraphs = doctree.findall(lambda node: isinstance(node, nodes.paragraph | nodes.title | nodes.caption))
    return SPACE.sub(" ", " ".join(node.astext() for node in paragraphs))


def write(app: Sphinx, error: Exception | None) -> None:
    """Write each as an assignment."""
    if error is None and app.builder.format == "html":
        for name in ("equations", "texts"):
            text = json.dumps(noted(app, name), ensure_ascii=False, separators=(",", ":"))
            script = f"window.emvae{name.capitalize()}={text};\n"
            (Path(app.outdir) / "_static" / f"{name}.js").write_text(script, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the steps."""
    app.connect("builder-inited", begin)
    app.connect("doctree-resolved", collect)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
