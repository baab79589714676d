"""Holes of aggregates whose holes are known. Shares within 4.5 standard errors, seeds fixed."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from emvae.latents import hole_map, hole_mass, log_density_ratio
from emvae.mixtures import GaussianMixture

NARROW = 0.6  # standard deviation of a single code at the origin


def rng():
    return np.random.default_rng(5)


def single(scale=NARROW, n_latent=2, mean=0.0):
    return GaussianMixture([1.0], np.full((1, n_latent), mean), np.full((1, n_latent), scale**2))


def test_the_ratio_is_of_the_two_densities():
    means, covariances = np.array([[0.0, 1.0], [2.0, -1.0]]), np.array([[0.5, 0.2], [1.5, 0.1]])
    aggregate = GaussianMixture([0.25, 0.75], means, covariances)
    z = rng().normal(size=(20, 2))
    q = sum(
        w * multivariate_normal(m, np.diag(c)).pdf(z)
        for w, m, c in zip([0.25, 0.75], means, covariances, strict=True)
    )
    p = multivariate_normal(np.zeros(2)).pdf(z)
    assert np.allclose(log_density_ratio(aggregate, z), np.log(q / p), rtol=0, atol=1e-11)
    against_itself = log_density_ratio(aggregate, z, prior=aggregate)
    assert np.allclose(against_itself, 0, rtol=0, atol=1e-12)


def test_the_map_has_rows_from_bottom_to_top():
    here = GaussianMixture([1.0], [[1.0, -2.0]], [[0.05, 0.05]])
    drawn = hole_map(here, half_width=3.0, n_side=61)
    assert np.allclose(drawn.axis, np.linspace(-3, 3, 61), rtol=0, atol=1e-15)
    assert drawn.log_ratio.shape == (61, 61)
    i, j = 9, 41
    direct = log_density_ratio(here, [[drawn.axis[j], drawn.axis[i]]])
    assert drawn.log_ratio[i, j] == pytest.approx(direct[0], abs=1e-12)
    peak = drawn.log_ratio - 0.5 * (drawn.axis[:, None] ** 2 + drawn.axis**2)  # log q, up to a constant
    i, j = np.unravel_index(peak.argmax(), peak.shape)
    assert (drawn.axis[j], drawn.axis[i]) == pytest.approx((1.0, -2.0), abs=1e-12)


def test_the_map_of_another_prior():
    drawn = hole_map(single(), half_width=2.0, n_side=5, prior=single())
    assert np.allclose(drawn.log_ratio, 0, rtol=0, atol=1e-12)


def test_the_usual_map_goes_to_three_and_a_half():
    drawn = hole_map(single())
    assert (drawn.axis[0], drawn.axis[-1], len(drawn.axis)) == (-3.5, 3.5, 150)


@pytest.mark.parametrize("threshold", [-3.0, -np.log(10.0), -0.5])
def test_the_mass_of_holes_around_one_narrow_code(threshold):
    """log q - log p = -2 ln s - r^2 (1/s^2 - 1) / 2, and r^2 exceeds c with probability exp(-c / 2)."""
    cut = 2 * (-2 * np.log(NARROW) - threshold) / (1 / NARROW**2 - 1)
    truth = np.exp(-cut / 2)
    n = 20_000
    mass = hole_mass(single(), n_samples=n, rng=rng(), threshold=threshold)
    assert abs(mass.share.value - truth) < 4.5 * np.sqrt(truth * (1 - truth) / n)
    assert mass.share.low < mass.share.value < mass.share.high
    assert np.array_equal(mass.in_hole, (mass.z**2).sum(axis=1) > cut)
    assert np.allclose(mass.log_ratio, log_density_ratio(single(), mass.z), rtol=0, atol=1e-12)


def test_a_hole_is_by_default_where_codes_are_ten_times_rarer():
    mass = hole_mass(single(), n_samples=500, rng=rng())
    assert np.array_equal(mass.in_hole, mass.log_ratio < -np.log(10))
    assert 0 < mass.share.value == mass.in_hole.mean() < 1


@pytest.mark.parametrize("n_latent", [1, 2, 3])
def test_codes_that_are_the_prior_leave_no_holes(n_latent):
    mass = hole_mass(single(1.0, n_latent), n_samples=200, rng=rng())
    assert mass.z.shape == (200, n_latent)
    assert mass.share.value == 0.0
    assert np.allclose(mass.log_ratio, 0, rtol=0, atol=1e-12)


def test_points_come_from_the_prior_that_is_asked_for():
    far = single(0.1, mean=5.0)
    mass = hole_mass(single(), n_samples=100, rng=rng(), prior=far)
    assert np.abs(mass.z - 5.0).max() < 1.0
    assert mass.in_hole.all()
    filled = hole_mass(far, n_samples=100, rng=rng(), prior=far)
    assert not filled.in_hole.any()
