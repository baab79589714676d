"""Priors: densities against scipy's, imaginary data against their definition, and what is refused."""

import numpy as np
import pytest
import scipy.stats

from emvae.em import fit_em
from emvae.mixtures import BernoulliMixture, Beta, Dirichlet, GaussianMixture, InverseWishart
from tests.models import random_bernoulli_mixture, random_gaussian_mixture

SCALE = np.array([[2.0, 0.5], [0.5, 1.0]])


def gaussian(kind, d=2):
    return random_gaussian_mixture(np.random.default_rng(3), 3, d, kind)


def test_dirichlet_and_beta_are_scipys():
    model = random_bernoulli_mixture(np.random.default_rng(0), 3, 4)
    for concentration in (1.0, 2.5, [1.0, 2.0, 4.0]):
        alpha = np.broadcast_to(concentration, 3)
        expected = scipy.stats.dirichlet.logpdf(model.weights / model.weights.sum(), alpha)
        assert Dirichlet(concentration).log_density(model) == pytest.approx(expected, rel=1e-12)
    a, b = np.array([1.0, 2, 3, 4]), np.full((3, 4), 2.5)
    expected = scipy.stats.beta.logpdf(model.probs, a, b).sum()
    assert Beta(a, b).log_density(model) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", ["full", "tied"])
@pytest.mark.parametrize("scale", [0.7, [0.7, 2.0], SCALE])
def test_inverse_wishart_is_scipys(kind, scale):
    model = gaussian(kind)
    matrix = SCALE if np.ndim(scale) == 2 else np.diag(np.broadcast_to(scale, 2))
    expected = sum(scipy.stats.invwishart.logpdf(c, 3.5, matrix) for c in model.covariances)
    assert InverseWishart(scale, 3.5).log_density(model) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("kind", "scale"), [("diagonal", 0.7), ("diagonal", [0.7, 2.0]), ("spherical", 0.7)])
def test_variances_have_inverse_gamma_densities(kind, scale):
    model = gaussian(kind)
    scales = np.broadcast_to(scale, model.covariances.shape) / 2
    expected = scipy.stats.invgamma.logpdf(model.covariances, 3.5 / 2, scale=scales).sum()
    assert InverseWishart(scale, 3.5).log_density(model) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("kind", "scale", "mode"),
    [
        ("full", SCALE, SCALE / (3.5 + 3)),
        ("tied", SCALE, SCALE / (3.5 + 3)),
        ("diagonal", [0.7, 2.0], np.array([0.7, 2.0]) / (3.5 + 2)),
        ("spherical", 0.7, 0.7 / (3.5 + 2)),
    ],
)
def test_without_data_the_m_step_returns_the_mode(kind, scale, mode):
    model = gaussian(kind)
    prior = InverseWishart(scale, 3.5) * Dirichlet([2.0, 3.0, 6.0])
    new = model.maximise(prior.pseudo_statistics(model))
    np.testing.assert_allclose(new.covariances, np.broadcast_to(mode, new.covariances.shape), rtol=1e-13)
    np.testing.assert_allclose(new.weights, np.array([1, 2, 5]) / 8, rtol=1e-13)
    np.testing.assert_array_equal(new.means, model.means)
    bernoulli = random_bernoulli_mixture(np.random.default_rng(0), 3, 4)
    new = bernoulli.maximise((Beta(2.0, 4.0) * Dirichlet(2.0)).pseudo_statistics(bernoulli))
    np.testing.assert_allclose(new.probs, 0.25, rtol=1e-13)


def test_at_the_edge_of_the_unit_interval_a_flat_prior_is_finite_and_another_is_not():
    model = BernoulliMixture([0.5, 0.5], [[0.0, 1.0], [0.5, 0.5]])
    assert Beta(1, 1).log_density(model) == 0.0
    assert Beta(1, 2).log_density(model) == -np.inf
    assert Dirichlet(2).log_density(GaussianMixture([1.0, 0.0], [[0.0], [1.0]], [[1.0], [1.0]])) == -np.inf


NOT_DEFINITE = r"^scale is not positive definite"
BAD = {
    "Dirichlet below 1": (lambda: Dirichlet(0.5), r"^concentration holds 0\.5: it should be at least 1"),
    "Beta below 1": (lambda: Beta(2, [1, 0.9]), r"^b holds 0\.9: it should be at least 1"),
    "Beta of text": (lambda: Beta("a", 1), r"^a has dtype <U1: pass real numbers"),
    "scale 0": (lambda: InverseWishart(0.0, 3), NOT_DEFINITE),
    "scale not symmetric": (lambda: InverseWishart([[1, 0.5], [0, 1]], 3), NOT_DEFINITE),
    "scale not definite": (lambda: InverseWishart([[1, 2], [2, 1]], 3), NOT_DEFINITE),
    "degrees": (lambda: InverseWishart(1.0, 0), r"^degrees = 0\.0: it should be positive"),
}
MISFITS = {
    "Dirichlet": (Dirichlet([1, 2]), "full", r"^concentration has shape \(2,\): pass a"),
    "Beta": (Beta(1, 1), "full", r"^Beta is a prior on the probs of a BernoulliMix"),
    "degrees": (InverseWishart(1.0, 0.5), "full", r"^degrees = 0\.5: for D = 2 it should be above 1"),
    "matrix": (InverseWishart(SCALE, 3), "diagonal", r"^scale has shape \(2, 2\): diagonal covariances take"),
    "vector": (InverseWishart([1, 2], 3), "spherical", r"^scale has shape \(2,\): spherical covar"),
    "size": (InverseWishart([1, 2, 3], 3), "full", r"^scale has shape \(3,\): full covariances take"),
}


def test_one_datum_cloud_under_an_inverse_wishart_alone_has_its_textbook_maximum():
    """(scatter + scale) / (N + degrees + D + 1): the prior adds its scale and its degrees, and no datum."""
    x = np.random.default_rng(1).normal(size=(9, 2))
    centred = x - x.mean(axis=0)
    fit = fit_em(GaussianMixture([1.0], [[0.0, 0.0]], [np.eye(2)]), x, prior=InverseWishart(SCALE, 3.5))
    expected = (centred.T @ centred + SCALE) / (9 + 3.5 + 2 + 1)
    np.testing.assert_allclose(fit.model.covariances[0], expected, rtol=1e-12)


@pytest.mark.parametrize("name", BAD)
def test_parameters_that_make_no_prior_are_refused(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name", MISFITS)
def test_a_prior_that_does_not_suit_the_model_is_refused(name):
    prior, kind, message = MISFITS[name]
    for call in (prior.pseudo_statistics, prior.log_density):
        with pytest.raises(ValueError, match=message):
            call(gaussian(kind))
    with pytest.raises(ValueError, match=r"^InverseWishart is a prior on the covariances of a Ga"):
        InverseWishart(1.0, 3).log_density(BernoulliMixture([1.0], [[0.5]]))
