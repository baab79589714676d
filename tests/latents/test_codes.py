"""Codes are the encoder's Gaussians, and the aggregate is their mixture."""

import tracemalloc

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import (
    Categorical,
    Independent,
    LowRankMultivariateNormal,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
)

from emvae.autoencoders import VAE, Autoencoder
from emvae.latents import active_units, aggregate_posterior, amortisation_gaps, elbo_surgery, encode, hole_map
from emvae.latents import codes as codes_module
from emvae.mixtures import GaussianMixture
from tests.latents.models import bernoulli_vae, bits, draws, linear_vae

X = bits(30)


@pytest.mark.parametrize("covariance", ["diagonal", "full"])
@pytest.mark.parametrize("n_latent", [1, 2, 5])
def test_codes_are_the_moments_of_q(covariance, n_latent):
    vae = bernoulli_vae(n_latent, covariance=covariance)
    codes, q = encode(vae, X), vae.encoder(X)
    spread = q.covariance_matrix if covariance == "full" else q.variance
    assert codes.means.dtype == codes.covariances.dtype == np.float64
    assert np.allclose(codes.means, q.mean.detach(), rtol=0, atol=1e-14)
    assert np.allclose(codes.covariances, spread.detach(), rtol=1e-13, atol=1e-15)


class TorchsOwn(nn.Module):
    """The same q as an encoder's, as another class of torch's."""

    def __init__(self, encoder, make):
        super().__init__()
        self.encoder, self.make = encoder, make

    def forward(self, x):
        q = self.encoder(x)
        return self.make(q.mean, q.stddev)


TORCHS = {
    "Independent": lambda loc, scale: Independent(Normal(loc, scale), 1),
    "twice": lambda loc, scale: Independent(Independent(Normal(loc, scale), 0), 1),
    "MultivariateNormal": lambda loc, scale: MultivariateNormal(loc, torch.diag_embed(scale**2)),
    "low rank": lambda loc, scale: LowRankMultivariateNormal(loc, 0 * loc[:, :, None], scale**2),
}


@pytest.mark.parametrize("kind", TORCHS)
def test_torchs_own_gaussians_are_as_good_as_ours(kind):
    """Codes, aggregate, holes, surgery, units and gaps of one q under four names."""
    ours = bernoulli_vae(stretch=8.0)
    theirs = VAE(ours.prior, TorchsOwn(ours.encoder, TORCHS[kind]), ours.decoder)
    codes, expected = encode(theirs, X), encode(ours, X)
    full = codes.covariances.ndim == 3
    variances = np.diagonal(codes.covariances, axis1=1, axis2=2) if full else codes.covariances
    assert np.allclose(codes.means, expected.means, rtol=0, atol=1e-14)
    assert np.allclose(variances, expected.covariances, rtol=1e-12, atol=0)
    q, p = aggregate_posterior(theirs, X), aggregate_posterior(ours, X)
    assert np.allclose(hole_map(q, n_side=9).log_ratio, hole_map(p, n_side=9).log_ratio, rtol=0, atol=1e-9)
    cut, same = (elbo_surgery(m, n_samples=50, rng=np.random.default_rng(0)) for m in (q, p))
    assert cut.average_kl.value == pytest.approx(same.average_kl.value, abs=1e-9)
    assert np.allclose(active_units(theirs, X).variances, active_units(ours, X).variances, rtol=1e-12)
    gaps, others = amortisation_gaps(theirs, X[:5]), amortisation_gaps(ours, X[:5])
    assert np.allclose(gaps.distance, others.distance, rtol=1e-9, atol=1e-9)


def test_a_covariance_that_all_data_share_is_given_to_each():
    model = linear_vae(3)
    x = draws(model, 4)
    covariances = encode(model, x).covariances
    expected = (model.encoder.factor @ model.encoder.factor.T).detach()
    assert covariances.shape == (4, 3, 3)
    assert np.allclose(covariances, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("block_size", [1, 7, 30, 100])
def test_codes_do_not_depend_on_the_blocks(block_size, monkeypatch):
    vae = bernoulli_vae()
    whole = encode(vae, X)
    monkeypatch.setattr(codes_module, "BLOCK", block_size)
    codes = encode(vae, X)
    assert np.allclose(codes.means, whole.means, rtol=0, atol=1e-14)
    assert np.allclose(codes.covariances, whole.covariances, rtol=1e-13, atol=0)


def test_no_more_than_a_block_is_encoded_at_a_time(monkeypatch):
    vae, seen = bernoulli_vae(), []
    monkeypatch.setattr(codes_module, "BLOCK", 12)
    vae.encoder.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    encode(vae, X)
    assert seen == [12, 12, 6]


def test_single_precision_is_kept_as_it_is():
    vae = bernoulli_vae().float()
    codes, q = encode(vae, X.float()), vae.encoder(X.float())
    assert np.array_equal(codes.means, q.mean.detach().numpy().astype(np.float64))
    assert np.array_equal(codes.covariances, q.base_dist.scale.detach().numpy().astype(np.float64) ** 2)


def test_a_deterministic_auto_encoder_has_codes_too():
    vae = bernoulli_vae()
    autoencoder = Autoencoder(vae.encoder, vae.decoder)
    assert np.allclose(
        encode(autoencoder, X).means, autoencoder.encode(X).detach().numpy(), rtol=0, atol=1e-14
    )


def test_encoding_leaves_no_gradients():
    vae = bernoulli_vae()
    encode(vae, X)
    assert all(parameter.grad is None for parameter in vae.parameters())


@pytest.mark.parametrize("covariance", ["diagonal", "full"])
def test_the_aggregate_is_torchs_mixture_of_the_posteriors(covariance):
    vae = bernoulli_vae(covariance=covariance)
    aggregate = aggregate_posterior(vae, X)
    assert isinstance(aggregate, GaussianMixture)
    assert aggregate.n_components == len(X)
    assert not aggregate.learn_weights
    weights = Categorical(torch.ones(len(X), dtype=torch.float64))
    reference = MixtureSameFamily(weights, vae.encoder(X))
    z = torch.linspace(-4, 4, 50, dtype=torch.float64).reshape(-1, 2)
    assert np.allclose(aggregate.log_evidence(z.numpy()), reference.log_prob(z).detach(), rtol=0, atol=1e-12)


def test_the_aggregate_of_many_codes_takes_little_memory():
    rng = np.random.default_rng(0)
    k, n = 20_000, 200
    aggregate = GaussianMixture(np.full(k, 1 / k), rng.normal(size=(k, 2)), rng.uniform(1e-4, 1e-2, (k, 2)))
    z = rng.normal(size=(n, 2))
    aggregate.log_evidence(z[:20])
    tracemalloc.start()
    aggregate.log_evidence(z)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.8 * k * n * 8  # the table of all pairs is never held: with 60,000 x 10,000 it has 4.8 GB
