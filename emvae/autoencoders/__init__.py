"""Auto-encoders as networks that return distributions: the Bayes quintet with a continuous latent."""

from emvae.autoencoders.networks import BernoulliNetwork, GaussianNetwork, StandardGaussian
from emvae.autoencoders.vae import VAE

__all__ = ["VAE", "BernoulliNetwork", "GaussianNetwork", "StandardGaussian"]
