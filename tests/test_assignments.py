"""The vocabulary of test cells: what passes, what fails, and that a failure says why."""

import functools
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import emvae
import emvae.responsibilities as package
from emvae.assignments import expect_close, expect_own_work, expect_rejected, expect_shape, expect_true
from emvae.responsibilities import log_normalize

ROOT = Path(__file__).resolve().parent.parent
EQUATION = "eq-responsibility-log-sum-exp"
ANSWER = "emvae.responsibilities.log_normalize"

close = functools.partial(expect_close, what="the evidence", equation=EQUATION)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (1, 1.0),
        ([1.0, 2.0], (1, 2)),
        (torch.tensor([1.0], requires_grad=True), np.ones(1)),
        (1e12 + 1, 1e12),
        ([-np.inf, np.inf], [-np.inf, np.inf]),
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
        ([1.0], 1.0, r"expected the shape \(\), got \(1,\)"),
        (None, 1.0, "got None. Does the function end in `return`"),
        (NotImplemented, 1.0, "still open"),
        ("one", 1.0, "expected numbers, got str"),
        ([[1.0], [1.0, 2.0]], 1.0, "expected numbers, got list"),
        (1 + 2e-10, 1.0, "off by 2e-10, accepted is 1e-10"),
    ],
)
def test_what_is_not_close_says_what_was_expected_and_where_to_read(actual, expected, said):
    with pytest.raises(AssertionError, match=said) as caught:
        close(actual, expected)
    assert str(caught.value).startswith("the evidence: ")
    if "off by" in said:
        assert f"chapter 1: book/1-responsibilities.html#equation-{EQUATION}" in str(caught.value)


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


def test_where_the_book_is(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for base in ("https://a.example/x/", "https://b.example"):
        (tmp_path / "book-address.txt").write_text(f"{base}\n")
        if base == "https://b.example":
            monkeypatch.setenv("EMVAE_BOOK", base)
        with pytest.raises(AssertionError, match=f"{base.rstrip('/')}/book/1-responsibilities.html#"):
            close(1, 2)


def direct(x):
    return log_normalize(x)


def dotted(x):
    return emvae.responsibilities.log_normalize(x)


def imported(x):
    from emvae.responsibilities import log_normalize as renamed

    return renamed(x)


def hidden(x):
    return getattr(package, "log_" + "normalize")(x)


def through(x):
    return direct(x)


def in_a_comprehension(x):
    return [log_normalize(row) for row in x]


def by_default(x, answer=log_normalize):
    return answer(x)


class Method:
    def run(self, x):
        return log_normalize(x)


def with_a_class(x):
    return Method().run(x)


def closure():
    answer = log_normalize
    return lambda x: answer(x)


def own(x):
    peak = x.max(axis=-1, keepdims=True)
    total = np.log(np.exp(x - peak).sum(axis=-1, keepdims=True))
    return x - peak - total, (peak + total)[..., 0]


@pytest.mark.parametrize(
    "function",
    [
        log_normalize, direct, dotted, imported, through, in_a_comprehension, by_default, with_a_class,
        closure(), functools.partial(log_normalize), functools.wraps(log_normalize)(lambda x: direct(x)),
    ],
)  # fmt: skip
def test_the_packages_answer_is_found_by_reading(function):
    with pytest.raises(AssertionError, match=f"your task, and your code leaves it to `{ANSWER}`"):
        expect_own_work(function, ANSWER)


def test_the_packages_answer_is_found_by_calling():
    expect_own_work(hidden, ANSWER)
    with pytest.raises(AssertionError, match="leaves it to"):
        expect_own_work(hidden, ANSWER, example=(np.zeros((2, 3)),))


def test_a_module_stands_for_all_that_it_holds():
    with pytest.raises(AssertionError, match=r"leaves it to `emvae\.responsibilities`"):
        expect_own_work(direct, "emvae.responsibilities")


def test_own_work_passes_whatever_it_raises():
    expect_own_work(own, ANSWER, "emvae.mixtures.GaussianMixture", example=(np.zeros((2, 3)),))
    expect_own_work(own, ANSWER, example=("no array",))
    assert sys.getprofile() is None


def test_a_forbidden_name_that_leads_nowhere():
    with pytest.raises(ValueError, match=r"'emvae\.elbo\.none', which leads nowhere"):
        expect_own_work(own, "emvae.elbo.none")


def test_torch_is_not_needed():
    code = "import sys, emvae.assignments as a; a.expect_shape(1, (), what=''); print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def test_the_stored_labels_are_the_books():
    spec = importlib.util.spec_from_file_location("equations", ROOT / "tools" / "equations.py")
    equations = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(equations)
    assert json.loads(equations.TARGET.read_text(encoding="utf-8")) == json.loads(equations.text())
