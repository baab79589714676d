"""Networks that return distributions: what a VAE is made of."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, MultivariateNormal, Normal

__all__ = ["BernoulliNetwork", "GaussianNetwork", "StandardGaussian"]


class StandardGaussian(nn.Module):
    """The prior N(0, I): a network without input.

    Parameters
    ----------
    n_latent : dimension Z of the latent.
    """

    loc: Tensor
    scale: Tensor

    def __init__(self, n_latent: int) -> None:
        super().__init__()
        self.register_buffer("loc", torch.zeros(n_latent), persistent=False)
        self.register_buffer("scale", torch.ones(n_latent), persistent=False)

    def forward(self) -> Distribution:
        """Return p(z), batch shape () and event shape (Z,)."""
        return Independent(Normal(self.loc, self.scale, validate_args=False), 1, validate_args=False)


class GaussianNetwork(nn.Module):
    """A Gaussian whose mean and covariance are functions of the input.

    Parameters
    ----------
    sizes : widths of the layers, from input to output.
    covariance : "diagonal"; or "full", through z = mu + L eps with L lower triangular.
    generator : draws the initial weights.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        covariance: Literal["diagonal", "full"] = "diagonal",
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        *hidden, n_out = sizes
        self.covariance = covariance
        self.trunk = perceptron(hidden, generator=generator, activate_last=True)
        self.loc = linear(hidden[-1], n_out, generator=generator)
        self.log_scale = linear(hidden[-1], n_out, generator=generator)
        if covariance == "full":
            self.below_diagonal = linear(hidden[-1], n_out * (n_out - 1) // 2, generator=generator)

    def forward(self, x: Tensor) -> Distribution:
        """Return N(mu(x), Sigma(x)) for each row of x (..., D)."""
        h = self.trunk(x)
        loc, scale = self.loc(h), self.log_scale(h).exp()
        if self.covariance == "diagonal":
            return Independent(Normal(loc, scale, validate_args=False), 1, validate_args=False)
        n = loc.shape[-1]
        factor = torch.diag_embed(scale)
        i, j = torch.tril_indices(n, n, -1, device=factor.device)
        factor[..., i, j] = self.below_diagonal(h)
        return MultivariateNormal(loc, scale_tril=factor, validate_args=False)


class BernoulliNetwork(nn.Module):
    """Independent Bernoullis whose logits are a function of the input.

    Parameters
    ----------
    sizes : widths of the layers, from input to output.
    generator : draws the initial weights.
    """

    def __init__(self, sizes: Sequence[int], *, generator: torch.Generator) -> None:
        super().__init__()
        self.logits = perceptron(sizes, generator=generator)

    def forward(self, z: Tensor) -> Distribution:
        """Return prod_d Bernoulli(x_d | sigmoid(logit_d(z))) for each row of z (..., Z)."""
        return Independent(Bernoulli(logits=self.logits(z), validate_args=False), 1, validate_args=False)


def perceptron(
    sizes: Sequence[int], *, generator: torch.Generator, activate_last: bool = False
) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [linear(n_in, n_out, generator=generator), nn.ReLU()]
    return nn.Sequential(*(layers if activate_last else layers[:-1]))


def linear(n_in: int, n_out: int, *, generator: torch.Generator) -> nn.Linear:
    """Return torch's linear layer with torch's usual initial weights, drawn from ``generator``."""
    layer = nn.utils.skip_init(nn.Linear, n_in, n_out)
    bound = n_in**-0.5
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.bias.uniform_(-bound, bound, generator=generator)
    return layer
