"""The mesh, the unit square and the table of the decoder."""

import numpy as np
import pytest
import torch
from scipy.stats import kstest, norm

from emvae.latents import inverse_cdf_mesh, log_likelihood_table, plane, to_unit_square
from tests.latents.models import bernoulli_vae, bits, draws, generator, linear_vae


@pytest.mark.parametrize("n", [1, 2, 7])
def test_the_mesh_is_that_of_the_formula(n):
    mesh = inverse_cdf_mesh(n)
    assert mesh.shape == (n, n, 2)
    for i in range(n):
        for j in range(n):
            expected = [norm.ppf((j + 0.5) / n), norm.ppf(1 - (i + 0.5) / n)]
            assert np.allclose(mesh[i, j], expected, rtol=0, atol=1e-12)


def test_the_mesh_is_drawn_as_the_plane_is():
    mesh = inverse_cdf_mesh(9)
    assert (np.diff(mesh[:, :, 0], axis=1) > 0).all()  # z_1 grows to the right
    assert (np.diff(mesh[:, :, 1], axis=0) < 0).all()  # z_2 falls from top to bottom
    assert np.allclose(mesh[4, 4], 0, rtol=0, atol=1e-15)


def test_each_point_of_the_mesh_stands_for_the_same_mass():
    u = norm.cdf(inverse_cdf_mesh(10))
    cells = np.floor(u * 10).astype(int).reshape(-1, 2)
    assert len(np.unique(cells, axis=0)) == 100


def test_the_unit_square_is_the_distribution_function():
    z = np.random.default_rng(0).normal(size=(50, 2)) * 3
    u = to_unit_square(z)
    assert u.shape == (50, 2)
    assert np.allclose(u, norm.cdf(z), rtol=0, atol=1e-14)


def test_the_unit_square_undoes_the_mesh():
    u = to_unit_square(inverse_cdf_mesh(4).reshape(-1, 2)).reshape(4, 4, 2)
    steps = np.array([0.125, 0.375, 0.625, 0.875])
    assert np.allclose(u[:, :, 0], steps, rtol=0, atol=1e-14)
    assert np.allclose(u[:, :, 1], steps[::-1, None], rtol=0, atol=1e-14)


def test_draws_from_the_prior_become_uniform():
    """Kolmogorov and Smirnov; a right map fails at a level of 1e-4, the seed is fixed."""
    u = to_unit_square(np.random.default_rng(1).normal(size=(5000, 2)))
    assert min(kstest(u[:, 0], "uniform").pvalue, kstest(u[:, 1], "uniform").pvalue) > 1e-4
    assert abs(np.corrcoef(u.T)[0, 1]) < 4 / np.sqrt(5000)


@pytest.mark.parametrize("n_latent", [1, 2, 3])
def test_the_table_of_a_bernoulli_decoder(n_latent):
    vae, x = bernoulli_vae(n_latent), bits(5)
    z = torch.randn(7, n_latent, dtype=torch.float64, generator=generator())
    table = log_likelihood_table(vae, x, z)
    assert table.shape == (5, 7)
    assert not table.requires_grad
    for n in range(5):
        for m in range(7):
            probs = torch.sigmoid(vae.decoder.logits(z[m]))
            chances = torch.where(x[n] == 1, probs, 1 - probs)
            assert table[n, m].item() == pytest.approx(chances.log().sum().item(), abs=1e-12)


@pytest.mark.parametrize("numbers", [1, 60, 2**24])
def test_the_table_of_a_gaussian_decoder_whatever_the_blocks(numbers, monkeypatch):
    monkeypatch.setattr(plane, "TABLE_NUMBERS", numbers)
    model = linear_vae(2)
    x, z = draws(model, 4), torch.randn(6, 2, dtype=torch.float64, generator=generator())
    table = log_likelihood_table(model, x, z)
    assert table.shape == (4, 6)
    sigma = model.decoder.log_sigma.exp().item()
    means = model.decoder.loc(z).detach().numpy()
    expected = norm.logpdf(x.numpy()[:, None], means, sigma).sum(axis=2)
    assert np.allclose(table, expected, rtol=0, atol=1e-11)


def test_blocks_of_the_table_are_as_large_as_memory_allows(monkeypatch):
    model, seen = linear_vae(2), []
    x, z = draws(model, 4), torch.zeros(10, 2, dtype=torch.float64)
    monkeypatch.setattr(plane, "TABLE_NUMBERS", 3 * x.numel())
    model.decoder.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    log_likelihood_table(model, x, z)
    assert seen[-4:] == [3, 3, 3, 1]
