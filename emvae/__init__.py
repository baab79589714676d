"""Expectation-maximisation and variational auto-encoders, one language for both.

Every model is its Bayes quintet: ``log_prior``, ``log_likelihood``, ``log_joint``,
``log_evidence``, ``log_posterior``. Every approximation to a posterior is one ``ELBO`` record.

==========================  ============================================  =========
module                      what it holds                                 chapter
==========================  ============================================  =========
``emvae.responsibilities``  the log-sum-exp over a discrete latent        1
``emvae.elbo``              the evidence lower bound and its exact case   1 to 6
``emvae.latent_class``      what a model with a discrete latent is        1 to 3
``emvae.em``                EM for any latent-class model                 2, 3
``emvae.mixtures``          Gaussian and Bernoulli mixtures               2, 3, 6
``emvae.gradients``         Monte-Carlo gradients with standard errors    4
``emvae.bounds``            the bound in three forms, tighter bounds      5, 6
``emvae.autoencoders``      networks that return distributions            5, 6
``emvae.training``          one minibatch loop for any of them            5, 6
``emvae.latents``           what the codes of a VAE look like             6
``emvae.datasets``          MNIST, Old Faithful, synthetic sets           all
``emvae.plotting``          figures in one style                          all
``emvae.checks``            the numerical checks behind every equation    all
``emvae.assignments``       what the assignments' test cells say          1 to 6
==========================  ============================================  =========
"""

import importlib
from typing import Any

__version__ = "0.4.0"

__all__ = [
    "assignments",
    "autoencoders",
    "bounds",
    "checks",
    "datasets",
    "elbo",
    "em",
    "gradients",
    "latent_class",
    "latents",
    "mixtures",
    "plotting",
    "responsibilities",
    "training",
]


def __getattr__(name: str) -> Any:
    """Import a module when it is first asked for: ``import emvae`` alone costs next to nothing."""
    if name in __all__:
        return importlib.import_module(f"emvae.{name}")
    raise AttributeError(f"module 'emvae' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
