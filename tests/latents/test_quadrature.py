"""The integral over the plane against closed forms and scipy, and what it says when it has not converged."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm
from torch.distributions import kl_divergence

from emvae.bounds import elbo_monte_carlo
from emvae.latents import log_evidence_by_quadrature, quadrature
from tests.latents.models import bernoulli_vae, bits, draws, generator, linear_vae, squares_vae


@pytest.mark.parametrize("noise", [1.0, 0.3, 0.02])
def test_the_linear_gaussian_evidence(noise):
    """The posterior's standard deviation is about noise / 2, and the encoder is not trained."""
    model = linear_vae(2, noise=noise)
    x = draws(model, 12)
    found = log_evidence_by_quadrature(model, x, tol=1e-6)
    assert found.converged.all()
    assert np.allclose(found.value, model.log_evidence(x).detach(), rtol=0, atol=1e-6)


def test_a_narrow_posterior_far_from_where_the_encoder_has_it():
    model = linear_vae(2, noise=0.02)
    x = draws(model, 8)
    with torch.no_grad():
        model.encoder.loc.weight.zero_()
        model.encoder.log_diagonal.fill_(-4.0)
    q, posterior = model.encoder(x), model.exact_posterior(x)
    widest = posterior.variance.sqrt().max()
    assert widest < 0.025
    assert ((q.loc - posterior.loc).abs().amax(1) / 0.018).min() > 4  # in standard deviations of q
    found = log_evidence_by_quadrature(model, x)
    assert found.converged.all()
    assert np.allclose(found.value, model.log_evidence(x).detach(), rtol=0, atol=1e-3)


@pytest.mark.parametrize("noise", [0.4, 0.05])
def test_four_modes(noise):
    vae = squares_vae(noise)
    x = torch.tensor([[1.0, 0.3], [2.0, 0.01], [0.5, 4.0]], dtype=torch.float64)
    found = log_evidence_by_quadrature(vae, x, tol=1e-5)
    for row, value in zip(x.tolist(), found.value, strict=True):
        total = 0.0
        for entry in row:
            peak = np.sqrt(entry)
            integral, _ = quad(
                lambda z, entry=entry: norm.pdf(entry, z * z, noise) * norm.pdf(z),
                *(0, 6),
                points=[max(0.0, peak - 0.2), peak, peak + 0.2],
                epsabs=1e-12,
                limit=200,
            )
            total += np.log(2 * integral)
        assert value == pytest.approx(total, abs=1e-4)
    assert found.converged.all()


def test_bits_sum_to_one():
    """Over all x the evidence of a model of bits is a distribution, with steep decoders too."""
    for stretch in (1.0, 10.0):
        vae = bernoulli_vae(n_features=4, stretch=stretch)
        everything = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 4)
        found = log_evidence_by_quadrature(vae, everything)
        assert found.converged.all()
        assert np.exp(found.value).sum() == pytest.approx(1.0, abs=1e-3)
        draws_of_bound = elbo_monte_carlo(vae, everything, n_samples=2000, generator=generator()).value
        assert (draws_of_bound.mean(0).detach().numpy() < found.value).all()


def test_the_gap_of_the_bound_is_the_divergence_from_the_exact_posterior():
    model = linear_vae(2, noise=0.5)
    x = draws(model, 6)
    gap = log_evidence_by_quadrature(model, x, tol=1e-7).value - model.exact_elbo(x).value.detach().numpy()
    divergence = kl_divergence(model.encoder(x), model.exact_posterior(x)).detach()
    assert np.allclose(gap, divergence, rtol=0, atol=1e-6)


def test_each_datum_has_its_own_mesh():
    """Data together give what each gives alone: finer meshes for some change nothing for others."""
    vae = squares_vae(0.3)  # the posterior's width is noise / (2 sqrt(x))
    x = torch.tensor([[0.2, 0.2], [4.0, 9.0], [1.0, 0.5], [16.0, 16.0]], dtype=torch.float64)
    together = log_evidence_by_quadrature(vae, x, tol=1e-4)
    assert together.converged.all()
    assert len(np.unique(together.step)) > 1
    for n in range(4):
        alone = log_evidence_by_quadrature(vae, x[n : n + 1], tol=1e-4)
        assert alone.value[0] == pytest.approx(together.value[n], abs=1e-10)
        assert alone.step[0] == together.step[n]
        assert alone.change[0] == pytest.approx(together.change[n], abs=1e-10)


def test_what_it_says_of_its_accuracy_is_so():
    model = linear_vae(2, noise=0.05)
    x = draws(model, 30)
    found = log_evidence_by_quadrature(model, x, tol=1e-2)
    error = np.abs(found.value - model.log_evidence(x).detach().numpy())
    assert found.converged.all()
    assert (found.change <= 1e-2).all()
    assert (error <= 1e-2).all()
    first = 12.0 / (quadrature.FIRST * quadrature.SIDE)
    halvings = np.log2(first / found.step)
    assert np.allclose(halvings, halvings.round(), rtol=0, atol=1e-12)
    assert halvings.min() >= 1  # two meshes at least


def test_too_few_levels_for_a_narrow_peak_are_owned_up_to():
    model = linear_vae(2, noise=0.005)
    x = draws(model, 2)
    coarse = log_evidence_by_quadrature(model, x, max_levels=2)
    assert not coarse.converged.any()
    fine = log_evidence_by_quadrature(model, x)
    assert fine.converged.all()
    assert np.allclose(fine.value, model.log_evidence(x).detach(), rtol=0, atol=1e-3)


def test_a_peak_of_one_point_is_no_convergence():
    """Meshes of one point each may agree by accident; the share of the largest point tells."""
    model = linear_vae(2, noise=0.001)
    found = log_evidence_by_quadrature(model, draws(model, 20), tol=1e3, max_levels=3)
    assert (found.change < 1e3).all()
    assert not found.converged.any()


def test_a_posterior_at_the_edge_of_the_square_is_owned_up_to():
    model = linear_vae(2, noise=0.3)
    with torch.no_grad():
        model.decoder.loc.bias.zero_()
    z = torch.tensor([[0.0, 0.5], [2.0, 0.0], [0.0, -2.1]], dtype=torch.float64)
    x = model.decoder(z).mean.detach()
    found = log_evidence_by_quadrature(model, x, half_width=2.0)
    assert found.converged.tolist() == [True, False, False]
    wide = log_evidence_by_quadrature(model, x)
    assert wide.converged.all()
    assert found.value[0] == pytest.approx(wide.value[0], abs=1e-3)


def test_only_tiles_that_matter_are_refined(monkeypatch):
    """Halved four times the 64 tiles of the first mesh would be 16,384; a narrow peak needs a handful."""
    decoded, table_of = [], quadrature.table_of
    monkeypatch.setattr(
        quadrature, "table_of", lambda vae, x, z: decoded.append(len(x)) or table_of(vae, x, z)
    )
    model = linear_vae(2, noise=0.02)
    found = log_evidence_by_quadrature(model, draws(model, 1))
    assert found.step[0] == 12.0 / (quadrature.FIRST * quadrature.SIDE) / 2**4
    assert sum(decoded) < 150
    decoded.clear()
    far = model.decoder(torch.tensor([[5.0, 0.0]], dtype=torch.float64)).mean.detach()
    assert not log_evidence_by_quadrature(model, far, half_width=4.0).converged.any()
    assert sum(decoded) == quadrature.FIRST**2


def test_the_edge_is_the_outermost_ring_of_points_and_may_hold_the_tolerance():
    model, half_width = linear_vae(2, noise=0.3), 2.0
    with torch.no_grad():
        model.decoder.loc.bias.zero_()
    x = model.decoder(torch.tensor([[1.6, 0.2]], dtype=torch.float64)).mean.detach()
    posterior = model.exact_posterior(x)
    law = multivariate_normal(posterior.mean[0].detach(), posterior.covariance_matrix[0].detach())
    inner = half_width - 2 * half_width / (quadrature.FIRST * quadrature.SIDE)
    inside, core = (law.cdf([width, width], lower_limit=[-width, -width]) for width in (half_width, inner))
    ring = 1 - core / inside
    assert 1e-4 < ring < 0.1
    for tol, converged in ((ring * 1.1, True), (ring / 1.1, False)):
        found = log_evidence_by_quadrature(model, x, half_width=half_width, tol=tol)
        assert found.converged.tolist() == [converged]


def test_the_margin_is_for_peaks_as_narrow_as_it_says():
    """Two peaks, the higher one so narrow that the first mesh sees only its foot."""
    vae = squares_vae(0.01)
    x = torch.tensor([[1.0, 1.1]], dtype=torch.float64)
    careful = log_evidence_by_quadrature(vae, x)
    truth = sum(
        norm.logpdf(np.sqrt(e)) - np.log(np.sqrt(e)) for e in (1.0, 1.1)
    )  # noise -> 0: two roots, |dz/dx|
    assert careful.converged.all()
    assert careful.value[0] == pytest.approx(truth, abs=1e-2)


class Peaks:
    """log p(x | z), whatever x is: two round peaks of heights 1 and e^height in the plane of z."""

    def __init__(self, z, centres, scales, height):
        squares = [
            ((z - centre) ** 2).sum(-1) / scale**2 for centre, scale in zip(centres, scales, strict=True)
        ]
        self.log_likelihood = torch.logaddexp(-squares[0] / 2, height - squares[1] / 2)

    def log_prob(self, x):
        return self.log_likelihood.expand(-1, len(x))


def test_a_peak_of_the_least_width_hides_between_four_points_of_the_first_mesh():
    """At its nearest points it is h^2 / (4 s^2) nats below its top, far below the broad one that is seen."""
    first = 12.0 / (quadrature.FIRST * quadrature.SIDE)
    centres = torch.tensor([[-1.0, 0.5], [8 * first, -8 * first]], dtype=torch.float64)
    scales, height = (0.05, quadrature.NARROWEST), 4.0
    vae = squares_vae(1.0)
    vae.decoder.forward = lambda z: Peaks(z, centres, scales, height)
    found = log_evidence_by_quadrature(vae, torch.zeros(1, 2, dtype=torch.float64))
    masses = [
        np.exp(h) * 2 * np.pi * s**2 * norm.pdf(c, scale=np.sqrt(1 + s**2)).prod()
        for h, s, c in zip((0.0, height), scales, centres.numpy(), strict=True)
    ]
    assert masses[1] > 0.3 * masses[0]
    assert found.converged.all()
    assert found.value[0] == pytest.approx(np.log(sum(masses)), abs=2e-3)


def test_single_precision():
    model = bernoulli_vae()
    x = bits(3)
    double = log_evidence_by_quadrature(model, x)
    single = log_evidence_by_quadrature(model.float(), x.float())
    assert single.value.dtype == np.float64
    assert single.converged.all()
    assert np.allclose(single.value, double.value, rtol=0, atol=1e-3)


def test_no_gradients_are_kept():
    vae = bernoulli_vae()
    assert isinstance(log_evidence_by_quadrature(vae, bits(2)).value, np.ndarray)
    assert all(parameter.grad is None for parameter in vae.parameters())
