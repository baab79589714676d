"""The quintet of a VAE against numpy, integrals over the latent, and the auto-encoder of the same layers."""

import numpy as np
import pytest
import torch

from emvae.autoencoders import (
    VAE,
    Autoencoder,
    BernoulliNetwork,
    GaussianNetwork,
    LinearGaussianVAE,
    StandardGaussian,
)
from emvae.bounds import importance_weighted_bound
from tests import oracles as bits
from tests.autoencoders import oracles


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def vae():
    g = generator(3)
    posterior = GaussianNetwork([5, 6, 2], covariance="full", generator=g)
    return VAE(StandardGaussian(2), posterior, BernoulliNetwork([2, 6, 5], generator=g)).double()


X = np.random.default_rng(0).integers(0, 2, (4, 5)) * 1.0
Z = np.random.default_rng(1).normal(size=(3, 4, 2))


def test_the_log_joint_is_likelihood_and_prior(vae):
    x, z = torch.from_numpy(X), torch.from_numpy(Z)
    prior = -0.5 * (Z**2).sum(axis=-1) - np.log(2 * np.pi)
    likelihood = oracles.bernoulli_log_likelihood(vae.decoder, X, Z)
    np.testing.assert_allclose(vae.log_prior(z), prior, rtol=1e-13)
    np.testing.assert_allclose(oracles.numbers(vae.log_likelihood(x, z)), likelihood, rtol=1e-13)
    np.testing.assert_allclose(oracles.numbers(vae.log_joint(x, z)), likelihood + prior, rtol=1e-13)


def test_the_evidence_sums_to_one_over_all_images(vae):
    """The mesh is fine enough: the 32 integrals add up to 1."""
    evidence = np.exp(oracles.log_evidence_by_quadrature(vae.decoder, bits.all_bits(5)))
    assert evidence.sum() == pytest.approx(1, abs=1e-12)


def test_the_evidence_is_the_importance_weighted_estimate_of_the_same_draws(vae):
    x = torch.from_numpy(X)
    found = vae.log_evidence(x, n_samples=20_000, generator=generator())
    bound = importance_weighted_bound(vae, x, n_samples=20_000, generator=generator())
    error = 1 / bound.effective_sample_size.numpy() - 1 / 20_000  # variance of the log of the mean weight
    truth = oracles.log_evidence_by_quadrature(vae.decoder, X)
    np.testing.assert_array_less(np.abs(found.numpy() - truth), 4.5 * np.sqrt(error))
    assert torch.equal(found, bound.value)


def test_the_evidence_of_a_linear_model_takes_what_any_other_takes():
    model = LinearGaussianVAE(4, 2, generator=generator())
    x = model.sample(3, generator=generator(1))
    exact = model.log_evidence(x)
    assert torch.equal(model.log_evidence(x, n_samples=9, generator=generator()), exact)
    estimate = VAE.log_evidence(model, x, n_samples=20_000, generator=generator())
    torch.testing.assert_close(estimate, exact.detach(), rtol=0, atol=0.1)


def test_samples_have_the_evidence_as_frequencies(vae):
    """50,000 draws over 32 images: chi-square with 31 degrees of freedom, above 66 with probability 3e-4."""
    drawn = vae.sample(50_000, generator=generator()).numpy()
    assert drawn.shape == (50_000, 5)
    counts = np.bincount((drawn @ 2 ** np.arange(4, -1, -1)).astype(int), minlength=32)
    expected = 50_000 * np.exp(oracles.log_evidence_by_quadrature(vae.decoder, bits.all_bits(5)))
    assert ((counts - expected) ** 2 / expected).sum() < 66


def test_sampling_is_reproducible_and_leaves_the_global_stream(vae):
    state = torch.get_rng_state()
    one, same, other = (vae.sample(9, generator=generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert not one.requires_grad


@pytest.mark.parametrize(
    ("n", "g", "message"),
    [(0, generator(), r"n = 0: it should be at least 1"), (3, 7, r"generator is a int: pass a torch")],
)
def test_bad_sampling_is_refused(vae, n, g, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        vae.sample(n, generator=g)


def test_an_auto_encoder_is_the_vae_at_its_mean(vae):
    plain = Autoencoder(vae.encoder, vae.decoder)
    mean, _ = oracles.gaussian_moments(vae.encoder, X)
    expected = oracles.bernoulli_log_likelihood(vae.decoder, X, mean)
    x = torch.from_numpy(X)
    np.testing.assert_allclose(oracles.numbers(plain.encode(x)), mean, atol=1e-14)
    np.testing.assert_allclose(oracles.numbers(plain.log_likelihood(x)), expected, rtol=1e-13)
    assert plain.log_likelihood(x).shape == (4,)
