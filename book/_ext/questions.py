"""Sphinx directive ``{question}``: one choice of three, with an answer that says why.

::

    :::{question} Which half-step can lower the log-likelihood?
    :right: 3
    - The E-step.
    - The M-step.
    - Neither.

    Why: one to three sentences.
    :::

It is a ``<fieldset>`` with a list, the answer in a fold, and complete as such. Where scripts run,
book/_static/progress.js makes the options buttons of one choice.
"""

from __future__ import annotations

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

OPTIONS = "abc"


class question(nodes.Element):  # type: ignore[misc]  # docutils carries no types
    """A question, its options and its answer."""


class question_title(nodes.TextElement):  # type: ignore[misc]  # docutils carries no types
    """What is asked."""


class Question(SphinxDirective):
    """A quick question of three options, of which one is right."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = {"right": directives.nonnegative_int}  # noqa: RUF012  docutils declares it so

    def run(self) -> list[nodes.Node]:
        """Read the options and the answer; refuse a question that is not whole."""
        asked = self.arguments[0]
        content = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, content)
        options, *answer = content.children or [nodes.Element()]
        if not isinstance(options, nodes.bullet_list) or len(options) != len(OPTIONS):
            raise self.error(f"question {asked!r} needs a list of exactly three options, first of all")
        right = self.options.get("right", 0)
        if not 1 <= right <= len(OPTIONS):
            raise self.error(f"question {asked!r} needs :right: 1, 2 or 3, the number of the right option")
        if not answer or not isinstance(answer[0], nodes.paragraph):
            raise self.error(
                f"question {asked!r} needs an answer below its options: a sentence that says why"
            )
        title, _ = self.state.inline_text(asked, self.lineno)
        whole = question(
            "", question_title("", "", *title), ids=[f"question-{nodes.make_id(asked)}"], right=right
        )
        whole += nodes.enumerated_list("", *options.children, enumtype="loweralpha", prefix="", suffix=".")
        answer[0].insert(0, nodes.strong(text=f"{OPTIONS[right - 1]} is right. "))
        fold = nodes.admonition(
            "", nodes.title(text="Answer"), *answer, classes=["dropdown", "thin", "answer"]
        )
        whole += fold
        self.set_source_info(whole)
        return [whole]


def visit_question(translator: HTML5Translator, node: question) -> None:
    """Open the element."""
    translator.body.append(
        translator.starttag(node, "fieldset", CLASS="question", **{"data-right": node["right"]})
    )


def depart_question(translator: HTML5Translator, node: question) -> None:
    """Close it."""
    translator.body.append("</fieldset>\n")


def visit_title(translator: HTML5Translator, node: question_title) -> None:
    """Open the element."""
    translator.body.append(translator.starttag(node, "legend", ""))


def depart_title(translator: HTML5Translator, node: question_title) -> None:
    """Close it."""
    translator.body.append("</legend>\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive and its nodes."""
    app.add_node(question, html=(visit_question, depart_question))
    app.add_node(question_title, html=(visit_title, depart_title))
    app.add_directive("question", Question)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
