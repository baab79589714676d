"""Distributions with event dimension 1 that torch has in pieces only, or slower than need be."""

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Independent, MultivariateNormal, Normal
from torch.distributions.kl import register_kl
from torch.nn.functional import softplus


class IndependentBernoulli(Independent):  # type: ignore[type-arg]  # generic in the stubs alone
    """prod_d Bernoulli(x_d | sigmoid(logits_d)): torch's Independent(Bernoulli), with one pass a term.

    ``log p(x) = sum_d x_d logits_d - softplus(logits_d)``. A product with x and one softplus are all that
    is computed.

    Parameters
    ----------
    logits : (..., D) log odds of a one.

    Notes
    -----
    Defined in {eq}`def-forms-bernoulli`.
    """

    def __init__(self, logits: Tensor) -> None:
        super().__init__(Bernoulli(logits=logits, validate_args=False), 1, validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x), (...): of bits, or of grey levels in [0, 1] as the weights of both bits.

        Parameters
        ----------
        value : (..., D), broadcast against the logits.
        """
        logits = self.base_dist.logits
        return torch.linalg.vecdot(value, logits) - softplus(logits).sum(-1)


class DiagonalNormal(Independent):  # type: ignore[type-arg]  # generic in the stubs alone
    """N(loc, diag(scale^2)), sampled as loc + scale eps.

    Parameters
    ----------
    loc : (..., Z) means.
    scale : (..., Z) standard deviations.
    """

    def __init__(self, loc: Tensor, scale: Tensor) -> None:
        super().__init__(Normal(loc, scale, validate_args=False), 1, validate_args=False)


@register_kl(MultivariateNormal, DiagonalNormal)  # type: ignore[no-untyped-call,untyped-decorator]  # torch's
def _kl_full_diagonal(q: MultivariateNormal, p: DiagonalNormal) -> Tensor:
    """KL(q || p) of Gaussians, which torch has for two covariances of the same kind only."""
    factor = q.scale_tril / p.base_dist.scale.unsqueeze(-1)
    shift = (q.loc - p.base_dist.loc) / p.base_dist.scale
    squares = factor.square().sum((-2, -1)) + shift.square().sum(-1)
    log_volume = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    return 0.5 * (squares - q.loc.shape[-1]) - log_volume
