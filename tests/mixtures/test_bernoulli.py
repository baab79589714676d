"""Bernoulli mixtures: enumeration of every pattern, exact maximisers, certain pixels."""

import math
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emvae.checks import central_difference, standard_errors
from emvae.em import fit_em
from emvae.mixtures import BernoulliMixture, BernoulliStatistics
from tests import oracles
from tests.models import random_bernoulli_mixture

seeds = st.integers(0, 2**32 - 1)


def drawn(seed, *, n=30, k=3, d=4, **options):
    rng = np.random.default_rng(seed)
    model = random_bernoulli_mixture(rng, k, d, **options)
    x = (rng.random((n, d)) < rng.uniform(0.15, 0.85, d)).astype(int)
    return model, x, rng.dirichlet(np.ones(k), size=n)


def expected_log_joint(model, x, resp):
    return oracles.bernoulli_expected_log_joint(x, resp, model.weights, model.probs)


@pytest.mark.parametrize("d", [1, 3, 8])
def test_probabilities_of_all_patterns_sum_to_one(d):
    model, _, _ = drawn(0, d=d)
    patterns = oracles.all_bits(d)
    np.testing.assert_allclose(np.exp(model.log_likelihood(patterns)).sum(axis=0), 1, rtol=1e-13)
    evidence = np.exp(model.log_evidence(patterns))
    assert math.fsum(evidence) == pytest.approx(1, abs=1e-14)
    # and the mean over all patterns is the mixture's mean
    np.testing.assert_allclose(evidence @ patterns, model.weights @ model.probs, rtol=1e-13)


def test_every_pattern_has_the_probability_of_the_formula():
    model, _, _ = drawn(1)
    patterns = oracles.all_bits(4)
    table = oracles.bernoulli_log_likelihood(patterns, model.probs)
    np.testing.assert_allclose(model.log_likelihood(patterns), np.array(table, dtype=float), rtol=1e-13)
    posterior, evidence = oracles.posterior_and_log_evidence(oracles.joint_table(table, model.weights))
    np.testing.assert_allclose(model.log_evidence(patterns), np.array(evidence, dtype=float), rtol=1e-13)
    np.testing.assert_allclose(model.responsibilities(patterns), np.array(posterior, dtype=float), rtol=1e-12)


def test_certain_pixels_make_patterns_impossible_and_nothing_else():
    probs = np.array([[0.0, 1.0, 0.3], [1.0, 1.0, 0.6], [0.2, 0.7, 0.4]])
    model = BernoulliMixture([0.2, 0.3, 0.5], probs)
    patterns = oracles.all_bits(3)
    with np.errstate(divide="ignore"):
        expected = np.log(
            [
                [np.prod([p if b else 1 - p for p, b in zip(t, row, strict=True)]) for t in probs]
                for row in patterns
            ]
        )
    np.testing.assert_allclose(model.log_likelihood(patterns), expected, rtol=1e-13)
    assert np.isneginf(model.log_likelihood(patterns)).sum() == 12
    assert np.exp(model.log_evidence(patterns)).sum() == pytest.approx(1, abs=1e-14)
    single = replace(model, dtype=np.float32)
    np.testing.assert_allclose(single.log_likelihood(patterns), expected, rtol=1e-6)


def test_only_zeros_or_only_ones_may_be_certain():
    for probs in ([[0.0, 0.5]], [[1.0, 0.5]]):
        model = BernoulliMixture([1.0], probs)
        possible = [[int(probs[0][0]), 1]]
        impossible = [[1 - int(probs[0][0]), 1]]
        assert model.log_likelihood(possible).item() == pytest.approx(np.log(0.5))
        assert model.log_likelihood(impossible).item() == -np.inf
        assert model.log_posterior(possible).item() == 0
        with pytest.raises(
            ValueError, match=r"^row \[0\] of the log joint is impossible under every component"
        ):
            model.responsibilities(impossible)


def test_the_m_step_is_the_expected_frequency_of_ones():
    model, x, resp = drawn(2)
    counts, frequencies = oracles.bernoulli_frequencies(x, resp)
    new = model.maximise(model.statistics(x, resp))
    np.testing.assert_allclose(new.probs, np.array(frequencies, dtype=float), rtol=1e-13)
    np.testing.assert_allclose(new.weights, [float(c / 30) for c in counts], rtol=1e-13)


@settings(max_examples=30)
@given(seed=seeds, min_prob=st.sampled_from([0.0, 0.05, 0.3, 0.45]), learn_weights=st.booleans())
def test_no_feasible_neighbour_of_the_m_step_is_better(seed, min_prob, learn_weights):
    model, x, resp = drawn(seed, n=12, learn_weights=learn_weights)
    model = replace(model, probs=np.clip(model.probs, min_prob, 1 - min_prob), min_prob=min_prob)
    best = model.maximise(model.statistics(x, resp))
    assert best.probs.min() >= min_prob
    assert best.probs.max() <= 1 - min_prob
    tiny = 1e-12  # keeps log finite where a frequency is exactly 0 or 1
    top = expected_log_joint(replace(best, probs=np.clip(best.probs, tiny, 1 - tiny)), x, resp)
    rng = np.random.default_rng(seed)
    for size in (1e-4, 1e-2, 0.3):
        weights = best.weights * np.exp(size * rng.normal(size=3)) if learn_weights else best.weights
        probs = np.clip(best.probs + size * rng.normal(size=best.probs.shape), min_prob, 1 - min_prob)
        other = replace(best, weights=weights / weights.sum(), probs=probs)
        clipped = replace(other, probs=np.clip(other.probs, tiny, 1 - tiny))
        assert expected_log_joint(clipped, x, resp) <= top + 1e-9


def test_the_gradient_of_q_vanishes_at_the_m_step():
    model, x, resp = drawn(3)
    best = model.maximise(model.statistics(x, resp))

    def q(probs):
        return oracles.bernoulli_expected_log_joint(x, resp, best.weights, probs)

    assert abs(central_difference(q, best.probs)).max() <= 1e-8
    assert abs(central_difference(q, 0.99 * best.probs)).max() > 1e-3


def test_a_floor_clips_and_leaves_the_rest():
    x = np.array([[0, 0, 1], [0, 1, 1], [0, 1, 1], [0, 1, 1]])
    model = BernoulliMixture([1.0], [[0.5, 0.5, 0.5]], min_prob=0.1)
    new = model.maximise(model.statistics(x, np.ones((4, 1))))
    assert new.probs.tolist() == [[0.1, 0.75, 0.9]]
    assert new.min_prob == 0.1
    free = replace(model, min_prob=0.0)
    assert free.maximise(free.statistics(x, np.ones((4, 1)))).probs.tolist() == [[0.0, 0.75, 1.0]]


def test_one_component_takes_the_pixel_means():
    _, x, _ = drawn(4)
    start = BernoulliMixture.initialise(x, 1, rng=np.random.default_rng(0), min_prob=0)
    fit = fit_em(start, x)
    np.testing.assert_allclose(fit.model.probs, x.mean(axis=0)[None], rtol=1e-14)


def test_equal_components_stay_equal():
    """The symmetric start is a saddle: EM never leaves it, and lands on the single component."""
    _, x, _ = drawn(5)
    model = BernoulliMixture([0.25, 0.75], np.full((2, 4), 0.4))
    fit = fit_em(model, x, max_iter=10, tol=0)
    np.testing.assert_allclose(fit.model.probs, [x.mean(axis=0)] * 2, rtol=1e-12)
    np.testing.assert_allclose(fit.model.weights, [0.25, 0.75], rtol=1e-12)


@settings(max_examples=25)
@given(seed=seeds, cut=st.integers(1, 29))
def test_statistics_add_over_data(seed, cut):
    model, x, resp = drawn(seed)
    parts = model.statistics(x[:cut], resp[:cut]) + model.statistics(x[cut:], resp[cut:])
    np.testing.assert_allclose(parts.counts, resp.sum(axis=0), rtol=1e-13)
    np.testing.assert_allclose(parts.ones, resp.T @ x, rtol=1e-13, atol=1e-14)
    assert isinstance(parts, BernoulliStatistics)
    with pytest.raises(FrozenInstanceError):
        parts.counts = 0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_results_do_not_depend_on_the_size_of_blocks(dtype, monkeypatch):
    model, x, _ = drawn(6, dtype=dtype)
    tol = 1e-12 if dtype == np.float64 else 1e-5
    whole, table = model.expect(x), model.log_likelihood(x)
    for rows in (1, 7, 29, 30, 31):
        monkeypatch.setattr(BernoulliMixture, "block_rows", rows)
        step = model.expect(x)
        np.testing.assert_allclose(model.log_likelihood(x), table, rtol=tol)
        assert step.log_evidence == pytest.approx(whole.log_evidence, rel=tol)
        np.testing.assert_allclose(step.statistics.ones, whole.statistics.ones, rtol=tol)
        np.testing.assert_allclose(step.statistics.counts, whole.statistics.counts, rtol=tol)


@pytest.mark.parametrize(("d", "k"), [(1, 1), (784, 10), (784, 500), (100_000, 2), (3_000_000, 2)])
def test_a_block_keeps_memory_near_8_megabytes(d, k):
    rows = BernoulliMixture(np.full(k, 1 / k), np.full((k, d), 0.5)).block_rows
    assert rows == min(max(2**20 // (d + k), 1), 16_384)


def test_flipping_bits_flips_probabilities():
    model, x, resp = drawn(7)
    flipped = replace(model, probs=1 - model.probs)
    np.testing.assert_allclose(flipped.log_likelihood(1 - x), model.log_likelihood(x), rtol=1e-12)
    one = flipped.maximise(flipped.statistics(1 - x, resp))
    np.testing.assert_allclose(one.probs, 1 - model.maximise(model.statistics(x, resp)).probs, atol=1e-14)


def test_order_of_data_pixels_and_components_does_not_matter():
    model, x, _ = drawn(8)
    rows, pixels, names = [np.random.default_rng(i).permutation(n) for i, n in enumerate((30, 4, 3))]
    moved = replace(model, weights=model.weights[names], probs=model.probs[names][:, pixels])
    one, two = fit_em(moved, x[rows][:, pixels], max_iter=5, tol=0), fit_em(model, x, max_iter=5, tol=0)
    np.testing.assert_allclose(one.log_evidences, two.log_evidences, rtol=1e-12)
    np.testing.assert_allclose(one.model.probs, two.model.probs[names][:, pixels], rtol=1e-10)


def test_a_sample_has_the_frequencies_of_the_mixture():
    """15 comparisons at 5 standard errors: fail by chance in 1 of 116,000 seeds."""
    rng = np.random.default_rng(9)
    model = random_bernoulli_mixture(rng, 3, 4)
    x, z = model.sample(20_000, rng=rng)
    assert x.dtype == np.uint8
    assert set(np.unique(x)) == {0, 1}
    assert standard_errors(np.eye(3)[z], model.weights) <= 5
    for k in range(3):
        assert standard_errors(x[z == k], model.probs[k]) <= 5
    certain = BernoulliMixture([1.0], [[0.0, 1.0]])
    assert certain.sample(300, rng=rng).x.mean(axis=0).tolist() == [0, 1]


@pytest.mark.parametrize(("learn_weights", "expected"), [(True, 14), (False, 12)])
def test_parameters_bic_and_aic_are_counted_by_hand(learn_weights, expected):
    model, x, _ = drawn(10, learn_weights=learn_weights)
    assert model.n_parameters == expected
    log_likelihood = model.log_evidence(x).sum()
    assert model.bic(x) == pytest.approx(expected * np.log(30) - 2 * log_likelihood, rel=1e-13)
    assert model.aic(x) == pytest.approx(2 * expected - 2 * log_likelihood, rel=1e-13)


def test_a_model_tells_its_size():
    model, _, _ = drawn(11)
    assert repr(model) == "BernoulliMixture(K=3, D=4)"
    assert (model.n_components, model.n_features) == (3, 4)


def test_a_start_lies_halfway_between_its_clusters_and_the_mean():
    x = np.array([[0, 0, 0, 0]] * 3 + [[1, 1, 1, 0]] * 3)
    start = BernoulliMixture.initialise(x, 2, rng=np.random.default_rng(0))
    order = np.argsort(start.probs[:, 0])
    low, high, floor = (1e-4 + 0.5) / 2, (1 - 1e-4 + 0.5) / 2, 1e-4
    expected = [[low, low, low, floor], [high, high, high, floor]]
    np.testing.assert_allclose(start.probs[order], expected, rtol=1e-13)
    assert start.weights.tolist() == [0.5, 0.5]
    assert start.min_prob == 1e-4
    assert start.learn_weights
    assert np.dtype(start.dtype) == np.float64


def test_options_of_a_start_reach_the_model():
    _, x, _ = drawn(12)
    start = BernoulliMixture.initialise(
        x,
        3,
        rng=np.random.default_rng(0),
        method="random-responsibilities",
        min_prob=0.2,
        learn_weights=False,
        dtype=np.float32,
    )
    assert (start.min_prob, start.learn_weights, start.dtype) == (0.2, False, np.float32)
    assert start.probs.min() >= 0.2
    new = fit_em(start, x, max_iter=2).model
    assert (new.min_prob, new.learn_weights, new.dtype) == (0.2, False, np.float32)
    np.testing.assert_array_equal(new.weights, start.weights)


def test_fits_find_the_components_of_a_clear_mixture():
    rng = np.random.default_rng(13)
    truth = BernoulliMixture([0.3, 0.7], [[0.9] * 8 + [0.1] * 8, [0.1] * 8 + [0.9] * 8])
    x, z = truth.sample(400, rng=rng)
    fit = fit_em(BernoulliMixture.initialise(x, 2, rng=rng), x)
    order = np.argsort(fit.model.weights)
    assert abs(fit.model.probs[order] - truth.probs).max() < 0.1
    assert abs(fit.model.weights[order] - [0.3, 0.7]).max() < 0.08
    assert (fit.model.responsibilities(x)[:, order].argmax(axis=1) == z).mean() > 0.99


def test_a_component_of_negligible_responsibility_keeps_its_probabilities():
    """Up to and with 1e-290; whatever is above is data."""
    model = BernoulliMixture([0.5, 0.5], [[0.3, 0.3], [0.3, 0.3]])
    statistics = BernoulliStatistics(np.array([1e-290, 4e-290]), np.array([[1e-290, 0.0], [1e-290, 4e-290]]))
    new = model.maximise(statistics)
    np.testing.assert_allclose(new.probs, [[0.3, 0.3], [0.25, 1 - new.min_prob]])
