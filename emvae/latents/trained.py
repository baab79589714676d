"""The trained VAE that travels with the package: digits as points of a plane, kept in a file."""

from functools import cache

import torch

from emvae.autoencoders import VAE, BernoulliNetwork, GaussianNetwork, StandardGaussian
from emvae.latents.stored import with_stored_weights

__all__ = ["digit_vae", "new_digit_vae"]

FILE = "digit-vae.pt"
SIZES = (784, 256, 256, 128, 2)


def new_digit_vae(*, generator: torch.Generator) -> VAE:
    """Make the VAE before its training: an encoder of three hidden layers and the decoder that mirrors it."""
    encoder = GaussianNetwork(SIZES, generator=generator)
    decoder = BernoulliNetwork(SIZES[::-1], generator=generator)
    return VAE(StandardGaussian(SIZES[-1]), encoder, decoder)


@cache
def digit_vae() -> VAE:
    """Load the trained VAE that travels with the package: bits of MNIST's digits, and a plane of codes.

    The encoder q(z | x) has layers of 784, 256, 256, 128 and 2 units with ReLU between them, a mean and a
    standard deviation for each of Z = 2 dimensions; the decoder p(x | z) has the same in reverse order and
    returns the logits of 784 pixels. The prior is N(0, I).

    Returns
    -------
    VAE : on the CPU, in float32, without gradients. It is shared: do not train it.

    Raises
    ------
    OSError : the file is missing, truncated or altered; the message names it and the remedy.

    Notes
    -----
    Made by ``tools/train_vae.py``; how and how well is in ``emvae/data/DATA.md``.
    Source: Kingma and Welling (2014).
    """
    return with_stored_weights(new_digit_vae(generator=torch.Generator()), FILE)
