"""A GPU gives the CPU's results within the tolerance that ``train`` states; what can be seen without one, is.

The tests with the fixture ``gpu`` need CUDA or MPS. The others hold the same tolerances against other noise.
"""

import numpy as np
import pytest
import torch

from emvae.autoencoders import (
    VAE,
    Autoencoder,
    BernoulliNetwork,
    GaussianNetwork,
    StandardGaussian,
    load,
    save,
)
from emvae.bounds import NegativeELBO, ReconstructionError, elbo_analytic_kl, importance_weighted_bound
from emvae.datasets import mnist
from emvae.latents import encode
from emvae.training import train

X = torch.tensor(mnist(flat=True).train_images[:2_000]) / 255
GPUS = [name for name, module in (("cuda", torch.cuda), ("mps", torch.backends.mps)) if module.is_available()]


@pytest.fixture
def gpu():
    if not GPUS:
        pytest.skip("needs a GPU")
    return torch.device(GPUS[0])


def seeded(seed=0, device="cpu"):
    return torch.Generator(device).manual_seed(seed)


def network(kind=VAE):
    generator = seeded()
    encoder = GaussianNetwork([784, 100, 5], generator=generator)
    decoder = BernoulliNetwork([5, 100, 784], grey_levels=True, generator=generator)
    return VAE(StandardGaussian(5), encoder, decoder) if kind is VAE else Autoencoder(encoder, decoder)


def losses(model, objective, n_epochs=1, x=X, **kwargs):
    """Return the losses of passes of a hundred steps."""
    history = train(model, x, objective, generator=seeded(1), n_epochs=n_epochs, batch_size=20, **kwargs)
    return history.losses.reshape(n_epochs, 100)


def with_noise_of_its_own(seed):
    """Return an objective that draws from a generator of its own, as one on another device has to."""
    objective, own = NegativeELBO(), seeded(seed)
    return lambda model, batch, *, generator, step: objective(model, batch, generator=own, step=step)


# --- without a GPU


@pytest.mark.parametrize("seed", range(3))
def test_other_noise_moves_the_mean_loss_by_less_than_is_stated(seed):
    ours = losses(network(), NegativeELBO(), n_epochs=2)
    theirs = losses(network(), with_noise_of_its_own(100 + seed), n_epochs=2)
    assert not np.array_equal(ours, theirs)
    np.testing.assert_allclose(theirs.mean(1), ours.mean(1), rtol=0.02)


def test_rounding_moves_a_loss_without_noise_by_less_than_is_stated():
    """Double precision stands in for a device that rounds in another way."""
    single = losses(network(Autoencoder), ReconstructionError())
    double = losses(network(Autoencoder).double(), ReconstructionError(), x=X.double())
    assert not np.array_equal(single, double)
    np.testing.assert_allclose(single, double, rtol=1e-3)


# --- with one


def test_a_loss_without_noise_is_that_of_the_cpu(gpu):
    theirs = losses(network(Autoencoder), ReconstructionError(), device=gpu)
    np.testing.assert_allclose(theirs, losses(network(Autoencoder), ReconstructionError()), rtol=1e-3)


def test_the_mean_loss_of_a_vae_is_that_of_the_cpu(gpu):
    theirs = losses(network(), NegativeELBO(), n_epochs=2, device=gpu)
    ours = losses(network(), NegativeELBO(), n_epochs=2)
    np.testing.assert_allclose(theirs.mean(1), ours.mean(1), rtol=0.02)


def test_a_run_on_it_repeats_and_continues_to_the_bit(gpu, tmp_path):
    whole, parts = network(), network()
    expected = losses(whole, NegativeELBO(), n_epochs=2, device=gpu)
    path = tmp_path / "run.pt"
    losses(parts, NegativeELBO(), device=gpu, checkpoint=path)
    again = network()  # as a new process has it
    continued = losses(again, NegativeELBO(), n_epochs=2, device=gpu, checkpoint=path, resume=True)
    np.testing.assert_array_equal(continued, expected)
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_model_trained_there_is_saved_and_read_on_the_cpu(gpu, tmp_path):
    model = network()
    losses(model, NegativeELBO(), device=gpu)
    save(model, tmp_path / "vae.pt")
    again = load(tmp_path / "vae.pt")
    assert next(model.parameters()).device.type == gpu.type
    assert next(again.parameters()).device.type == "cpu"
    codes, expected = encode(again, X), encode(model, X.to(gpu))
    np.testing.assert_allclose(codes.means, expected.means, rtol=0, atol=1e-4)


def test_bounds_draw_from_a_generator_that_names_the_kind_of_device_only(gpu):
    model, x = network().to(gpu), X[:200].to(gpu)
    before = torch.get_device_module(gpu).get_rng_state()
    bounds = [
        elbo_analytic_kl(model, x, n_samples=50, generator=seeded(0, gpu.type)).value.mean().item()
        for _ in range(2)
    ]
    assert bounds[0] == bounds[1]
    assert torch.equal(torch.get_device_module(gpu).get_rng_state(), before)
    on_cpu = network(), X[:200]
    expected = elbo_analytic_kl(*on_cpu, n_samples=50, generator=seeded()).value.mean().item()
    assert bounds[0] == pytest.approx(expected, rel=1e-3)
    tighter = importance_weighted_bound(model, x, n_samples=50, generator=seeded(0, gpu.type)).value.mean()
    expected = importance_weighted_bound(*on_cpu, n_samples=50, generator=seeded()).value.mean()
    assert tighter.item() == pytest.approx(expected.item(), rel=1e-3)
