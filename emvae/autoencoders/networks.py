"""Networks that return distributions: what a VAE is made of."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal, constraints

from emvae._random import as_torch_generator
from emvae._validation import as_count, as_positive
from emvae.autoencoders.distributions import DiagonalNormal, IndependentBernoulli

Covariance = Literal["diagonal", "full", "shared", "fixed"]


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
        self.n_latent = as_count(n_latent, name="n_latent")
        self.register_buffer("loc", torch.zeros(n_latent))
        self.register_buffer("scale", torch.ones(n_latent))

    def forward(self) -> DiagonalNormal:
        """Return p(z), batch shape () and event shape (Z,)."""
        return DiagonalNormal(self.loc, self.scale)

    def architecture(self) -> dict[str, Any]:
        """Return the arguments that make this network again, as plain data."""
        return {"n_latent": self.n_latent}


class GaussianNetwork(nn.Module):
    """A Gaussian whose mean and covariance are functions of the input; an encoder or a decoder.

    ``N(mu(x), Sigma(x))``, sampled as mu + L eps with Sigma = L L^T.

    Parameters
    ----------
    sizes : widths of the layers, from input to output, with ReLU between them.
    covariance : what is learned of it.

        - "diagonal": one standard deviation an output, a function of the input.
        - "full": L, lower triangular, a function of the input.
        - "shared": sigma^2 I, with one sigma for all inputs and outputs, learned from ``scale`` on.
        - "fixed": sigma^2 I, with sigma = ``scale``.
    scale : sigma, for "shared" and "fixed" only.
    generator : draws the initial weights.

    Raises
    ------
    ValueError : fewer than two sizes, a size that is no positive integer, another covariance, a scale that
        is not positive or is not used.

    Notes
    -----
    Defined in {eq}`def-forms-gaussian`. Source: Kingma and Welling (2014), appendix C.2.
    """

    support = constraints.real

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        covariance: Covariance = "diagonal",
        scale: float = 1.0,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.sizes = as_sizes(sizes)
        if covariance not in get_args(Covariance):
            raise ValueError(
                f"covariance = {covariance!r}: pass one of {', '.join(map(repr, get_args(Covariance)))}"
            )
        self.covariance, self.scale = covariance, as_positive(scale, name="scale")
        if covariance in ("diagonal", "full") and self.scale != 1:
            raise ValueError(f"scale is not used by covariance={covariance!r}: drop it")
        *hidden, n_out = self.sizes
        self.trunk = perceptron(hidden, generator=generator, activate_last=True)
        self.loc = linear(hidden[-1], n_out, generator=generator)
        if covariance == "shared":
            self.log_sigma = nn.Parameter(torch.tensor(self.scale).log())
        elif covariance == "diagonal":
            self.log_scale = linear(hidden[-1], n_out, generator=generator)
        elif covariance == "full":  # first the logarithms of the diagonal, then what is below it
            self.factor = linear(hidden[-1], n_out * (n_out + 1) // 2, generator=generator)

    def forward(self, x: Tensor) -> DiagonalNormal | MultivariateNormal:
        """Return N(mu(x), Sigma(x)) for each row of x (..., D), event dimension 1."""
        h = self.trunk(x)
        loc = self.loc(h)
        if self.covariance == "fixed":
            return DiagonalNormal(loc, loc.new_tensor(self.scale).expand_as(loc))
        if self.covariance == "shared":
            return DiagonalNormal(loc, self.log_sigma.exp().expand_as(loc))
        if self.covariance == "diagonal":
            return DiagonalNormal(loc, self.log_scale(h).exp())
        n = loc.shape[-1]
        log_diagonal, below = self.factor(h).tensor_split([n], dim=-1)
        factor = torch.diag_embed(log_diagonal.exp())
        i, j = torch.tril_indices(n, n, -1, device=factor.device)
        factor[..., i, j] = below
        return MultivariateNormal(loc, scale_tril=factor, validate_args=False)

    def architecture(self) -> dict[str, Any]:
        """Return the arguments that make this network again, as plain data."""
        return {"sizes": list(self.sizes), "covariance": self.covariance, "scale": self.scale}


class BernoulliNetwork(nn.Module):
    """Independent Bernoullis whose logits are a function of the input: a decoder of binary images.

    Parameters
    ----------
    sizes : widths of the layers, from input to output, with ReLU between them.
    grey_levels : whether ``bounds`` may score grey levels in [0, 1] too, each as the average over the bit
        that it is the probability of. What comes out is then no likelihood of the grey levels.
    generator : draws the initial weights.

    Raises
    ------
    ValueError : fewer than two sizes, or a size that is no positive integer.

    Notes
    -----
    Defined in {eq}`def-forms-bernoulli`. Source: Kingma and Welling (2014), appendix C.1.
    """

    def __init__(
        self, sizes: Sequence[int], *, grey_levels: bool = False, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.sizes, self.grey_levels = as_sizes(sizes), grey_levels
        self.logits = perceptron(self.sizes, generator=generator)

    @property
    def support(self) -> constraints.Constraint:
        """Which pixel values it models."""
        return constraints.unit_interval if self.grey_levels else constraints.boolean

    def forward(self, z: Tensor) -> IndependentBernoulli:
        """Return prod_d Bernoulli(x_d | sigmoid(logits_d(z))) for each row of z (..., Z)."""
        return IndependentBernoulli(self.logits(z))

    def architecture(self) -> dict[str, Any]:
        """Return the arguments that make this network again, as plain data."""
        return {"sizes": list(self.sizes), "grey_levels": self.grey_levels}


def as_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the widths of at least two layers."""
    if not isinstance(sizes, list | tuple) or len(sizes) < 2:
        raise ValueError(f"sizes = {sizes!r}: pass the widths of all layers, from input to output")
    return tuple(as_count(size, name="sizes") for size in sizes)


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
    device = torch.get_default_device()
    layer = nn.Linear(n_in, n_out, device="meta").to_empty(device=device)  # without torch's own draws
    bound = n_in**-0.5
    if device.type != "meta":  # where a file is loaded the weights come from there
        with torch.no_grad():
            layer.weight.uniform_(-bound, bound, generator=as_torch_generator(generator))
            layer.bias.uniform_(-bound, bound, generator=generator)
    return layer
