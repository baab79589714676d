"""Two orientations of one matrix product: the same sums on either side of the width that tells them apart."""

import numpy as np
import pytest

from emvae.mixtures import BernoulliMixture, GaussianMixture, matrix_products
from tests.models import random_bernoulli_mixture, random_gaussian_mixture


@pytest.mark.parametrize("n_features", [1, 255, 256, 300])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_products_are_the_sums_that_define_them(n_features, dtype):
    """Small whole numbers, so that every order of summation gives the same."""
    rng = np.random.default_rng(0)
    table = rng.integers(-9, 9, size=(n_features, 12)).astype(dtype)
    parameters = rng.integers(-9, 9, size=(3, n_features)).astype(dtype)
    resp = rng.integers(0, 9, size=(12, 3)).astype(float)
    scores = [[sum(parameters[k] * table[:, n]) for n in range(12)] for k in range(3)]
    sums = [[sum(resp[:, k] * table[f]) for f in range(n_features)] for k in range(3)]
    one, two = matrix_products.score(parameters, table), matrix_products.collect(table, resp)
    np.testing.assert_array_equal(one, scores)
    np.testing.assert_array_equal(two, sums)
    assert one.dtype == two.dtype == np.float64


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_the_precision_of_the_table_barely_holds_counts_nothing(dtype):
    """Products of subnormal numbers take processors twenty times as long."""
    smallest = float(np.finfo(np.float32).tiny)
    resp = np.array([[0.99 * smallest, smallest, 1.0]])
    sums = matrix_products.collect(np.ones((1, 1), dtype), resp)
    kept = [resp[0, 0] if dtype is np.float64 else 0.0, smallest, 1.0]
    np.testing.assert_array_equal(sums[:, 0], kept)


def test_the_width_chooses_the_orientation_and_nothing_else(monkeypatch):
    rng = np.random.default_rng(1)
    gaussian = random_gaussian_mixture(rng, 3, 4, "full")
    bernoulli = random_bernoulli_mixture(rng, 3, 9)
    results = []
    for width in (1, 10_000):
        monkeypatch.setattr(matrix_products, "WIDE", width)
        for model in (gaussian, bernoulli):
            x = model.sample(40, rng=np.random.default_rng(2)).x
            resp = model.responsibilities(x)
            new = model.maximise(model.statistics(x, resp))
            results.append((model.log_likelihood(x), new.log_likelihood(x)))
    for one, two in ((results[0], results[2]), (results[1], results[3])):
        np.testing.assert_allclose(one, two, rtol=1e-9)


def test_wide_gaussians_use_the_wide_products():
    """30 full features make 465 products: the M-step is still mean and covariance."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(80, 30)) + 5
    model = GaussianMixture([1.0], np.full((1, 30), 4.0), np.eye(30)[None])
    new = model.maximise(model.statistics(x, np.ones((80, 1))))
    np.testing.assert_allclose(new.means[0], x.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(new.covariances[0], np.cov(x.T, bias=True), rtol=1e-9, atol=1e-12)


def test_wide_bernoullis_use_the_wide_products():
    rng = np.random.default_rng(4)
    x = rng.integers(0, 2, size=(30, 400))
    model = BernoulliMixture([0.5, 0.5], rng.uniform(0.2, 0.8, (2, 400)))
    resp = rng.dirichlet([1, 1], size=30)
    new = model.maximise(model.statistics(x, resp))
    np.testing.assert_allclose(new.probs, (resp.T @ x) / resp.sum(axis=0)[:, None], rtol=1e-12)


def test_with_more_components_than_data_each_datum_has_its_row():
    """A sum over components runs along memory, whichever of the two is longer."""
    rng = np.random.default_rng(5)
    parameters, table = rng.normal(size=(20, 4)), rng.normal(size=(4, 7))
    for k in (20, 8, 7):
        scores = matrix_products.score(parameters[:k], table)
        np.testing.assert_allclose(scores, np.einsum("kf,fn->kn", parameters[:k], table), rtol=1e-12)
        assert scores.dtype == np.float64
