"""What is taken out of built pages does nothing there: unused scripts, and marks of code without a colour."""

import re
from types import SimpleNamespace

import offline
import pytest
from docutils import nodes
from docutils.utils import new_document
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES, Text


@pytest.mark.parametrize(
    ("attributes", "stays"),
    [
        ({"body": 'const THEBE_JS_URL = "https://cdn.example.org/thebe.js"'}, False),
        ({"body": "let toggleHintShow = 'Click to show';"}, False),
        ({"src": "_static/sphinx-thebe.js"}, False),
        ({"src": "_static/reading.js"}, True),
        ({"body": "window.MathJax = {}"}, True),
    ],
)
def test_scripts_that_do_nothing_are_left_out(attributes, stays):
    file = SimpleNamespace(filename=attributes.get("src", ""), attributes=attributes)
    context = {"script_files": [file], "css_files": []}
    offline.drop_unused(None, "page", "page.html", context, None)
    assert context["script_files"] == ([file] if stays else [])


def test_the_settings_of_thebe_leave_a_page_and_nothing_else_does():
    page = new_document("page")
    page += [nodes.raw(text='<script type="text/x-thebe-config">{}</script>'), nodes.raw(text="<svg></svg>")]
    offline.drop_thebe(None, page, "page")
    assert page.astext() == "<svg></svg>"


def test_code_reads_the_same_with_fewer_marks():
    code = highlight("x = np.array([1, 2])  # why\n", PythonLexer(), HtmlFormatter())
    context = {"body": code}
    offline.drop_plain_spans(None, "page", "page.html", context, None)
    assert re.sub("<[^>]*>", "", context["body"]) == re.sub("<[^>]*>", "", code)
    assert context["body"].count("<span") < code.count("<span")
    assert '<span class="mi">1</span>' in context["body"]


@pytest.mark.parametrize("name", ["a11y-high-contrast-light", "a11y-high-contrast-dark"])
def test_what_loses_its_mark_had_no_colour_of_its_own(name):
    """Names, punctuation and blanks have the colour of plain text in both styles of the book."""
    style = get_style_by_name(name)
    plain = [token for token, short in STANDARD_TYPES.items() if short in {"n", "nn", "p", "w"}]
    assert len(plain) == 4
    colours = {style.style_for_token(token)["color"] for token in plain}
    assert colours == {style.style_for_token(Text)["color"]}
