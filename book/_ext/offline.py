"""A built page asks no other host for anything, and loads no more than it uses.

Jupyter Book brings two extensions that cannot be left out: Thebe, which names a CDN in every page, and
togglebutton, whose work ``<details>`` does. Their scripts and styles are taken out of the pages here, as is
the theme's icon script (1.5 MB; its styles draw the same icons from a font of 0.15 MB). MathJax is put
together from its parts, without the menu, which is a third of it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

UNUSED = re.compile(r"thebe|togglebutton|toggleHint|toggleOpenOnPrint|design-tabs", re.IGNORECASE)
PLAIN = re.compile(r'<span class="(?:n|nn|p|w)">([^<]*)</span>')
FILES = ("_static/sphinx-thebe.*", "_static/togglebutton.*", "_static/design-tabs.js", "_static/**/*.map")
MATHJAX = "mathjax/startup.js"
UNUSED_MATHJAX = (
    "*-*.js", "latest.js", "sre", "adaptors", "ui", "output/svg*", "a11y/[!a]*.js",
    "input/mml*", "input/asciimath.js", "input/tex-full.js",
)  # fmt: skip


def choose_mathjax(app: Sphinx, config: Config) -> None:
    """Load MathJax by its parts; sphinx-mathjax-offline has chosen one file that holds all."""
    config.mathjax_path = MATHJAX


def drop_thebe(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Take Thebe's settings out of a page of code."""
    for raw in list(doctree.findall(nodes.raw)):
        if "x-thebe-config" in raw.astext():
            raw.parent.remove(raw)


def drop_unused(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.Node) -> None:
    """Take scripts and styles out of a page that would do nothing there."""
    for kind in ("script_files", "css_files"):
        context[kind] = [file for file in context[kind] if not UNUSED.search(f"{file} {attributes(file)}")]


def drop_plain_spans(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Write names, punctuation and blanks in code as plain text: a third of a page, and of its colour."""
    if "body" in context:
        context["body"] = PLAIN.sub(r"\1", context["body"])


def attributes(file: Any) -> str:
    """Return what an asset says of itself, an inline script's text included."""
    return f"{getattr(file, 'filename', '')} {getattr(file, 'attributes', '')}"


def remove_unused(app: Sphinx, error: Exception | None) -> None:
    """Remove from the built book what no page loads; it travels on a stick."""
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir)
    found = [path for pattern in FILES for path in folder.glob(pattern)]
    found += [path for pattern in UNUSED_MATHJAX for path in (folder / "_static/mathjax").glob(pattern)]
    for path in found:
        remove(path)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it."""
    if path.is_dir():
        for inner in path.iterdir():
            remove(inner)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the steps; sphinx-mathjax-offline copies its files before the last."""
    app.connect("config-inited", choose_mathjax)
    app.connect("doctree-resolved", drop_thebe, priority=900)
    app.connect("html-page-context", drop_unused, priority=900)
    app.connect("html-page-context", drop_plain_spans)
    app.connect("build-finished", remove_unused, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
