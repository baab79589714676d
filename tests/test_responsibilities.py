"""Bayes' theorem for a discrete latent, in exact arithmetic, at any height and with any prior."""

from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.special import log_softmax, logsumexp

from emvae.responsibilities import log_normalize, normalize, responsibilities
from tests import oracles

tables = npst.arrays(
    float, npst.array_shapes(min_dims=1, max_dims=3, max_side=6), elements=st.floats(-1e5, 1e5, width=32)
)


def test_responsibilities_equal_bayes_theorem_in_fractions():
    likelihood = [["1/2", "1/3", "1/7"], ["1/9", "5/6", "1/100000"], ["2", "4", "6"]]
    prior = ["1/5", "3/10", "1/2"]
    log_likelihood = np.log([[float(Fraction(p)) for p in row] for row in likelihood])
    log_prior = np.log([float(Fraction(p)) for p in prior])
    exact = np.array(oracles.posterior_of_fractions(likelihood, prior), dtype=float)
    np.testing.assert_allclose(responsibilities(log_likelihood, log_prior), exact, rtol=1e-14)
    uniform = np.array(oracles.posterior_of_fractions(likelihood, ["1/3"] * 3), dtype=float)
    np.testing.assert_allclose(responsibilities(log_likelihood), uniform, rtol=1e-14)
    assert abs(exact - uniform).max() > 0.1


def test_by_hand():
    np.testing.assert_allclose(responsibilities(np.log([1.0, 3.0])), [0.25, 0.75], rtol=1e-15)
    np.testing.assert_allclose(
        responsibilities(np.log([1.0, 3.0]), np.log([0.75, 0.25])), [0.5, 0.5], rtol=1e-15
    )
    log_posterior, log_evidence = log_normalize(np.log([[1.0, 3.0], [2.0, 2.0]]))
    np.testing.assert_allclose(np.exp(log_posterior), [[0.25, 0.75], [0.5, 0.5]], rtol=1e-15)
    np.testing.assert_allclose(log_evidence, np.log([4, 4]), rtol=1e-15)


@pytest.mark.parametrize("height", [0.0, -1e5, 1e5, -700.0, 700.0])
def test_every_answer_equals_60_digits_at_any_height(height):
    log_joint = height + np.random.default_rng(0).normal(scale=20, size=(6, 4))
    posterior, log_evidence = oracles.posterior_and_log_evidence(oracles.exact(log_joint))
    logs = [[mp.log(p) for p in row] for row in posterior]
    assert oracles.relative_errors(normalize(log_joint)[0], posterior).max() <= 1e-13
    assert oracles.relative_errors(responsibilities(log_joint), posterior).max() <= 1e-13
    log_posterior = log_normalize(log_joint)[0]
    assert np.abs(oracles.exact_array(log_posterior) - np.array(logs, dtype=object)).max() <= 1e-13
    for evidence in (normalize(log_joint)[1], log_normalize(log_joint)[1]):
        assert evidence.shape == (6,)
        assert oracles.relative_errors(evidence, log_evidence).max() <= 1e-14


@given(tables)
def test_rows_sum_to_one_and_scipy_agrees(log_joint):
    log_posterior, log_evidence = log_normalize(log_joint)
    posterior, same = normalize(log_joint)
    assert log_posterior.shape == posterior.shape == log_joint.shape
    assert log_evidence.shape == log_joint.shape[:-1]
    np.testing.assert_allclose(posterior.sum(axis=-1), 1, rtol=1e-14)
    np.testing.assert_allclose(np.exp(log_posterior).sum(axis=-1), 1, rtol=1e-14)
    np.testing.assert_allclose(log_posterior, log_softmax(log_joint, axis=-1), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(log_evidence, logsumexp(log_joint, axis=-1), rtol=1e-14, atol=1e-14)
    np.testing.assert_array_equal(log_evidence, same)
    assert (log_posterior <= 0).all()


@given(tables, st.integers(-1000, 1000))
def test_a_common_shift_moves_the_evidence_alone(log_joint, shift):
    exactly = np.round(log_joint)  # so that the shift itself rounds nothing
    one, two = log_normalize(exactly), log_normalize(exactly + shift)
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_allclose(two[1], one[1] + shift, rtol=1e-13, atol=1e-12)
    np.testing.assert_array_equal(responsibilities(exactly), responsibilities(exactly + shift))


@given(tables)
def test_a_prior_adds_to_the_log_likelihood_and_its_constant_cancels(log_likelihood):
    log_prior = np.arange(log_likelihood.shape[-1]) - 2.0
    expected = normalize(log_likelihood + log_prior)[0]
    np.testing.assert_array_equal(responsibilities(log_likelihood, log_prior), expected)
    moved = responsibilities(log_likelihood, log_prior + 3)
    np.testing.assert_allclose(moved, expected, rtol=1e-9, atol=1e-12)
    uniform = responsibilities(log_likelihood, np.zeros(len(log_prior)))
    np.testing.assert_array_equal(uniform, responsibilities(log_likelihood))


def test_impossible_components_get_nothing():
    log_joint = np.array([[-np.inf, 0.0, 0.0], [-np.inf, -np.inf, -1e5]])
    posterior, log_evidence = normalize(log_joint)
    assert posterior.tolist() == [[0, 0.5, 0.5], [0, 0, 1]]
    np.testing.assert_allclose(log_evidence, [np.log(2), -1e5], rtol=1e-15)
    assert log_normalize(log_joint)[0][1].tolist() == [-np.inf, -np.inf, 0]
    assert responsibilities([[0.0, 0.0]], [-np.inf, 0.0]).tolist() == [[0, 1]]


def test_nothing_overflows_where_the_naive_quotient_does():
    for height in (800.0, -800.0):
        with np.errstate(over="ignore", invalid="ignore"):
            naive = np.exp(height) / (np.exp(height) + np.exp(height))
        assert np.isnan(naive)
        assert responsibilities([height, height]).tolist() == [0.5, 0.5]


def test_out_takes_the_posterior_and_without_it_the_argument_is_left_as_it_was():
    log_joint = np.random.default_rng(1).normal(size=(5, 3))
    kept = log_joint.copy()
    expected = normalize(log_joint)
    np.testing.assert_array_equal(log_joint, kept)
    posterior, log_evidence = normalize(log_joint, out=log_joint)
    assert posterior is log_joint
    np.testing.assert_array_equal(posterior, expected[0])
    np.testing.assert_array_equal(log_evidence, expected[1])


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.float16])
def test_any_real_numbers_are_taken(dtype):
    table = np.array([[0, 1, 2], [5, 5, 5]], dtype=dtype)
    expected = np.exp(log_softmax(table.astype(float), axis=-1))
    posterior = responsibilities(table)
    assert posterior.dtype == np.float64
    np.testing.assert_allclose(posterior, expected, rtol=1e-14)


def test_the_row_of_a_deep_array_is_named():
    table = np.zeros((2, 3, 4))
    table[1, 2, 0] = np.nan
    with pytest.raises(ValueError, match=r"^row \[1, 2\] of the log joint holds NaN"):
        log_normalize(table)
    table[1, 2] = -np.inf
    with pytest.raises(ValueError, match=r"^row \[1, 2\] of the log joint is impossible"):
        normalize(table)


# --- one answer in two forms


@given(tables)
def test_the_posterior_and_its_logarithm_come_with_the_same_evidence(log_joint):
    posterior, log_evidence = normalize(log_joint)
    log_posterior, the_same = log_normalize(log_joint)
    np.testing.assert_allclose(log_evidence, the_same, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(posterior, np.exp(log_posterior), rtol=1e-9, atol=1e-300)


def test_impossible_components_count_nothing():
    assert normalize([-np.inf, 0.5, -np.inf])[1] == 0.5
    assert normalize([-1e5, -2e5])[1] == -1e5


def test_what_is_not_there_is_zero_and_no_subnormal_number():
    """Matrix products with such numbers take processors twenty times as long."""
    just_there = np.exp(-700.0)
    posterior = normalize([[0.0, -700.0, -700.1], [-800.0, -50.0, -np.inf]])[0]
    np.testing.assert_array_equal(posterior, [[1, just_there, 0], [0, 1, 0]])
    at_the_border = np.linspace(-760, -640, 200)
    posterior = normalize(np.append(at_the_border, 0.0))[0]
    assert not ((posterior > 0) & (posterior < np.finfo(float).tiny)).any()
