"""Texts with formulas as a page shows them: Markdown and MathML, which browsers set without a network."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markupsafe import Markup
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

LONGEST = 50_000  # characters of a text; a longer one is shown as it is
FORMULA = 4000  # characters of a formula
ALIGNED = re.compile(r"\\(begin|end)\{(?:aligned|split|gathered|equation\*?|gather\*?|multline\*?)\}")
KEPT = {
    "display", "stretchy", "fence", "separator", "form", "minsize", "maxsize", "mathvariant", "accent",
    "displaystyle", "scriptlevel", "columnalign", "linethickness", "lspace", "rspace", "movablelimits",
    "columnspacing", "rowspacing", "width", "linebreak",
}  # fmt: skip
VALUE = re.compile(r"[-a-z ]{1,40}|-?\d{0,2}(\.\d{1,3})?(em|ex|px|pt|mu|cm)?")


def page_text(text: str, pictures: Mapping[str, Mapping[str, str]] = {}) -> Markup:
    """Return Markdown as HTML that holds nothing of the text's own markup and loads nothing.

    Parameters
    ----------
    text : with formulas between dollars.
    pictures : attachments by name, each with a kind and base64.
    """
    if len(text) > LONGEST:
        return Markup("<pre>{}</pre>").format(text)
    reader = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable("table")
    reader.use(dollarmath_plugin, double_inline=True, renderer=_formula)
    reader.use(amsmath_plugin, renderer=lambda latex: _formula(latex, {"display_mode": True}))
    reader.add_render_rule("image", lambda _self, tokens, i, *_: _picture(tokens[i], pictures))
    return Markup(reader.render(text))  # everything in it was escaped or made here


def _formula(latex: str, options: dict[str, Any]) -> str:
    """Return a formula as MathML, or as it was written where it cannot be typeset."""
    display = "block" if options.get("display_mode") else "inline"
    written = f"<code>{html.escape(latex)}</code>"
    if len(latex) > FORMULA:
        return written
    try:
        # the library knows align* alone of the environments with lines
        element = convert_to_element(ALIGNED.sub(r"\\\1{align*}", latex), display=display)
        _sanitise(element)
        return ElementTree.tostring(element, encoding="unicode")
    except (Exception, RecursionError):
        return written


def _sanitise(element: ElementTree.Element) -> None:
    """Leave of a formula its signs: no link, no style, no class; raise where it is not all known."""
    for part in element.iter():
        part.attrib = {k: v for k, v in part.attrib.items() if k in KEPT and VALUE.fullmatch(v)}
        part.text = html.unescape(part.text or "")
        if not re.fullmatch(r"m[a-z]+", str(part.tag)) or part.text.startswith("\\") or part.text == "&":
            raise ValueError(f"{part.tag} {part.text} cannot be typeset")


def _picture(token: Any, pictures: Mapping[str, Mapping[str, str]]) -> str:
    name = str(token.attrs.get("src", "")).removeprefix("attachment:")
    for kind, data in pictures.get(name, {}).items():
        source = html.escape(f"data:{kind};base64,{data}")
        return f'<img alt="{html.escape(token.content)}" src="{source}">'
    return f"<code>{html.escape(token.content or name)}</code>"
