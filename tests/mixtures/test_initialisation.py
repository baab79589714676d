"""Starts: labels from seeds, seeds from distances, all from the Generator that is passed."""

import numpy as np
import pytest

from emvae.checks import standard_errors
from emvae.mixtures import BernoulliMixture, GaussianMixture, initial_responsibilities
from emvae.mixtures import initialisation as module
from tests.models import METHODS

X = np.random.default_rng(0).normal(size=(50, 2))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("k", [1, 3, 50])
def test_rows_are_distributions(method, k):
    resp = initial_responsibilities(X, k, rng=np.random.default_rng(1), method=method)
    assert resp.shape == (50, k)
    np.testing.assert_allclose(resp.sum(axis=1), 1, rtol=1e-14)
    assert resp.min() >= 0
    if method != "random-responsibilities":
        assert set(np.unique(resp)) <= {0.0, 1.0}
        assert (resp.sum(axis=0) >= 1).all()  # every seed owns itself


@pytest.mark.parametrize("method", METHODS)
def test_the_generator_decides(method):
    def draw(seed):
        return initial_responsibilities(X, 4, rng=np.random.default_rng(seed), method=method)

    np.testing.assert_array_equal(draw(1), draw(1))
    assert not np.array_equal(draw(1), draw(2))


def test_k_means_plus_plus_is_the_default():
    one = initial_responsibilities(X, 4, rng=np.random.default_rng(3))
    two = initial_responsibilities(X, 4, rng=np.random.default_rng(3), method="k-means++")
    other = initial_responsibilities(X, 4, rng=np.random.default_rng(3), method="random-points")
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("method", ["k-means++", "random-points"])
def test_every_datum_goes_to_its_nearest_seed(method, monkeypatch):
    seeds = []
    draw = module._draw_seed

    def spy(*args, **options):
        seeds.append(draw(*args, **options))
        return seeds[-1]

    monkeypatch.setattr(module, "_draw_seed", spy)
    resp = initial_responsibilities(X, 5, rng=np.random.default_rng(2), method=method)
    assert len(set(seeds)) == 5
    for x, row in zip(X, resp, strict=True):
        distances = [np.hypot(*(x - X[seed])) for seed in seeds]
        assert int(np.argmax(row)) == int(np.argmin(distances))


def frequencies_of_second_seeds(method):
    """Three points on a line at 0, 1 and 3; seeds are told apart by the labels they give."""
    x = np.array([[0.0], [1.0], [3.0]])
    pairs = []
    for seed in range(4000):
        resp = initial_responsibilities(x, 3, rng=np.random.default_rng(seed), method=method)
        first, second = resp[:, 0].argmax(), resp[:, 1].argmax()
        pairs.append(np.eye(9)[3 * first + second])
    return np.array(pairs)


def test_k_means_plus_plus_draws_seeds_by_squared_distance():
    """9 comparisons at 5 standard errors: fail by chance in 1 of 190,000 sets of seeds."""
    expected = np.array([[0, 1 / 10, 9 / 10], [1 / 5, 0, 4 / 5], [9 / 13, 4 / 13, 0]]) / 3
    assert standard_errors(frequencies_of_second_seeds("k-means++"), expected.ravel()) <= 5


def test_random_points_are_uniform_without_repetition():
    """9 comparisons at 5 standard errors: fail by chance in 1 of 190,000 sets of seeds."""
    expected = (1 - np.eye(3)) / 6
    assert standard_errors(frequencies_of_second_seeds("random-points"), expected.ravel()) <= 5


def test_random_responsibilities_are_uniform_on_the_simplex():
    """Mean 1/3 and second moment 1/6 of each share; 6 comparisons at 5 standard errors."""
    x = np.zeros((4000, 1))
    resp = initial_responsibilities(x, 3, rng=np.random.default_rng(0), method="random-responsibilities")
    assert standard_errors(resp, np.full(3, 1 / 3)) <= 5
    assert standard_errors(resp**2, np.full(3, 1 / 6)) <= 5


@pytest.mark.parametrize("method", ["k-means++", "random-points"])
def test_with_fewer_distinct_points_than_components_some_get_nothing(method):
    x = np.repeat([[0.0], [1.0]], 5, axis=0)
    resp = initial_responsibilities(x, 4, rng=np.random.default_rng(0), method=method)
    assert sorted(resp.sum(axis=0)) == [0, 0, 5, 5]


def test_far_data_are_centred_before_distances_are_taken():
    """At 1e8 the squared norms have lost all that distinguishes neighbours."""
    x = 1e8 + np.arange(6.0)[:, None]
    resp = initial_responsibilities(x, 6, rng=np.random.default_rng(0))
    assert sorted(resp.argmax(axis=1)) == list(range(6))


# --- large data


def test_a_start_looks_at_a_sample_of_large_data(monkeypatch):
    monkeypatch.setattr(module, "MAX_ROWS", 20)
    sample = module.subsample(X, n_components=3, rng=np.random.default_rng(0))
    assert sample.shape == (20, 2)
    assert sample.dtype == np.float64
    where = [int(np.flatnonzero((X == row).all(axis=1))[0]) for row in sample]
    assert where == sorted(set(where))  # distinct rows, in the order of the data
    assert where != list(range(20))
    start = GaussianMixture.initialise(X, 3, rng=np.random.default_rng(0))
    np.testing.assert_allclose(start.min_variance, 1e-6 * sample.var(axis=0), rtol=1e-12)


def test_a_sample_never_holds_fewer_rows_than_components(monkeypatch):
    monkeypatch.setattr(module, "MAX_ROWS", 20)
    assert module.subsample(X, n_components=30, rng=np.random.default_rng(0)).shape == (30, 2)
    assert GaussianMixture.initialise(X, 30, rng=np.random.default_rng(0)).n_components == 30
    monkeypatch.setattr(module, "MAX_ROWS", 50)
    np.testing.assert_array_equal(module.subsample(X, n_components=2, rng=np.random.default_rng(0)), X)


def test_16384_rows_are_enough_for_a_start():
    x = np.zeros((16_385, 1))
    assert len(module.subsample(x, n_components=1, rng=np.random.default_rng(0))) == 16_384
    assert len(module.subsample(x[:-1], n_components=1, rng=np.random.default_rng(0))) == 16_384


def test_starts_of_bits_use_the_method_that_is_asked_for():
    bits = (X > 0).astype(int)
    starts = [
        BernoulliMixture.initialise(bits, 3, rng=np.random.default_rng(0), method=m).probs for m in METHODS
    ]
    assert not np.allclose(starts[0], starts[2])
    assert not np.allclose(starts[1], starts[2])
