"""A q with a full covariance, from training to a file and through all that looks at codes."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from emvae.autoencoders import BernoulliNetwork, GaussianNetwork, load, save
from emvae.autoencoders.vae import VAE
from emvae.bounds import NegativeELBO, elbo_analytic_kl, elbo_monte_carlo
from emvae.checks import standard_errors
from emvae.latents import (
    active_units,
    aggregate_posterior,
    amortisation_gaps,
    elbo_surgery,
    encode,
    hole_mass,
    log_evidence_by_quadrature,
)
from emvae.training import train
from tests.latents.models import StandardGaussian, bits, generator

X = bits(64, 8)


def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def trained():
    g = generator(1)
    model = VAE(
        StandardGaussian(2),
        GaussianNetwork([8, 16, 2], covariance="full", generator=g),
        BernoulliNetwork([2, 16, 8], generator=g),
    )
    before = elbo_analytic_kl(model, X.float(), n_samples=50, generator=generator()).value.mean().item()
    train(model, X.float(), NegativeELBO(), generator=g, n_epochs=60, batch_size=16, learning_rate=1e-2)
    model = model.double()
    after = elbo_analytic_kl(model, X, n_samples=50, generator=generator()).value.mean().item()
    assert after > before + 0.3
    return model


def test_training_tilts_it(trained):
    """Correlations within q are what a diagonal one cannot have."""
    covariances = encode(trained, X).covariances
    tilt = covariances[:, 0, 1] / np.sqrt(covariances[:, 0, 0] * covariances[:, 1, 1])
    assert np.abs(tilt).max() > 0.2


def test_it_comes_back_from_a_file(trained, tmp_path):
    save(trained, tmp_path / "model.pt")
    again = encode(load(tmp_path / "model.pt"), X)
    assert again == encode(trained, X)


def test_its_bounds_agree_with_each_other_and_with_the_evidence(trained):
    with torch.no_grad():
        one, three = (
            form(trained, X, n_samples=4000, generator=generator(seed)).value
            for seed, form in enumerate((elbo_analytic_kl, elbo_monte_carlo))
        )
    assert standard_errors((one - three).numpy(), np.zeros(len(X))) < 4.5
    evidence = log_evidence_by_quadrature(trained, X)
    assert evidence.converged.all()
    error = three.std(0).numpy() / np.sqrt(4000)
    assert (three.mean(0).numpy() < evidence.value + 4.5 * error).all()
    estimate = trained.log_evidence(X, n_samples=20_000, generator=generator()).numpy()
    assert np.allclose(estimate, evidence.value, rtol=0, atol=0.05)


def test_what_looks_at_codes_sees_its_tilt(trained):
    codes, aggregate = encode(trained, X), aggregate_posterior(trained, X)
    z = rng().normal(size=(20, 2))
    density = np.mean(
        [multivariate_normal(m, c).pdf(z) for m, c in zip(codes.means, codes.covariances, strict=True)],
        axis=0,
    )
    assert np.allclose(aggregate.log_evidence(z), np.log(density), rtol=0, atol=1e-9)
    traces = np.trace(codes.covariances, axis1=1, axis2=2) + (codes.means**2).sum(axis=1)
    kl = 0.5 * (traces - 2 - np.linalg.slogdet(codes.covariances)[1])
    cut = elbo_surgery(aggregate, n_samples=5000, rng=rng()).average_kl
    assert abs(cut.value - kl.mean()) < 4.5 * cut.standard_error
    mass = hole_mass(aggregate, n_samples=200, rng=rng())
    ratio = aggregate.log_evidence(mass.z) - multivariate_normal(np.zeros(2)).logpdf(mass.z)
    assert np.allclose(mass.log_ratio, ratio, rtol=0, atol=1e-9)
    assert np.allclose(active_units(trained, X).variances, codes.means.var(axis=0, ddof=1), rtol=1e-12)
    gaps = amortisation_gaps(trained, X[:4])
    for n in range(4):
        offset = gaps.best[n] - codes.means[n]
        expected = np.sqrt(offset @ np.linalg.inv(codes.covariances[n]) @ offset)
        assert gaps.distance[n] == pytest.approx(expected, rel=1e-9)
