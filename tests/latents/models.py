"""Small models for the tests of the latent space, in float64, with parameters drawn at random."""

import torch
from torch import nn

from emvae.autoencoders import (
    VAE,
    BernoulliNetwork,
    DiagonalNormal,
    GaussianNetwork,
    LinearGaussianVAE,
    StandardGaussian,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def bernoulli_vae(n_latent=2, *, covariance="diagonal", n_features=6, stretch=1.0, seed=0):
    """A VAE of bits; ``stretch`` multiplies the decoder's weights, which narrows its posteriors."""
    g = generator(seed)
    vae = VAE(
        StandardGaussian(n_latent),
        GaussianNetwork([n_features, 8, n_latent], covariance=covariance, generator=g),
        BernoulliNetwork([n_latent, 8, n_features], generator=g),
    ).double()
    with torch.no_grad():
        for layer in vae.decoder.logits[::2]:
            layer.weight *= stretch
    return vae


def bits(n, n_features=6, seed=1):
    return torch.randint(2, (n, n_features), generator=generator(seed)).double()


def linear_vae(n_latent=2, *, n_features=5, scale=1.0, noise=1.0, seed=0):
    """A linear-Gaussian VAE: its decoder's weights are of size ``scale``, its noise is ``noise``."""
    model = LinearGaussianVAE(n_features, n_latent, generator=generator(seed))
    with torch.no_grad():
        model.decoder.loc.weight.copy_(
            scale * torch.randn(n_features, n_latent, dtype=torch.float64, generator=generator(seed + 1))
        )
        model.decoder.log_sigma.fill_(noise).log_()
    return model


def draws(model, n, seed=2):
    """Data from the model itself."""
    return model.sample(n, generator=generator(seed))


class Squares(nn.Module):
    """p(x | z) = N(z^2, noise^2) in each dimension: a posterior with four modes."""

    def __init__(self, noise):
        super().__init__()
        self.noise = noise

    def forward(self, z):
        return DiagonalNormal(z**2, torch.full_like(z, self.noise))


def squares_vae(noise):
    return VAE(
        StandardGaussian(2), GaussianNetwork([2, 4, 2], generator=generator()), Squares(noise)
    ).double()
