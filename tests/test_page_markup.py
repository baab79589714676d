"""Reading times are computed from what is shown; folds keep what they fold."""

import folds
import markup
import page_facts
import pytest
from docutils import nodes
from docutils.utils import new_document


def page(*content):
    document = new_document("page")
    document += content
    return document


def words(n):
    return nodes.paragraph(text="word " * n)


def test_text_takes_time_in_proportion():
    seconds = 1000 * page_facts.SECONDS["word"]
    assert page_facts.reading_minutes(page(words(1000))) == pytest.approx(seconds / 60)
    assert page_facts.reading_minutes(page()) == 0


@pytest.mark.parametrize(
    ("node", "kind", "count"),
    [
        (nodes.math_block(text="a = b"), "display", 1),
        (nodes.math(text="a b c d"), "formula", 1),
        (nodes.literal_block(text="a = 1\nb = 2\nc = 3"), "line of code", 3),
        (nodes.image(uri="x.png"), "picture", 1),
    ],
)
def test_each_kind_counts_once(node, kind, count):
    assert page_facts.reading_minutes(page(node)) == pytest.approx(count * page_facts.SECONDS[kind] / 60)


def test_what_is_folded_away_does_not_count():
    dropdown = nodes.container("", words(500), classes=["sd-dropdown"])
    assert page_facts.reading_minutes(page(words(7), folds.fold("", words(500)), dropdown)) == (
        page_facts.reading_minutes(page(words(7)))
    )


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0.2, "About a minute"), (3.4, "About 3 minutes"), (41.9, "About 40 minutes"), (43, "About 45 minutes")],
)
def test_a_time_is_told_as_exactly_as_it_is_known(minutes, text):
    assert page_facts.duration(minutes) == text


@pytest.mark.parametrize(
    ("tex", "letters"),
    [
        ("K", 1),
        (r"\mathbf{z}", 1),
        (r"p(x \mid z = k)", 8),
        (r"\Sigma_k^{-1}", 3),
        (r"\operatorname{KL}", 2),
        ("x" * 99, 24),
    ],
)
def test_the_width_of_a_formula_is_estimated(tex, letters):
    assert markup.glyphs(tex) == letters


def test_a_solution_becomes_a_fold_with_all_it_holds():
    link = nodes.reference("", "Exercise 1", refuri="#ex")
    title = nodes.title("", "Solution to ", link)
    solution = nodes.admonition("", title, words(3), ids=["sol-x"], classes=["solution", "dropdown"])
    fold = folds.folded(solution)
    assert fold["ids"] == ["sol-x"]
    assert fold["classes"] == ["admonition", "fold", "solution"]
    summary, *content = fold.children
    assert [child.astext() for child in summary.children] == ["Solution to ", "Exercise 1"]
    assert list(summary.findall(nodes.reference)) == []
    assert [child.astext().split() for child in content] == [["word"] * 3]
