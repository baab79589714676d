"""The ELBO of a model with a continuous latent in its three forms, and tighter bounds."""

import torch
from torch import Tensor
from torch.distributions import kl_divergence

from emvae._random import drawing_from
from emvae.autoencoders import VAE
from emvae.elbo import ELBO

__all__ = ["elbo_analytic_entropy", "elbo_analytic_kl", "elbo_monte_carlo"]


def elbo_analytic_kl(vae: VAE, x: Tensor, *, n_samples: int = 1, generator: torch.Generator) -> ELBO[Tensor]:
    """Form 1: E_q[log p(x | z)] - KL(q || p), the divergence in closed form."""
    q = vae.posterior(x)
    with drawing_from(generator):
        z = q.rsample((n_samples,))
    entropy = q.entropy()
    log_likelihood = vae.log_likelihood(x, z)
    expected_log_prior = -(kl_divergence(q, vae.prior()) + entropy)
    return ELBO(
        log_likelihood, expected_log_prior.expand_as(log_likelihood), entropy.expand_as(log_likelihood)
    )


def elbo_analytic_entropy(
    vae: VAE, x: Tensor, *, n_samples: int = 1, generator: torch.Generator
) -> ELBO[Tensor]:
    """Form 2: E_q[log p(x, z)] + H[q], the entropy in closed form."""
    q = vae.posterior(x)
    with drawing_from(generator):
        z = q.rsample((n_samples,))
    log_likelihood = vae.log_likelihood(x, z)
    return ELBO(log_likelihood, vae.log_prior(z), q.entropy().expand_as(log_likelihood))


def elbo_monte_carlo(vae: VAE, x: Tensor, *, n_samples: int = 1, generator: torch.Generator) -> ELBO[Tensor]:
    """Form 3: E_q[log p(x, z) - log q(z | x)], nothing in closed form."""
    q = vae.posterior(x)
    with drawing_from(generator):
        z = q.rsample((n_samples,))
    return ELBO(vae.log_likelihood(x, z), vae.log_prior(z), -q.log_prob(z))
