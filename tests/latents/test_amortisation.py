"""The best code of a linear-Gaussian model is known in closed form, as is how far the encoder is from it."""

import numpy as np
import pytest
import torch

from emvae.latents import amortisation_gaps, encode
from tests.latents.models import bernoulli_vae, bits, draws, generator, linear_vae


def wrong_encoder(model, offset):
    """The exact posterior, shifted for all data."""
    model.close_gap()
    with torch.no_grad():
        model.encoder.loc.bias += torch.tensor(offset, dtype=torch.float64)
    return model


@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.3, -0.2), (2.0, 1.0)])
@pytest.mark.parametrize("noise", [1.0, 0.1])
def test_distance_and_gain_in_closed_form(offset, noise):
    model = wrong_encoder(linear_vae(2, noise=noise), offset)
    x = draws(model, 25)
    gaps = amortisation_gaps(model, x)
    posterior = model.exact_posterior(x)
    shift = torch.tensor(offset, dtype=torch.float64)
    distance = (shift @ posterior.precision_matrix[0] @ shift).sqrt().item()
    narrowest = posterior.variance.sqrt().min().item()
    assert np.allclose(gaps.best, posterior.loc.detach(), rtol=0, atol=1e-3)
    assert np.allclose(gaps.distance, distance, rtol=0, atol=4e-3 / narrowest)
    assert np.allclose(gaps.gain, 0.5 * distance**2, rtol=1e-3, atol=1e-3 / narrowest**2 * 1e-2 + 1e-6)
    assert (gaps.gain >= 0).all()


def test_an_independent_q_measures_in_its_own_deviations():
    vae = bernoulli_vae(stretch=8.0)
    x = bits(20)
    gaps = amortisation_gaps(vae, x)
    q = vae.encoder(x)
    white = (torch.tensor(gaps.best) - q.mean) / q.stddev
    assert np.allclose(gaps.distance, white.norm(dim=1).detach(), rtol=1e-10, atol=0)
    assert np.array_equal(gaps.codes.means, encode(vae, x).means)


def test_nothing_near_or_far_is_better_than_the_best():
    vae = bernoulli_vae(stretch=8.0)
    x = bits(8)
    gaps = amortisation_gaps(vae, x)
    best = vae.log_joint(x, torch.tensor(gaps.best))
    at_mean = vae.log_joint(x, vae.encoder(x).mean)
    assert np.allclose(gaps.gain, (best - at_mean).detach(), rtol=0, atol=1e-10)
    anywhere = 2 * torch.randn(2000, 8, 2, dtype=torch.float64, generator=generator())
    near = torch.tensor(gaps.best) + 0.01 * anywhere
    for z in (anywhere, near):
        assert (
            vae.log_joint(x, z) <= best + 5e-3
        ).all()  # at a crease of ReLUs the last thousandth is missed


def test_the_mean_of_q_is_a_candidate():
    """With a square that does not hold the posterior, the exact encoder cannot be beaten."""
    model = linear_vae(2, noise=0.1)
    model.close_gap()
    x = draws(model, 10) + 5.0
    gaps = amortisation_gaps(model, x, half_width=0.5)
    assert np.abs(gaps.codes.means).max() > 1
    assert np.allclose(gaps.best, gaps.codes.means, rtol=0, atol=1e-6)
    assert np.allclose(gaps.gain, 0, rtol=0, atol=1e-10)
    assert np.allclose(gaps.distance, 0, rtol=0, atol=1e-4)


def test_the_worst_come_first():
    vae = bernoulli_vae(stretch=8.0)
    gaps = amortisation_gaps(vae, bits(15))
    order = gaps.worst_first
    assert sorted(order) == list(range(15))
    assert (np.diff(gaps.distance[order]) <= 0).all()
    assert gaps.distance[order[0]] > gaps.distance[order[-1]]


def test_more_data_than_a_block_holds(monkeypatch):
    vae, x = bernoulli_vae(stretch=8.0), bits(11)
    whole = amortisation_gaps(vae, x)
    monkeypatch.setattr("emvae.latents.amortisation.BLOCK", 4)
    parts = amortisation_gaps(vae, x)
    assert np.allclose(parts.best, whole.best, rtol=0, atol=1e-10)
    assert np.allclose(parts.gain, whole.gain, rtol=0, atol=1e-10)
