"""A quick question is read as it is written, and refused if it is not whole."""

import pytest
import questions
from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import directives
from docutils.utils import SystemMessage
from myst_parser.docutils_ import Parser

WHOLE = """# Page

:::{question} Which half-step can lower $L$?
:right: 3
- The E-step.
- The *M-step*.
- Neither: $L$ climbs.

Why: both raise the bound.

More of it.
:::
"""


@pytest.fixture(autouse=True)
def _directive():
    directives.register_directive("question", questions.Question)


def read(text):
    """Return what Sphinx would read on a page; a fault is raised as the message that Sphinx logs."""
    settings = {
        "halt_level": 3,
        "report_level": 3,
        "warning_stream": False,
        "myst_enable_extensions": ["colon_fence", "dollarmath"],
    }
    return publish_doctree(text, source_path="book/9-x.md", parser=Parser(), settings_overrides=settings)


def test_a_question_is_its_title_three_options_and_an_answer():
    (question,) = read(WHOLE).findall(questions.question)
    title, options, answer = question.children
    assert (question["ids"], question["right"]) == (["question-which-half-step-can-lower-l"], 3)
    assert title.astext() == "Which half-step can lower L?"
    assert [type(node) for node in title.children] == [nodes.Text, nodes.math, nodes.Text]
    assert options["enumtype"] == "loweralpha"
    assert [option.astext() for option in options] == ["The E-step.", "The M-step.", "Neither: L climbs."]
    assert {"dropdown", "thin"} <= set(answer["classes"])
    assert [node.astext() for node in answer.children] == [
        "Answer", "c is right. Why: both raise the bound.", "More of it.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (":right: 3", "", ":right: 1, 2 or 3"),
        (":right: 3", ":right: 4", ":right: 1, 2 or 3"),
        (":right: 3", ":right: 0", ":right: 1, 2 or 3"),
        (":right: 3", ":right: c", "right"),
        ("- The E-step.\n", "", "exactly three options"),
        ("- The E-step.\n", "- One.\n- The E-step.\n", "exactly three options"),
        ("- The E-step.\n", "Text first.\n\n- The E-step.\n", "exactly three options"),
        ("\nWhy: both raise the bound.\n\nMore of it.\n", "", "needs an answer"),
        (" Which half-step can lower $L$?", "", "1 argument"),
    ],
)
def test_a_question_that_is_not_whole_is_refused_with_page_and_line(old, new, message):
    assert old in WHOLE
    with pytest.raises(SystemMessage, match=message) as refused:
        read(WHOLE.replace(old, new, 1))
    assert str(refused.value).startswith("book/9-x.md:3: ")
