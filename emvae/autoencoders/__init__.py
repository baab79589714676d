"""Auto-encoders as networks that return distributions: the Bayes quintet with a continuous latent."""

import emvae._torch  # noqa: F401  (first: it says how to get torch)
from emvae.autoencoders.distributions import DiagonalNormal, IndependentBernoulli
from emvae.autoencoders.linear import LinearGaussianVAE
from emvae.autoencoders.networks import BernoulliNetwork, GaussianNetwork, StandardGaussian
from emvae.autoencoders.storage import load, save
from emvae.autoencoders.vae import VAE, Autoencoder

__all__ = [
    "VAE",
    "Autoencoder",
    "BernoulliNetwork",
    "DiagonalNormal",
    "GaussianNetwork",
    "IndependentBernoulli",
    "LinearGaussianVAE",
    "StandardGaussian",
    "load",
    "save",
]
