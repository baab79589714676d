"""The record's identities, its sums by brute force, and where the bound is tight."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emvae.elbo import ELBO, discrete_elbo
from emvae.mixtures import BernoulliMixture
from tests import oracles
from tests.models import ROWS

every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def test_the_forms_of_the_bound():
    """Whole numbers: every identity of the sheet is exact."""
    bound = ELBO(expected_log_likelihood=-70, expected_log_prior=-11, entropy=5)
    assert bound.expected_log_joint == -81
    assert bound.kl_to_prior == 6
    assert bound.value == -76
    assert bound.value == bound.expected_log_likelihood - bound.kl_to_prior
    assert bound.gap(-72) == 4


def test_the_atoms_may_be_arrays_and_are_frozen():
    bound = ELBO(np.array([-1.0, -2]), np.array([-3.0, -5]), np.array([0.5, 0.25]))
    assert bound.value.tolist() == [-3.5, -6.75]
    assert bound.kl_to_prior.tolist() == [2.5, 4.75]
    assert bound.gap(np.array([-3.0, -6])).tolist() == [0.5, 0.75]
    with pytest.raises(FrozenInstanceError):
        bound.entropy = 0


@every_row
def test_the_atoms_are_the_sums_that_define_them(row):
    rng = np.random.default_rng(3)
    model, x = row.draw(rng)
    x = x[:6]
    q = rng.dirichlet(np.ones(len(model.weights)), size=len(x))
    if q.shape[1] > 1:
        q[0] = np.eye(q.shape[1])[0]  # certain: 0 log 0 counts nothing
    table, log_prior = oracles.exact(model.log_likelihood(x)), oracles.exact(model.log_prior())
    likelihood, prior, entropy = oracles.elbo_atoms(table, log_prior, q)
    bound = discrete_elbo(model, x, q)
    assert bound.value.shape == (6,)
    np.testing.assert_allclose(bound.expected_log_likelihood, likelihood, rtol=1e-13)
    np.testing.assert_allclose(bound.expected_log_prior, prior, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(bound.entropy, entropy, rtol=1e-13, atol=1e-15)


@every_row
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_gap_is_the_divergence_from_the_posterior(row, seed):
    """log p(x) - ELBO = sum_k q log(q / p(k | x)) >= 0, for any q."""
    rng = np.random.default_rng(seed)
    model, x = row.draw(rng)
    joint = model.log_likelihood(x) + model.log_prior()
    log_evidence = np.logaddexp.reduce(joint, axis=1)
    q = rng.dirichlet(np.ones(joint.shape[1]), size=len(x))
    divergence = (q * (np.log(q) - joint + log_evidence[:, None])).sum(axis=1)
    gap = discrete_elbo(model, x, q).gap(log_evidence)
    np.testing.assert_allclose(gap, divergence, rtol=1e-9, atol=1e-9 * abs(joint).max())
    assert gap.min() >= -1e-12 * abs(joint).max()


def test_a_component_that_is_impossible_and_unused_costs_nothing():
    model = BernoulliMixture([0.5, 0.5], [[0.0], [0.25]])
    bound = discrete_elbo(model, [[1]], [[0.0, 1.0]])
    assert bound.value.item() == pytest.approx(np.log(0.125))
    assert bound.entropy.item() == 0
    assert discrete_elbo(model, [[1]], [[0.5, 0.5]]).value.item() == -np.inf
    off = BernoulliMixture([1.0, 0.0], [[0.5], [0.25]])
    assert discrete_elbo(off, [[1]], [[1.0, 0.0]]).value.item() == pytest.approx(np.log(0.5))


def test_rows_may_miss_one_by_rounding():
    model = BernoulliMixture([0.5, 0.5], [[0.5], [0.25]])
    bound = discrete_elbo(model, [[1]], [[0.5, 0.5 + 9e-9]])
    assert bound.value.item() == pytest.approx(
        discrete_elbo(model, [[1]], [[0.5, 0.5]]).value.item(), abs=1e-7
    )
