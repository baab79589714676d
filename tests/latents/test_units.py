"""Active units are those whose mean moves with the data."""

import numpy as np
import pytest
import torch

from emvae.latents import active_units
from tests.latents.models import bernoulli_vae, bits

X = bits(40)


def partly_collapsed():
    """Five dimensions, of which the second and fourth say the same of every datum."""
    vae = bernoulli_vae(5, stretch=1.0)
    with torch.no_grad():
        vae.encoder.loc.weight *= 3.0
        vae.encoder.loc.weight[[1, 3]] = 0.0
        vae.encoder.loc.bias[1] = 4.0
    return vae


def test_dimensions_that_say_the_same_of_all_data_are_not_active():
    units = active_units(partly_collapsed(), X)
    assert units.active.tolist() == [True, False, True, False, True]
    assert units.count == 3


def test_variances_are_those_of_the_means_of_q():
    vae = partly_collapsed()
    means = vae.encoder(X).mean.detach().numpy()
    expected = [np.cov(column) for column in means.T]
    assert np.allclose(active_units(vae, X).variances, expected, rtol=1e-12, atol=1e-15)


def test_the_threshold_divides_them():
    vae = partly_collapsed()
    variances = active_units(vae, X).variances
    middle = np.sort(variances)[3]
    assert active_units(vae, X, threshold=middle).active.tolist() == (variances > middle).tolist()
    assert active_units(vae, X, threshold=middle).count == 1
    assert active_units(vae, X, threshold=0.0).count == 3
    assert np.array_equal(active_units(vae, X).active, variances > 0.01)


def test_total_collapse_leaves_none():
    vae = partly_collapsed()
    with torch.no_grad():
        vae.encoder.loc.weight.zero_()
    assert active_units(vae, X).count == 0


@pytest.mark.parametrize("n_latent", [1, 2])
def test_any_dimension_will_do(n_latent):
    assert active_units(bernoulli_vae(n_latent), X).variances.shape == (n_latent,)


def test_two_data_are_enough():
    assert active_units(partly_collapsed(), X[:2]).variances.shape == (5,)
