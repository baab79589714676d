"""A cell tagged ``check`` is told in one line, made from what its outputs store."""

import json
from types import SimpleNamespace

import check_lines
import folds
import ledger
import pytest
from book_pages import Check, Page, amount
from docutils import nodes
from docutils.utils import new_document
from sphinx.addnodes import pending_xref


def check(part="", error=3e-14, tol=1e-12, label="eq-a"):
    return Check(label, part, error, tol)


def lines(n, **changes):
    return [check(f"line {i}", error=i * 1e-14, **changes) for i in range(1, n + 1)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (3e-14, "3·10⁻¹⁴"), (2.8e-11, "2.8·10⁻¹¹"), (1e-12, "10⁻¹²"), (9.96e-13, "10⁻¹²"),
        (0.73, "0.73"), (0.0015, "0.0015"), (4.0, "4"), (0.001, "0.001"), (1e-4, "10⁻⁴"),
        (250000.0, "2.5·10⁵"),
    ],
)  # fmt: skip
def test_an_amount_is_written_as_a_reader_writes_it(value, text):
    assert amount(value) == text


@pytest.mark.parametrize(
    ("checks", "text"),
    [
        ([check()], "error 3·10⁻¹⁴ (tolerance 10⁻¹²)"),
        ([check("in three dimensions")], "in three dimensions, error 3·10⁻¹⁴ (tolerance 10⁻¹²)"),
        (lines(5), "five lines, largest error 5·10⁻¹⁴ (tolerance 10⁻¹²)"),
        ([check("mean"), check("variance", 1e-13)], "mean; variance, largest error 10⁻¹³ (tolerance 10⁻¹²)"),
        ([check(c * 20) for c in "abcd"], "four parts, largest error 3·10⁻¹⁴ (tolerance 10⁻¹²)"),
        # Of unequal tolerances the one that is used up most, though its error is the smaller.
        (
            [check("a", 1e-3, 1.0), check("b", 9e-5, 1e-4)],
            "a; b, worst error 9·10⁻⁵ (tolerance 10⁻⁴)",
        ),
        ([check("a", 0.0, 0.0)], "a, error 0 (tolerance 0)"),
        ([check("by construction: a sum")], "by construction: a sum, error 3·10⁻¹⁴ (tolerance 10⁻¹²)"),
        (
            [check("by construction: a sum"), check("measured at a thousand places of the plane")],
            "two parts, one by construction, largest error 3·10⁻¹⁴ (tolerance 10⁻¹²)",
        ),
    ],
)
def test_a_line_says_what_was_checked_and_how_well(checks, text):
    assert check_lines.what(checks) == text


def test_the_ledger_marks_and_counts_what_holds_by_construction():
    records = [("eq-a", "by construction: a sum"), ("eq-a", None)]
    outputs = [
        {"metadata": {"emvae": {"label": label, "part": part, "error": 0.0, "tol": 1.0}}}
        for label, part in records
    ]
    cells = [
        {"cell_type": "markdown", "source": "$$ a = b $$ (eq-a)"},
        {"cell_type": "code", "source": "report()", "outputs": outputs},
    ]
    page = Page.from_notebook("book/1-one", {"cells": cells, "metadata": {}})
    assert ledger.count("equations", [page]).endswith(
        "1 are checked, in 2 checks, 1 of them by construction."
    )
    assert [type(ledger._cells(check)[0]) for check in page.checks] == [nodes.emphasis, nodes.inline]


def page(*content):
    return nodes.section("", nodes.title(text="Page"), *content)


def cell(label=None):
    return nodes.container(
        label or "", nodes.literal_block(text=f"report({label!r})"), classes=["cell", "tag_check"]
    )


def figure(name):
    return nodes.figure("", nodes.image(uri="x.png"), nodes.caption(text="It is so."), names=[name])


def line_over(node, title="✓"):
    line = nodes.admonition("", nodes.title(text=title), classes=["dropdown", "thin", "check-line"])
    if node.parent:
        node.parent.replace(node, line)
    line += node
    return line


def test_a_line_names_its_labels_in_words_that_sphinx_resolves():
    checks = [check(), check(label="eq-b"), check(label="fig-c"), check()]
    found = list(check_lines.words(checks, "book/1-one"))
    assert "".join(node.astext() for node in found).startswith("✓ eq-a, eq-b and Figure {number} checked: ")
    references = [node for node in found if isinstance(node, pending_xref)]
    assert [(node["reftype"], node["reftarget"]) for node in references] == [
        ("eq", "eq-a"), ("eq", "eq-b"), ("numref", "fig-c"),
    ]  # fmt: skip


def test_a_cell_that_reports_nothing_has_a_line_as_well():
    text = "".join(node.astext() for node in check_lines.words([], "book/1-one"))
    assert text == "✓ Checked: what the text says here"


@pytest.mark.parametrize("drawn_by_code", [True, False])
def test_the_line_of_a_figure_hangs_directly_below_it(drawn_by_code):
    own, between, *cells = figure("fig-a"), nodes.paragraph(text="Between."), cell(), cell()
    outer = nodes.container("", nodes.container("", own)) if drawn_by_code else own
    section = page(outer, between, *cells)
    lines = [line_over(cell) for cell in cells]
    for line in lines:
        check_lines.hang(line, [own])
    assert section.children[1:] == [outer, *lines, between]


@pytest.mark.parametrize("names", [[], ["fig-a", "fig-b"], [None]])
def test_another_line_stays_where_its_cell_stands(names):
    figures = {name: figure(name) for name in names if name}
    last = cell()
    section = page(*figures.values(), nodes.paragraph(text="Between."), last)
    line = line_over(last)
    check_lines.hang(line, [figures.get(name) for name in names])
    assert section.children[-1] is line


def test_the_line_becomes_a_fold_without_a_box_and_without_links():
    link = nodes.reference("", "(2.24)", refuri="#equation-eq-a")
    line = line_over(cell(), "✓ ")
    line[0] += link
    fold = folds.folded(line)
    assert fold["classes"] == ["fold", "thin", "check-line"]
    summary, code = fold.children
    assert summary["classes"] == []
    assert summary.astext() == "✓ (2.24)"
    assert list(summary.findall(nodes.reference)) == []
    assert "report" in code.astext()


def test_each_tagged_cell_of_a_page_gets_the_line_of_its_own_outputs(tmp_path):
    outputs = [[], ["eq-a"], ["eq-b"]]
    cells = [
        {
            "cell_type": "code",
            "source": "report()",
            "outputs": [
                {"metadata": {"emvae": {"label": a, "part": "it", "error": 0.5, "tol": 1.0}}} for a in found
            ],
        }
        for found in outputs
    ]
    (tmp_path / "book").mkdir()
    (tmp_path / "book/1-one.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}}), encoding="utf-8")
    document = new_document("page")
    for index, tagged in enumerate([False, True, True]):
        container = nodes.container("", nodes.literal_block(text=f"code {index}"), cell_index=index)
        container["classes"] = ["cell", "tag_check"] if tagged else ["cell"]
        document += container
    app = SimpleNamespace(srcdir=tmp_path, env=SimpleNamespace(docname="book/1-one"))
    check_lines.add_lines(app, document)
    plain, first, second = document.children
    assert plain["classes"] == ["cell"]
    assert [line["classes"] for line in (first, second)] == [["dropdown", "thin", "check-line"]] * 2
    assert [line[0].astext() for line in (first, second)] == [
        "✓ eq-a checked: it, error 0.5 (tolerance 1)",
        "✓ eq-b checked: it, error 0.5 (tolerance 1)",
    ]
    assert [line[1].astext() for line in (first, second)] == ["code 1", "code 2"]
