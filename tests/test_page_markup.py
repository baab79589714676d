"""Reading times are told as they were measured; folds keep what they fold."""

import re
from pathlib import Path

import book_pages
import folds
import markup
import page_facts
import pytest
import yaml
from docutils import nodes
from docutils.utils import new_document

ROOT = Path(__file__).resolve().parent.parent
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))


def words(n):
    return nodes.paragraph(text="word " * n)


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        ([70], "About 70 min"),
        ([40, 100], "First reading 40 min, with derivations 1 h 40 min"),
        ([60, 120, 150], "First reading 60 min, with derivations 2 h, with exercises 2 h 30 min"),
    ],
)
def test_a_page_says_how_long_it_takes(minutes, text):
    assert page_facts.times(minutes).replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize("name", [n for n in book_pages.read_toc(ROOT) if re.match(r"book/(\d|further/)", n)])
def test_the_times_of_a_chapter_are_told_once_and_grow(name):
    minutes = CONFIG["sphinx"]["config"]["reading_times"][name]
    assert minutes == sorted(minutes)
    assert len(minutes) in {2, 3}
    assert minutes[0] >= 20


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


def test_a_docstring_that_is_shown_cites_by_number():
    source = 'def f():\n    """Return {eq}`eq-a` as in {eq}`eq-b`, {2}."""'
    listing = nodes.literal_block(source, source)
    markup.write_numbers(listing, {"eq-a": "(2.1)", "eq-b": "(2.2)"}.__getitem__)
    assert listing.astext() == 'def f():\n    """Return (2.1) as in (2.2), {2}."""'
    assert listing.rawsource == listing.astext()


@pytest.mark.parametrize(("mode", "in_sight"), [("all", ""), ("input", "the output")])
def test_hidden_code_is_folded_with_or_without_its_output(mode, in_sight):
    parts = [nodes.container("", nodes.literal_block(text=text)) for text in ("the code", "the output")]
    document = new_document("page")
    document += nodes.container("", *parts, hide_mode=mode)
    folds.fold_code(None, document)
    (fold,) = document.findall(nodes.admonition)
    assert "the code" in fold.astext()
    folds.fold_code(None, document)
    assert len(list(document.findall(nodes.admonition))) == 1
    fold.parent.remove(fold)
    assert document.astext() == in_sight
