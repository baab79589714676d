"""Networks whose trained weights travel with the package, and the VAE among them: digits on a plane."""

from functools import cache
from io import BytesIO
from typing import TypeVar

import torch
from torch import Tensor, nn

from emvae.autoencoders import VAE, BernoulliNetwork, GaussianNetwork, StandardGaussian
from emvae.datasets.real import read_verified

FILE = "digit-vae.pt"
SIZES = (784, 256, 256, 128, 2)

Network = TypeVar("Network", bound=nn.Module)


def new_digit_vae(*, generator: torch.Generator) -> VAE:
    """Make the VAE before its training: an encoder of three hidden layers and the decoder that mirrors it."""
    encoder = GaussianNetwork(SIZES, generator=generator)
    decoder = BernoulliNetwork(SIZES[::-1], generator=generator)
    return VAE(StandardGaussian(SIZES[-1]), encoder, decoder)


def digit_vae() -> VAE:
    """Return the trained VAE that travels with the package: bits of MNIST's digits, and a plane of codes.

    The encoder q(z | x) has layers of 784, 256, 256, 128 and 2 units with ReLU between them, a mean and a
    standard deviation for each of Z = 2 dimensions; the decoder p(x | z) has the same in reverse order and
    returns the logits of 784 pixels. The prior is N(0, I).

    Returns
    -------
    VAE : a fresh one at each call, on the CPU, in float32, in evaluation mode and without gradients; to train
        it further, ``vae.requires_grad_()``.

    Raises
    ------
    OSError : the file is missing, truncated or altered; the message names it and the remedy.

    Notes
    -----
    Made by ``tools/train_vae.py``; how and how well is in ``emvae/data/DATA.md``.
    Source: Kingma and Welling (2014).
    """
    return with_stored_weights(new_digit_vae(generator=torch.Generator()), FILE)


def with_stored_weights(network: Network, file: str) -> Network:
    """Fill a network with a copy of the weights of a file of ``emvae/data``, which is read once.

    Parameters
    ----------
    network : one of the architecture that the file was written from; it is changed.
    file : its name.

    Returns
    -------
    The network, in float32, in evaluation mode and without gradients.

    Raises
    ------
    OSError : the file is missing, truncated or altered; the message names it and the remedy.
    """
    network.load_state_dict(_weights(file))
    return network.eval().requires_grad_(False)


@cache
def _weights(file: str) -> dict[str, Tensor]:
    stored = torch.load(BytesIO(read_verified(file)), map_location="cpu", weights_only=True)
    return {name: tensor.float() for name, tensor in stored.items()}
