"""The vocabulary of test cells: what passes, what fails, and that a failure says why."""

import functools
import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import emvae.assignments
from emvae.assignments import (
    expect_close,
    expect_fast,
    expect_rejected,
    expect_shape,
    expect_true,
    expect_unchanged,
    runs_with_student,
)

ROOT = Path(__file__).resolve().parent.parent
EQUATION = "eq-responsibility-log-sum-exp"
# What the built pages say, as tests/browser judges.
PLACE = json.loads((ROOT / "emvae/data/equations.json").read_text())[EQUATION]
SEE = f"See equation ({PLACE['number']}), section {PLACE['section']}"

close = functools.partial(expect_close, what="the evidence", equation=EQUATION)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (1, 1.0),
        ([1.0, 2.0], (1, 2)),
        (torch.tensor([1.0], requires_grad=True), np.ones(1)),
        (1e12 + 1, 1e12),
        ([-np.inf, np.inf, np.nan], [-np.inf, np.inf, np.nan]),
        (np.float32(0.5), 0.5),
    ],
)
def test_what_is_close_passes(actual, expected):
    assert close(actual, expected) is None


@pytest.mark.parametrize(
    ("actual", "expected", "said"),
    [
        (1.0, 2.0, "expected 2, got 1"),
        ([0.0, 1.0, 5.0], [0.0, 1.0, 2.0], r"expected 2 at \[2\], got 5"),
        ([np.nan, 1.0], [0.0, 1.0], r"expected 0 at \[0\], got nan"),
        (np.inf, 1.0, "got inf"),
        (-1e9, -np.inf, "expected -inf, got -1000000000.*should be exactly that"),
        ([0.0, -np.inf], [0.0, np.inf], r"expected inf at \[1\], got -inf"),
        ([0.5, 3.0], [0.5, np.nan], r"expected nan at \[1\], got 3"),
        ([np.nan, np.nan], [np.nan, 0.0], r"expected 0 at \[1\], got nan.\n1 of 2"),
        ([1.0], 1.0, r"expected the shape \(\), got \(1,\)"),
        (None, 1.0, "got None. Does the function end in `return`"),
        (NotImplemented, 1.0, "still open"),
        ("one", 1.0, "expected numbers, got str"),
        ([[1.0], [1.0, 2.0]], 1.0, "expected numbers, got list"),
        (1 + 2e-10, 1.0, "off by 2e-10, accepted is 1e-10"),
    ],
)
def test_what_is_not_close_says_what_was_expected_and_where_to_read(actual, expected, said):
    with pytest.raises(AssertionError, match=f"(?s){said}") as caught:
        close(actual, expected)
    assert str(caught.value).startswith("the evidence: ")
    if "off by" in said:
        assert SEE in str(caught.value)


@pytest.mark.parametrize(
    ("actual", "said"),
    [
        ([3.0, 7.0], "is summed over the wrong axis"),
        ([4.0, 6.0 + 1e-12], "is a sum where a mean belongs"),
        (10.0, "is a sum over everything"),
        ([4.0, 5.0], None),
        ([[4.0, 6.0]], None),
    ],
)
def test_a_known_slip_is_named(actual, said):
    slips = {
        "summed over the wrong axis": [3.0, 7.0],
        "a sum where a mean belongs": [4.0, 6.0],
        "a sum over everything": 10.0,
    }
    with pytest.raises(AssertionError) as caught:
        close(actual, [2.0, 3.0], slips=slips)
    named = [f"is {slip}" for slip in slips if f"if it is {slip}." in str(caught.value)]
    assert named == ([said] if said else [])


TABLE = np.array([[0.1, 0.5, 0.4], [2.0, 3.0, 1.0]])


@pytest.mark.parametrize(
    ("got", "want", "said"),
    [
        (-TABLE, TABLE, "have the wrong sign"),
        (2 * TABLE, TABLE, "are twice what they should be"),
        (TABLE / 2, TABLE, "are half of what they should be"),
        (np.log(TABLE), TABLE, "are the logarithms of the right ones"),
        (TABLE, np.log(TABLE), "are the exponentials of the right ones"),
        (TABLE**2, TABLE, "are the squares of the right ones"),
        (TABLE**0.5, TABLE, "are the square roots of the right ones"),
        (1 / TABLE, TABLE, "are the reciprocals of the right ones"),
        (TABLE.T, TABLE, "are the right ones, transposed"),
        (TABLE.sum(0), TABLE, "are the right ones, summed over axis 0"),
        (TABLE.mean(1), TABLE, "are the right ones, averaged over axis 1"),
        (TABLE.mean(), TABLE, "are the right ones, averaged over everything"),
        (TABLE / TABLE.sum(0), TABLE, "are the right ones, divided by their sum over axis 0"),
        (TABLE - 3.7, TABLE, "are all off by the same amount"),
        (TABLE * 7.3, TABLE, "are all off by the same factor"),
        (TABLE[::-1], TABLE, "are the right ones in another order"),
        (TABLE + np.arange(6.0).reshape(2, 3), TABLE, ""),
        ([-0.0, -np.inf, 1.0], [0.0, np.inf, -1.0], "have the wrong sign"),
        ([np.nan, np.nan], [1.0, 2.0], ""),
        ([2.0, 2.0], [1.0, 1.0], ""),
        (2.0, 1.0, ""),
        ([[1.0]], [1.0, 2.0], ""),
    ],
)
def test_what_wrong_numbers_have_to_do_with_the_right_ones_is_said(got, want, said):
    with pytest.raises(AssertionError) as caught:
        close(got, want)
    lines = [line for line in str(caught.value).splitlines() if line.startswith("The numbers ")]
    assert lines == ([f"The numbers {said}."] if said else [])


def test_a_slip_that_the_test_knows_comes_first():
    with pytest.raises(AssertionError) as caught:
        close(2 * TABLE, TABLE, slips={"counted twice": 2 * TABLE})
    assert "if it is counted twice" in str(caught.value)
    assert "The numbers are twice" not in str(caught.value)


def test_a_right_answer_is_no_slip():
    close([2.0, 3.0], [2.0, 3.0], slips={"right": [2.0, 3.0], "no numbers of that shape": 1.0})


def test_an_object_that_is_equal_to_everything_is_no_number():
    class Yes:
        def __eq__(self, other):
            return True

        __hash__ = None

    with pytest.raises(AssertionError, match="expected numbers"):
        close(Yes(), 1.0)


def test_shapes():
    expect_shape(np.zeros((2, 3)), (2, 3), what="x")
    with pytest.raises(AssertionError, match=r"x: expected an array of shape \(3,\), got \(2, 3\)"):
        expect_shape(np.zeros((2, 3)), (3,), what="x")


def test_properties():
    expect_true([True, np.True_], what="rows sum to one", equation=EQUATION)
    for wrong in (False, [True, False], torch.tensor(False)):
        with pytest.raises(AssertionError, match="does not: rows sum to one"):
            expect_true(wrong, what="rows sum to one", equation=EQUATION)


def test_rejections():
    expect_rejected(int, "x", what="a letter")
    expect_rejected(lambda: [][0], error=IndexError, what="an empty list")
    with pytest.raises(AssertionError, match=r"a digit: expected a ValueError .* got an answer"):
        expect_rejected(int, "1", what="a digit")
    with pytest.raises(AssertionError, match="got TypeError"):
        expect_rejected(int, None, what="nothing")


@pytest.mark.parametrize("call", [close, functools.partial(expect_true, what="x")])
def test_an_equation_that_the_book_does_not_have(call):
    arguments = (1, 1) if call is close else (True,)
    with pytest.raises(ValueError, match="'eq-none' is no label of the book"):
        call(*arguments, equation="eq-none")


def shifts(x, k, theta):
    x -= x.max()


def replaces(x, k, theta):
    x = x - x.max()
    k += 1
    return x * k


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_a_changed_argument_has_a_message_of_its_own(kind):
    given = kind([1.0, np.nan, -np.inf, 2.0])
    expect_unchanged(replaces, given, 3, (1, 2), what="x")
    with pytest.raises(AssertionError, match="x: your function has changed an argument"):
        expect_unchanged(shifts, given, 3, (1, 2), what="x")
    assert np.array_equal(given, [1.0, np.nan, -np.inf, 2.0], equal_nan=True)


def test_a_stand_in_brings_arguments_back():
    def stand_in(x):
        return None

    stand_in.copies_back = lambda x: shifts(x, 0, 0)
    with pytest.raises(AssertionError, match="has changed an argument"):
        expect_unchanged(stand_in, np.arange(3.0), what="x")


def test_speed_and_memory_at_home():
    assert expect_fast(lambda x: x + 1, 1, what="one", seconds=1) == 2
    tries = iter([0.2, 0.0, 0.2])
    assert expect_fast(lambda: time.sleep(next(tries)), what="one", seconds=0.1) is None
    with pytest.raises(AssertionError, match=r"sleep: this took 0\.0\d+ s, 0\.01 s are allowed"):
        expect_fast(time.sleep, 0.03, what="sleep", seconds=0.01)
    with pytest.raises(AssertionError, match="table: arrays of 16 MB were held at one time, 10 are allowed"):
        expect_fast(np.zeros, 2_000_000, what="table", seconds=9, megabytes=10)
    assert expect_fast(np.zeros, 1000, what="table", seconds=9, megabytes=10).shape == (1000,)


@pytest.mark.parametrize(
    ("taken", "held", "said"), [(1.9, 5, None), (2.1, 5, "took 2.1 s, 2 s"), (0, 11, "11 MB")]
)
def test_speed_and_memory_as_a_grader_measures_them(taken, held, said):
    def stand_in():
        raise RuntimeError("this is not measured")

    stand_in.measured = lambda: (7, taken, held, 0.1)
    if said is None:
        assert expect_fast(stand_in, what="work", seconds=1e-9, megabytes=10) == 7
        return
    with pytest.raises(AssertionError, match=said):
        expect_fast(stand_in, what="work", seconds=1e9, megabytes=10)


def test_a_helper_is_marked():
    assert runs_with_student(shifts) is shifts
    assert shifts.runs_with_student is True


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A folder without a book, on a machine that has none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EMVAE_BOOK", raising=False)
    monkeypatch.setattr(emvae.assignments, "BUILT_BOOK", tmp_path / "html")
    return tmp_path


def link():
    with pytest.raises(AssertionError) as caught:
        close(1, 2)
    return str(caught.value).splitlines()[-1]


def test_where_the_book_is(monkeypatch, nowhere):
    assert link() == f"{SEE} of the book."
    page = nowhere / "html" / "book" / "1-responsibilities.html"
    page.parent.mkdir(parents=True)
    page.touch()
    assert link() == f"{SEE}: {page.as_uri()}#equation-{EQUATION}"
    (nowhere / "book-address.txt").write_text("https://a.example/x/\n")
    assert link() == f"{SEE}: https://a.example/x/book/1-responsibilities.html#equation-{EQUATION}"
    monkeypatch.setenv("EMVAE_BOOK", "https://b.example")
    assert link() == f"{SEE}: https://b.example/book/1-responsibilities.html#equation-{EQUATION}"
    monkeypatch.setenv("EMVAE_BOOK", "")
    assert link() == f"{SEE} of the book."


def test_torch_is_not_needed():
    code = "import sys, emvae.assignments as a; a.expect_shape(1, (), what=''); print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


@pytest.fixture(scope="module")
def equations():
    """The script tools/equations.py."""
    spec = importlib.util.spec_from_file_location("equations", ROOT / "tools" / "equations.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_stored_equations_are_the_books(equations):
    assert equations.TARGET.read_text(encoding="utf-8") == equations.text()


def test_equations_are_counted_as_the_book_counts_them(equations):
    """A test of the built book compares all of them with its pages; here are the turns that may be taken."""
    title = "# Chapter"
    first = "$$ a $$ (def-a)\n\nSee {eq}`eq-c`.\n\n## One\n\n```python\n## no heading\n```\n\n$$ b $$ (eq-b)"
    second = (
        "### Inner\n\n$$ no number $$\n\n### Inner\n\n````{prf:proof}\n```{math}\n:label: eq-c\nc\n```\n````"
    )
    third = "#### Innermost\n\n$$ d $$ (eq-d)\n\n## Two\n\n### Inner\n\n$$ e $$ (eq-e)"
    page = equations.Page.from_markdown("page", "\n\n".join([title, first, second, third]))
    assert list(equations.equations(page, 3)) == [
        ("def-a", "3.1", "3"),
        ("eq-b", "3.2", "3.1"),
        ("eq-c", "3.3", "3.1.2"),
        ("eq-d", "3.4", "3.1.2.1"),
        ("eq-e", "3.5", "3.2.1"),
    ]
