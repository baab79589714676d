"""The book keeps its promises, and each rule that says so catches a made-up book that breaks it."""

import copy
from dataclasses import replace
from pathlib import Path

import book_pages
import pytest

from tests import book_rules
from tests.book_rules import FIRST_EDITION, HEADINGS, OPTIONAL, RULES, Book

ROOT = Path(__file__).resolve().parent.parent
NAME, OLD, FURTHER = "book/1-made-up", "book/9-made-up", "book/further/made-up"

EQUATION = "```{math}\n:label: eq-made-up\na = b\n```"
DEFINITION = "$$\nc := d\n$$ (def-made-up)"
IN_A_PROOF = "````{prf:proof}\n:::{math}\n:label: eq-in-a-proof\na = b\n:::\n````"
PICTURE = "Look:\n\n```{live} made-up\n:alt: A dot.\n\n**It moves.**\n```"
QUESTION = ":::{question} Is $a = b$?\n:right: 1\n- Yes.\n- No.\n- At times.\n\nWhy: it is.\n:::"
EXERCISE = "```{{exercise}} Title\n:label: ex-{0}\nDo.\n```"
SOLUTION = "```{{solution}} ex-{0}\n:label: sol-{0}\n:class: dropdown\nDone.\n```"


@pytest.fixture(scope="module")
def book():
    return book_rules.read(ROOT)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_book_keeps_the_rule(rule, book):
    breaches = list(rule(book))
    assert not breaches, "\n" + "\n".join(breaches)


# --- a small book that keeps every rule, and what breaks each


def check_output(label, error=1e-16, tol=1e-12):
    record = {"label": label, "part": None, "error": error, "tol": tol}
    data = {"text/plain": f"{label}: holds, error at most {tol:g}"}
    return {"output_type": "display_data", "data": data, "metadata": {"emvae": record}}


def prose(text):
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def code(source, *outputs, **metadata):
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": list(outputs)}


def words(n):
    return prose("word " * n)


def good_cells(headings=HEADINGS):
    image = {"output_type": "display_data", "data": {"image/png": "/tmp/x"}, "metadata": {}}
    figure = {"figure": {"name": "fig-made-up", "caption": "**It is so.**"}, "image": {"alt": "A dot."}}
    inside = {
        "Derivation": [
            prose(EQUATION),
            prose(DEFINITION),
            code('called(); report("eq-made-up", 0, 1)', check_output("eq-made-up"), tags=["check"]),
            *[prose(QUESTION)] * 4,
        ],
        "Algorithm": [prose("```{literalinclude} ../emvae/elbo.py\n:pyobject: shown\n```")],
        "Summary": [
            code("plt.show()", image, mystnb=figure),
            code('report("fig-made-up", 0, 1)', check_output("fig-made-up"), tags=["check"]),
        ],
        "Exercises": [prose(text.format(i)) for i in range(5) for text in (EXERCISE, SOLUTION)],
    }
    cells = [prose("# Made up\n\n```python\n## no heading\n```"), prose(PICTURE)]
    for heading in headings:
        cells += [prose(f"## {heading}\n\nText."), *inside.get(heading, [])]
    return cells


def make_book(cells, **changes):
    number = 0
    for cell in cells:
        if cell["cell_type"] == "code":
            number += 1
            cell.setdefault("execution_count", number)
    metadata = changes.pop("metadata", {"language_info": {"name": "python"}})
    name = changes.pop("name", NAME)
    page = book_pages.Page.from_notebook(name, {"cells": cells, "metadata": metadata})
    good = Book(
        pages=[page],
        files={name},
        sources={"emvae/x.py": '"""Derived in {eq}`eq-made-up` and {eq}`def-made-up`."""'},
        public_names={"shown": {"Returned"}, "called": set(), "Returned": set()},
    )
    return replace(good, **changes)


def with_cells(*more):
    return make_book([*good_cells(), *more])


def edited(old, new):
    """Replace text in every cell."""
    cells = good_cells()
    assert any(old in cell["source"] for cell in cells)
    return make_book([{**cell, "source": cell["source"].replace(old, new)} for cell in cells])


def without(text):
    """Leave out the cells that hold a text."""
    cells = good_cells()
    kept = [cell for cell in cells if text not in cell["source"]]
    assert len(kept) < len(cells)
    return make_book(kept)


def changed(source, **update):
    """Change the fields of the cells that hold a text."""
    cells = copy.deepcopy(good_cells())
    for cell in cells:
        if source in cell["source"]:
            cell.update(update)
    return make_book(cells)


def text_output(text, stream="stdout"):
    return {"output_type": "stream", "name": stream, "text": text}


def filled(words_each, cells, heading="Problem"):
    """Add cells of so many words below a heading."""
    found = good_cells()
    place = next(i for i, cell in enumerate(found) if f"## {heading}" in cell["source"]) + 1
    return make_book([*found[:place], *[words(words_each) for _ in range(cells)], *found[place:]])


def before_the_picture(*cells):
    return make_book([*cells, *good_cells()])


IMAGE = {"output_type": "display_data", "data": {"image/png": "x"}, "metadata": {}}
LONG_FOLD = ":::{prf:proof}\n:class: dropdown\n\n" + "word " * 400 + "\n:::"
TAGGED = {"tags": ["nbval-ignore-output"]}
FIGURE_ONLY = {"mystnb": {"figure": {"name": "fig-made-up", "caption": "It is so."}}}
ALT_ONLY = {"mystnb": {"figure": {"name": "fig-made-up"}, "image": {"alt": "A dot."}}}
BREACHES = [
    ("every_label_is_a_definition_or_a_claim", lambda: edited("def-made-up", "made-up")),
    ("every_claim_has_a_check", lambda: without('report("eq-')),
    ("every_claim_has_a_check", lambda: without('report("fig-')),
    ("every_claim_has_a_check", lambda: with_cells(prose("$$ x $$ (eq-x)"))),
    ("every_claim_has_a_check", lambda: with_cells(prose(IN_A_PROOF))),
    ("every_check_has_a_claim", lambda: without(":label: eq-made-up")),
    ("every_check_has_a_claim", lambda: with_cells(code("1", check_output("def-made-up")))),
    ("every_check_holds", lambda: with_cells(code("1", check_output("eq-made-up", 2.0, 1.0)))),
    ("every_check_holds", lambda: with_cells(code("1", check_output("eq-made-up", float("nan"))))),
    ("every_docstring_label_exists", lambda: make_book(good_cells(), sources={"x": "{eq}`eq-x`"})),
    ("every_chapter_has_the_headings", lambda: without("## Summary")),
    ("every_chapter_has_the_headings", lambda: edited("## Problem", "## Derivation")),
    ("every_chapter_has_the_headings", lambda: with_cells(prose("## One more"))),
    ("every_chapter_has_the_headings", lambda: make_book(good_cells(), name=OLD)),
    ("every_chapter_has_the_headings", lambda: make_book(good_cells(["Problem"]), name=FURTHER)),
    ("every_staged_page_begins_with_a_picture", lambda: before_the_picture(words(195))),
    ("every_staged_page_begins_with_a_picture", lambda: edited("Look:", "word " * 195)),
    ("every_staged_page_is_told_in_pieces", lambda: with_cells(words(351))),
    ("every_staged_page_is_told_in_pieces", lambda: with_cells(prose(LONG_FOLD.replace(":class:", ":x:")))),
    ("every_staged_page_is_short", lambda: filled(340, 15)),
    ("every_staged_page_shows_little_code", lambda: with_cells(code("a\n" * 301))),
    ("every_staged_page_folds_its_checks", lambda: with_cells(code("1", check_output("eq-made-up")))),
    ("every_staged_page_folds_its_checks", lambda: changed('report("fig-', metadata={"tags": ["hide-cell"]})),
    ("no_check_draws_a_picture", lambda: with_cells(code("1", IMAGE, tags=["check"]))),
    ("every_staged_chapter_asks", lambda: without("{question}")),
    ("every_public_name_is_used", lambda: make_book(good_cells(), public_names={"call": set()})),
    ("every_public_name_is_used", lambda: without(":pyobject: shown")),
    ("every_file_is_in_the_contents", lambda: make_book(good_cells(), files={NAME, "book/x"})),
    ("every_notebook_is_executed", lambda: changed("plt.show", execution_count=None)),
    ("every_notebook_is_executed", lambda: changed("plt.show", execution_count=7)),
    ("every_notebook_is_executed", lambda: make_book([{**c, "outputs": []} for c in good_cells()])),
    ("no_output_holds_an_error", lambda: with_cells(code("1", {"output_type": "error"}))),
    ("no_output_holds_an_error", lambda: with_cells(code("1", text_output("x", "stderr")))),
    ("no_output_holds_an_error", lambda: with_cells(code("1", text_output("a RuntimeWarning: x")))),
    ("every_output_fits_the_page", lambda: with_cells(code("1", text_output("x\n" + 101 * "x")))),
    ("no_notebook_tells_of_a_machine", lambda: with_cells(code("1", text_output("/home/someone/x")))),
    ("no_notebook_tells_of_a_machine", lambda: with_cells(code("open('/tmp/x')"))),
    ("no_notebook_tells_of_a_machine", lambda: changed("plt.show", metadata={"execution": {}})),
    (
        "no_notebook_tells_of_a_machine",
        lambda: make_book(good_cells(), metadata={"language_info": {"version": "3.11.7"}}),
    ),
    ("every_ignored_output_has_a_reason", lambda: with_cells(code("f()", **TAGGED))),
    ("every_ignored_output_has_a_reason", lambda: with_cells(code("# NBVAL_IGNORE_OUTPUT\nf()"))),
    ("every_label_is_unique", lambda: with_cells(prose(EQUATION))),
    ("every_label_is_unique", lambda: with_cells(prose(DEFINITION))),
    ("every_label_is_unique", lambda: with_cells(prose("(fig-made-up)=\n## x"))),
    ("every_formula_is_balanced", lambda: with_cells(prose(r"So $\hat{\mu$ it is, and $x$."))),
    ("every_formula_is_balanced", lambda: with_cells(prose(r"$$ a} = \{ {b $$ (def-x)"))),
    ("every_formula_is_balanced", lambda: with_cells(prose("```{math}\n:label: def-x\n{a\n```"))),
    ("every_figure_has_a_caption_and_alt_text", lambda: changed("plt.show", metadata=FIGURE_ONLY)),
    ("every_figure_has_a_caption_and_alt_text", lambda: changed("plt.show", metadata=ALT_ONLY)),
    ("every_figure_has_a_caption_and_alt_text", lambda: with_cells(prose("```{image} x.png\n```"))),
    ("every_chapter_has_solved_exercises", lambda: without("{solution} ex-3")),
    ("every_chapter_has_solved_exercises", lambda: without("ex-4")),
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_good_book_breaks_no_rule(rule):
    reasoned = code("# nbval ignores this output: it holds a date\nf()", **TAGGED)
    assert list(rule(with_cells(reasoned))) == []


@pytest.mark.parametrize(("name", "broken"), BREACHES, ids=[name for name, _ in BREACHES])
def test_each_rule_catches_a_breach(name, broken):
    assert list(getattr(book_rules, name)(broken())) != []


NO_BREACHES = [
    ("every_staged_page_begins_with_a_picture", lambda: before_the_picture(words(150))),
    ("every_staged_page_is_told_in_pieces", lambda: with_cells(words(350), prose(LONG_FOLD))),
    ("every_staged_page_is_short", lambda: filled(340, 14)),
    ("every_staged_page_is_short", lambda: filled(340, 15, "Exercises")),
    ("every_staged_page_shows_little_code", lambda: with_cells(code("a\n\n" * 295))),
    ("every_staged_page_shows_little_code", lambda: with_cells(code("a\n" * 301, tags=["check"]))),
    ("every_staged_page_shows_little_code", lambda: make_book([code("a\n" * 301)], name=OLD)),
    ("every_chapter_has_the_headings", lambda: make_book(good_cells(FIRST_EDITION), name=OLD)),
    ("every_chapter_has_the_headings", lambda: make_book(good_cells(), name=FURTHER)),
    (
        "every_chapter_has_the_headings",
        lambda: make_book(good_cells([h for h in HEADINGS if h not in OPTIONAL]), name=FURTHER),
    ),
]


@pytest.mark.parametrize(("name", "kept"), NO_BREACHES)
def test_a_rule_leaves_alone_what_keeps_it(name, kept):
    assert list(getattr(book_rules, name)(kept())) == []


@pytest.mark.parametrize(("heading", "outside"), [("Problem", True), ("Exercises", False), ("Summary", True)])
def test_a_further_page_is_shorter_still(heading, outside):
    cells = [cell for h in HEADINGS for cell in (prose(f"## {h}"), *[words(340)] * (11 * (h == heading)))]
    assert list(book_rules.every_staged_page_is_short(make_book(cells))) == []
    assert bool(list(book_rules.every_staged_page_is_short(make_book(cells, name=FURTHER)))) == outside


def test_what_a_fold_holds_is_not_counted_nor_the_fold_itself():
    inner = "```{dropdown} Seven\nEight.\n```"
    text = f"One two.\n\n````{{dropdown}} Three four\n:color: five\n\nSix.\n\n{inner}\n````"
    page = book_pages.Page.from_notebook(NAME, {"cells": [prose(text + "\n\nNine.")], "metadata": {}})
    assert book_rules._words(page) == {0: 3}


def test_no_rule_is_without_a_breach():
    assert {rule.__name__ for rule in RULES} == {name for name, _ in BREACHES}


def test_a_name_that_an_assignment_uses_is_used():
    unused = make_book(good_cells(), public_names={"call": set()})
    assert list(book_rules.every_public_name_is_used(unused)) != []
    assert list(book_rules.every_public_name_is_used(replace(unused, assignments=["call()"]))) == []


def test_the_contents_are_read_in_order():
    toc = {"root": "a", "parts": [{"chapters": [{"file": "b", "sections": [{"file": "c"}]}]}]}
    assert list(book_pages.files_of_toc(toc)) == ["a", "b", "c"]


def test_the_checks_of_a_notebook_are_read_with_their_numbers():
    (page,) = with_cells().pages
    assert page.checks[0] == book_pages.Check("eq-made-up", "", 1e-16, 1e-12)
    assert page.equations == ["eq-made-up", "def-made-up"]
