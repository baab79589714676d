"""Proofs, solutions, checks and hidden code that open and close: each a ``<details>``, in HTML alone.

It opens by keyboard, by a link into it, by the browser's own search, and without JavaScript.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


class fold(nodes.Element):  # type: ignore[misc]  # docutils carries no types
    """What opens and closes; of class ``thin``, without a box around it."""


class fold_title(nodes.TextElement):  # type: ignore[misc]  # docutils carries no types
    """What stands there when it is closed."""


def fold_code(app: Sphinx, doctree: nodes.document) -> None:
    """Fold what a cell's tags hide: of ``hide-cell`` all, of ``hide-input`` the code."""
    for cell in list(doctree.findall(nodes.container)):
        if cell.get("hide_mode") in {"all", "input"}:
            hidden = cell if cell.attributes.pop("hide_mode") == "all" else cell[0]
            fold = nodes.admonition("", nodes.title(text="Code"), classes=["dropdown", "thin", "code-fold"])
            hidden.parent.replace(hidden, fold)
            fold += hidden


def fold_all(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Fold what a page whose references are resolved marks as dropdown."""
    if app.builder.format != "html":
        return
    for node in list(doctree.findall(nodes.Admonition)):
        if isinstance(node, nodes.Element) and "dropdown" in node["classes"]:
            node.replace_self(folded(node))


def folded(node: nodes.Element) -> fold:
    """Return the fold that holds what an admonition of class dropdown held."""
    title, *content = node.children
    for link in list(title.findall(nodes.reference)):
        link.replace_self(link.children)  # a link inside of a button would be two controls in one
    box = [] if "thin" in node["classes"] else ["admonition"]
    classes = [name for name in node["classes"] if name != "dropdown"]
    summary = fold_title("", "", *title.children, classes=["admonition-title"] if box else [])
    return fold("", summary, *content, ids=node["ids"], classes=[*box, "fold", *classes])


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
    """Register the nodes and what makes them."""
    app.add_node(fold, html=(visit_fold, depart_fold))
    app.add_node(fold_title, html=(visit_fold_title, depart_fold_title))
    app.connect("doctree-read", fold_code, priority=600)  # when checks are folded
    app.connect("doctree-resolved", fold_all, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
