"""Mixture families: densities, expected statistics, closed-form M-steps; the EM loop is in em."""

from emvae.mixtures.base import LabelledSample, Mixture
from emvae.mixtures.bernoulli import BernoulliMixture, BernoulliStatistics
from emvae.mixtures.gaussian import GaussianMixture, GaussianStatistics
from emvae.mixtures.initialisation import initial_responsibilities

__all__ = [
    "BernoulliMixture",
    "BernoulliStatistics",
    "GaussianMixture",
    "GaussianStatistics",
    "LabelledSample",
    "Mixture",
    "initial_responsibilities",
]
