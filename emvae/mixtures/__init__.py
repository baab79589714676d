"""Mixture families: densities, expected statistics, closed-form M-steps; the EM loop is in em."""

from emvae.latent_class import LabelledSample
from emvae.mixtures.bernoulli import BernoulliMixture, BernoulliStatistics
from emvae.mixtures.covariances import GaussianStatistics
from emvae.mixtures.gaussian import GaussianMixture
from emvae.mixtures.initialisation import initial_responsibilities
from emvae.mixtures.mixture import Mixture
from emvae.mixtures.priors import Beta, Dirichlet, InverseWishart
from emvae.mixtures.storage import load, save

__all__ = [
    "BernoulliMixture",
    "BernoulliStatistics",
    "Beta",
    "Dirichlet",
    "GaussianMixture",
    "GaussianStatistics",
    "InverseWishart",
    "LabelledSample",
    "Mixture",
    "initial_responsibilities",
    "load",
    "save",
]
