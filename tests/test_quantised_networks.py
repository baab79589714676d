"""The networks of the latent explorer: whole numbers of few bits in a script, and the same VAE back."""

import numpy as np
import pytest
import torch

from emvae.autoencoders import VAE, BernoulliNetwork, GaussianNetwork, StandardGaussian
from tools.widgets.quantised_networks import export, load, restore
from tools.widgets.weight_rounding import pack, quantise, scales_of, unpack


@pytest.fixture
def vae():
    generator = torch.Generator().manual_seed(0)
    encoder = GaussianNetwork([784, 60, 40, 2], generator=generator)
    return VAE(StandardGaussian(2), encoder, BernoulliNetwork([2, 40, 60, 784], generator=generator))


@pytest.fixture
def x():
    return (torch.rand(500, 784, generator=torch.Generator().manual_seed(1)) < 0.2).float()


@pytest.mark.parametrize("bits", [3, 4, 5, 8, 16])
def test_whole_numbers_come_back(bits):
    top = 2 ** (bits - 1)
    numbers = np.random.default_rng(bits).integers(-top, top, 1001)
    assert unpack(pack(numbers, bits), bits, 1001).tolist() == numbers.tolist()


@pytest.mark.parametrize("value", [-9, 8])
def test_numbers_that_do_not_fit_are_refused(value):
    with pytest.raises(ValueError, match="do not fit into 4 bits"):
        pack(np.array([0, value]), 4)


def correlated(rng):
    """Return weights, and inputs of which neighbours resemble each other as pixels do."""
    x = rng.standard_normal((800, 60)).cumsum(axis=1)
    return rng.standard_normal((20, 60)).astype(np.float32), x.astype(np.float32)


@pytest.mark.parametrize("bits", [3, 4, 6])
def test_rounding_keeps_outputs_better_than_the_nearest_numbers_do(bits):
    weight, x = correlated(np.random.default_rng(0))
    numbers, scales = quantise(weight, bits, x)
    top = 2 ** (bits - 1) - 1
    assert np.abs(numbers).max() <= top
    nearest = np.rint(weight / scales[:, None]).clip(-top, top)
    ours, theirs = (np.square(x @ (n * scales[:, None] - weight).T).mean() for n in (numbers, nearest))
    assert ours < theirs / 3


def test_weights_on_the_grid_stay():
    numbers = np.random.default_rng(0).integers(-7, 8, (5, 60))
    numbers[:, 0] = 7
    weight = (numbers * np.float32(0.25)).astype(np.float32)
    _, x = correlated(np.random.default_rng(1))
    again, scales = quantise(weight, 4, x)
    assert np.abs(scales - 0.25).max() < 1e-7
    assert (again == numbers).all()


def test_scale_of_a_row_with_an_outlier_cuts_it_off():
    weight = np.random.default_rng(0).uniform(-1, 1, (1, 400)).astype(np.float32)
    weight[0, 0] = 2.0
    assert scales_of(weight, 3) * 3 < 1.7


def test_vae_comes_back_nearly(vae, x):
    again = restore(export(vae, x, outer=(8, 8), inner=8))
    z = torch.randn(6, 2, generator=torch.Generator().manual_seed(2))
    assert (vae.encoder(x).mean - again.encoder(x).mean).abs().max() < 0.01
    assert (vae.encoder(x).stddev - again.encoder(x).stddev).abs().max() < 0.01
    assert (vae.decoder(z).mean - again.decoder(z).mean).abs().max() < 0.01


def test_small_matrices_and_biases_come_back_to_the_bit(vae, x):
    again = restore(export(vae, x)).state_dict()
    exact = [name for name, value in vae.state_dict().items() if value.numel() < 1000]
    assert len(exact) == 12
    assert all(torch.equal(again[name], vae.state_dict()[name]) for name in exact)


def test_blank_pixels_are_left_out(vae, x):
    blank = [0, 5, 783]
    whole, part = restore(export(vae, x)), restore(export(vae, x, blank=blank))
    paper = part.decoder(torch.zeros(1, 2)).mean[0, blank]
    assert (paper - 1e-3).abs().max() < 1e-7
    assert part.encoder.trunk[0].weight[:, blank].abs().max() == 0
    inked = [pixel for pixel in range(784) if pixel not in blank]
    difference = part.decoder.logits[-1].bias[inked] - whole.decoder.logits[-1].bias[inked]
    assert difference.abs().max() == 0


def test_bits_are_as_asked_for(vae, x):
    networks = export(vae, x, outer=(3, 4), inner=5)
    bits = [layer.get("bits") for layer in [*networks["encoder"], *networks["decoder"]]]
    assert bits == [3, 5, None, None, 5, 4]


def test_stored_networks_are_those_of_a_plane():
    stored = load()
    assert stored.prior().event_shape == (2,)
    assert stored.encoder(torch.zeros(1, 784)).mean.shape == (1, 2)
    assert stored.decoder(torch.zeros(1, 2)).mean.shape == (1, 784)
