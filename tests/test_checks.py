"""The vocabulary of checks: what holds is said, what fails raises, what is measured is kept."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emvae.checks import (
    absolute_error,
    central_difference,
    relative_error,
    report,
    shortfall,
    standard_errors,
)


def test_a_claim_that_holds_is_said_with_its_tolerance_alone(capsys):
    report("eq-em-monotone", 3e-13, 1e-10)
    report("eq-em-monotone", [0.0, -2e-11], 1e-10, part="line 2")
    assert capsys.readouterr().out == (
        "eq-em-monotone: holds, error at most 1e-10\neq-em-monotone, line 2: holds, error at most 1e-10\n"
    )


@pytest.mark.parametrize(
    "error", [1.1e-10, -1.1e-10, [0, 2e-10], [[-3.0]], np.nan, [0, np.nan], np.inf, -np.inf]
)
def test_a_claim_that_fails_raises(error, capsys):
    with pytest.raises(AssertionError, match=r"^eq-x, line 3: fails, error \S+ is above 1e-10$"):
        report("eq-x", error, 1e-10, part="line 3")
    assert capsys.readouterr().out == ""


def test_a_tolerance_of_zero_asks_for_equality(capsys):
    report("eq-x", 0.0, 0)
    with pytest.raises(AssertionError):
        report("eq-x", 5e-324, 0)
    report("eq-x", 1e-10, 1e-10)  # at the tolerance is within it
    assert capsys.readouterr().out.count("holds") == 2


def test_a_notebook_shows_the_verdict_and_keeps_the_measure(monkeypatch, capsys):
    published = []
    display_pub = SimpleNamespace(publish=lambda data, metadata: published.append((data, metadata)))
    shell = SimpleNamespace(display_pub=display_pub)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    report("eq-x", [1.234e-12, -3.456e-12], 1e-9, part="line 1")
    assert capsys.readouterr().out == ""
    ((data, metadata),) = published
    assert data == {"text/plain": "eq-x, line 1: holds, error at most 1e-09"}
    record = {"label": "eq-x", "part": "line 1", "error": 3.5e-12, "tol": 1e-9}
    assert metadata == {"emvae": record}


def test_without_a_shell_ipython_changes_nothing(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    report("eq-x", 0, 1)
    monkeypatch.delitem(sys.modules, "IPython")
    report("eq-x", 0, 1)
    assert capsys.readouterr().out == 2 * "eq-x: holds, error at most 1\n"


def test_errors_are_the_largest_over_entries():
    assert absolute_error([1.0, -2.0], [1.5, 1.0]) == 3
    assert relative_error([1.0, -2.0], [1.25, -4.0]) == 0.5
    assert relative_error([[3.0], [6.0]], [2.0, 4.0]) == 2
    assert absolute_error(2.0, 2.0) == relative_error(2.0, 2.0) == 0


def test_the_second_argument_is_the_reference():
    assert relative_error(1.0, 2.0) == 0.5
    assert relative_error(2.0, 1.0) == 1
    assert relative_error(1.0, -2.0) == 1.5
    assert relative_error(0.0, 0.0) == 0
    assert relative_error(1e-300, 0.0) == np.inf
    assert relative_error(0.0, 1e-300) == 1


def test_equal_infinities_differ_by_nothing_and_nan_by_nan():
    assert absolute_error([np.inf, -np.inf], [np.inf, -np.inf]) == 0
    assert relative_error([np.inf, 1.0], [np.inf, 2.0]) == 0.5
    assert absolute_error(np.inf, -np.inf) == np.inf
    assert np.isnan(absolute_error([0.0, np.nan], 0.0))
    assert np.isnan(relative_error([1.0, np.nan], 1.0))


def test_an_inequality_falls_short_by_its_worst_entry():
    assert shortfall([0.0, 2.0]) == shortfall(3) == 0
    assert shortfall([[1.0, -0.25], [-0.5, 7.0]]) == 0.5
    assert shortfall(np.inf) == 0
    assert shortfall(-np.inf) == np.inf


def test_an_inequality_of_what_is_no_number_does_not_hold():
    assert np.isnan(shortfall([1.0, np.nan, -1.0]))
    with pytest.raises(AssertionError, match=r"^eq-x: fails, error nan"):
        report("eq-x", shortfall(np.nan), 0)
    with pytest.raises(ValueError, match=r"^surplus is empty: pass at least one difference"):
        shortfall([])


def test_standard_errors_by_hand():
    """Mean 3, standard deviation 2 with n - 1, so a standard error of 1."""
    samples = [1.0, 3.0, 5.0, 3.0 + np.sqrt(2), 3.0 - np.sqrt(2)]
    spread = np.std(samples, ddof=1) / np.sqrt(5)
    assert standard_errors(samples, 3.0) == pytest.approx(0, abs=1e-12)
    assert standard_errors(samples, 3.0 - 2 * spread) == pytest.approx(2)
    assert standard_errors(samples, 3.0 + 2 * spread) == pytest.approx(2)
    both = np.column_stack([samples, samples])
    assert standard_errors(both, [3.0, 3.0 + 4 * spread]) == pytest.approx(4)
    assert standard_errors([0.0, 1.0], 1.0) == pytest.approx(1)


def test_samples_without_spread_are_right_or_infinitely_wrong():
    assert standard_errors([2.0, 2.0], 2.0) == 0
    assert standard_errors([2.0, 2.0], 2.5) == np.inf


def test_standard_errors_of_a_right_estimator_are_small_and_of_a_wrong_one_large():
    samples = np.random.default_rng(0).normal(size=(10_000, 3))
    assert standard_errors(samples, np.zeros(3)) < 4
    assert standard_errors(samples, np.full(3, 0.1)) > 8


@given(st.lists(st.floats(-3, 3), min_size=5, max_size=5), st.floats(-2, 2))
def test_quartics_are_differentiated_exactly(coefficients, x):
    """The fifth derivative is the first that the formula misses."""
    polynomial = np.polynomial.Polynomial(coefficients)
    gradient = central_difference(lambda v: polynomial(v), x)
    assert abs(gradient - polynomial.deriv()(x)) <= 1e-9


def test_the_error_falls_with_the_fourth_power_of_the_step():
    errors = [abs(central_difference(np.exp, 0.3, step=h) - np.exp(0.3)) for h in (0.2, 0.1, 0.05)]
    np.testing.assert_allclose(errors, np.exp(0.3) * np.array([0.2, 0.1, 0.05]) ** 4 / 30, rtol=0.03)


def test_the_step_is_relative_for_large_entries():
    points = []
    central_difference(lambda v: points.append(v.copy()) or 0.0, [1000.0], step=1e-3)
    np.testing.assert_allclose(sorted(np.ravel(points)), [998, 999, 1001, 1002], rtol=1e-15)
    points.clear()
    central_difference(lambda v: points.append(v.copy()) or 0.0, [-0.25])
    np.testing.assert_allclose(sorted(np.ravel(points)), [-0.2502, -0.2501, -0.2499, -0.2498], rtol=1e-12)


def test_every_entry_is_differentiated_and_none_is_moved():
    x = np.random.default_rng(1).normal(size=(2, 3))
    kept, weights = x.copy(), np.arange(6.0).reshape(2, 3)
    gradient = central_difference(lambda v: (weights * v**2).sum(), x)
    assert gradient.shape == (2, 3)
    np.testing.assert_allclose(gradient, 2 * weights * x, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(x, kept)
    assert central_difference(lambda v: v**2, 3.0).shape == ()
