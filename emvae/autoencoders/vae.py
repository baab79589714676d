"""The variational auto-encoder: a prior, a posterior and a likelihood."""

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

__all__ = ["VAE"]


class VAE(nn.Module):
    """p(x, z) = p(x | z) p(z) with an amortised q(z | x); three networks that return distributions.

    Parameters
    ----------
    prior : called without arguments, returns p(z), event shape (Z,).
    posterior : called with x (..., D), returns q(z | x), the encoder.
    likelihood : called with z (..., Z), returns p(x | z), the decoder.
    """

    def __init__(self, prior: nn.Module, posterior: nn.Module, likelihood: nn.Module) -> None:
        super().__init__()
        self.prior, self.posterior, self.likelihood = prior, posterior, likelihood

    def log_prior(self, z: Tensor) -> Tensor:
        """Return log p(z), (S, N), for z (S, N, Z)."""
        return self.prior().log_prob(z)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Return log p(x | z), (S, N), for x (N, D) and z (S, N, Z)."""
        return self.likelihood(z).log_prob(x)

    def log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        """Return log p(x, z), (S, N)."""
        return self.log_likelihood(x, z) + self.log_prior(z)
