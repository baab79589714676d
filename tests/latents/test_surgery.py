"""The identity holds draw by draw, and each of its terms is what it says, by oracles of other kinds.

Monte-Carlo means are compared within 4.5 standard errors: a right one fails with probability 7e-6. Seeds are
fixed.
"""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch.distributions import kl_divergence

from emvae.latents import aggregate_posterior, elbo_surgery
from emvae.mixtures import GaussianMixture
from tests.latents.models import bernoulli_vae, bits, linear_vae

X = bits(12)
FULL = np.array([[[0.3, 0.1], [0.1, 0.2]], [[0.5, -0.2], [-0.2, 0.4]], [[0.1, 0.0], [0.0, 0.6]]])
MIXTURES = {
    "full": FULL,
    "tied": FULL[:1],
    "diagonal": FULL[:, [0, 1], [0, 1]],
    "spherical": FULL[:, :1, 0],
}


def rng():
    return np.random.default_rng(3)


def few_codes(kind, weights=(0.5, 0.2, 0.3)):
    return GaussianMixture(weights, [[0.0, 0.5], [1.0, -1.0], [-1.5, 0.3]], MIXTURES[kind])


def is_near(estimate, truth):
    return abs(estimate.value - truth) < 4.5 * estimate.standard_error


@pytest.mark.parametrize("kind", ["full", "diagonal", "spherical"])
def test_the_identity_holds_draw_by_draw(kind):
    surgery = elbo_surgery(few_codes(kind), n_samples=50, rng=rng())
    assert surgery.log_component.shape == (50,)
    left = surgery.log_component - surgery.log_prior
    right = (surgery.log_component - surgery.log_aggregate) + (surgery.log_aggregate - surgery.log_prior)
    assert np.allclose(left, right, rtol=0, atol=1e-13)
    total = surgery.mutual_information.value + surgery.kl_to_prior.value
    assert surgery.average_kl.value == pytest.approx(total, abs=1e-13)


@pytest.mark.parametrize("kind", ["full", "diagonal", "spherical"])
def test_divergence_of_the_aggregate_against_quadrature(kind):
    codes = few_codes(kind)
    parts = list(zip(codes.weights, codes.means, np.broadcast_to(FULL, (3, 2, 2)), strict=True))
    if kind != "full":
        parts = [(w, m, np.diag(np.ones(2) * c)) for (w, m, _), c in zip(parts, MIXTURES[kind], strict=True)]

    axis = np.linspace(-6, 6, 301)
    points = np.stack(np.meshgrid(axis, axis), axis=-1)
    q = sum(w * multivariate_normal(m, c).pdf(points) for w, m, c in parts)
    integrand = q * (np.log(q) - multivariate_normal(np.zeros(2)).logpdf(points))
    truth = integrand.sum() * 0.04**2  # the trapezoidal rule, whose error is far below that of the samples
    surgery = elbo_surgery(codes, n_samples=40_000, rng=rng())
    assert is_near(surgery.kl_to_prior, truth)
    assert surgery.kl_to_prior.standard_error < 0.02


def test_average_divergence_against_its_closed_form():
    vae = bernoulli_vae()
    exact = kl_divergence(vae.encoder(X), vae.prior()).mean().item()
    surgery = elbo_surgery(aggregate_posterior(vae, X), n_samples=20_000, rng=rng())
    assert is_near(surgery.average_kl, exact)
    assert surgery.average_kl.standard_error < 0.01


def test_average_divergence_of_full_covariances_against_its_closed_form():
    model = linear_vae(2)
    x = model.sample(9, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        model.encoder.below_diagonal[1, 0] = 0.8
    exact = kl_divergence(model.encoder(x), model.prior()).mean().item()
    assert is_near(elbo_surgery(aggregate_posterior(model, x), n_samples=20_000, rng=rng()).average_kl, exact)


def test_one_component_has_no_information_and_its_density_is_the_aggregates():
    for kind, covariances in MIXTURES.items():
        if kind != "tied":
            one = GaussianMixture([1.0], [[0.7, -0.4]], covariances[1:2])
            surgery = elbo_surgery(one, n_samples=100, rng=rng())
            assert np.allclose(surgery.log_component, surgery.log_aggregate, rtol=0, atol=1e-12)
            assert surgery.mutual_information.value == pytest.approx(0.0, abs=1e-12)


def test_codes_far_apart_tell_all_about_their_datum():
    weights = np.array([0.5, 0.125, 0.375])
    apart = GaussianMixture(weights, [[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]], np.full((3, 2), 0.01))
    surgery = elbo_surgery(apart, n_samples=20_000, rng=rng())
    assert is_near(surgery.mutual_information, -(weights * np.log(weights)).sum())
    each = np.unique((surgery.log_component - surgery.log_aggregate).round(9))
    assert np.allclose(each, np.sort(-np.log(weights)), rtol=0, atol=1e-8)


def test_another_prior_takes_the_place_of_the_standard_one():
    codes = few_codes("full")
    same = elbo_surgery(codes, n_samples=40, rng=rng(), prior=codes)
    assert np.allclose(same.log_prior, same.log_aggregate, rtol=0, atol=1e-12)
    standard = elbo_surgery(codes, n_samples=40, rng=rng())
    assert np.array_equal(standard.log_component, same.log_component)
    unit = GaussianMixture([1.0], np.zeros((1, 2)), np.ones((1, 2)))
    explicit = elbo_surgery(codes, n_samples=40, rng=rng(), prior=unit)
    assert np.allclose(explicit.log_prior, standard.log_prior, rtol=0, atol=1e-12)


def test_draws_come_from_the_generator():
    codes = few_codes("diagonal")
    first, again = (elbo_surgery(codes, n_samples=10, rng=rng()) for _ in range(2))
    other = elbo_surgery(codes, n_samples=10, rng=np.random.default_rng(4))
    assert np.array_equal(first.log_aggregate, again.log_aggregate)
    assert not np.allclose(first.log_aggregate, other.log_aggregate)
