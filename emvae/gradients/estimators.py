"""The pathwise and the score-function estimator, and the relaxation of a categorical draw."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.distributions import Distribution, RelaxedOneHotCategorical

from emvae._random import drawing_from
from emvae._validation import as_positive
from emvae.gradients.copies import Family, copy, differentiate

Function = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class GradientEstimate:
    """A Monte-Carlo gradient: the mean of S single-sample gradients, and how far to trust it.

    Two estimates are equal only if they are one object: compare their numbers.

    Attributes
    ----------
    samples : by parameter, (S, ...) the gradient that each sample alone would give.

    Notes
    -----
    Defined in {eq}`def-rep-estimate`.
    """

    samples: Mapping[str, Tensor]

    @property
    def n_samples(self) -> int:
        """S, how many samples the mean is over."""
        return len(next(iter(self.samples.values())))

    @property
    def estimate(self) -> dict[str, Tensor]:
        """By parameter, in its shape: the mean of the samples."""
        return {name: g.mean(0) for name, g in self.samples.items()}

    @property
    def variance(self) -> dict[str, Tensor]:
        """By parameter, in its shape: the variance of a single sample, with divisor S - 1."""
        return {name: g.var(0) for name, g in self.samples.items()}

    @property
    def standard_error(self) -> dict[str, Tensor]:
        """By parameter, in its shape: the standard deviation of the estimate, sqrt(variance / S)."""
        return {name: (variance / self.n_samples).sqrt() for name, variance in self.variance.items()}


@torch.enable_grad()  # also where the caller has switched gradients off
def pathwise_gradient(
    f: Function,
    family: Family,
    parameters: Mapping[str, Tensor],
    *,
    n_samples: int,
    generator: torch.Generator,
) -> GradientEstimate:
    """Estimate the gradient of E_q[f(z)] by the reparameterisation trick.

    ``(1/S) sum_s grad f(g(eps_s, phi))``, where z = g(eps, phi) is drawn from q.

    Parameters
    ----------
    f : differentiable, maps z (S, ...) to (S,), each sample by itself.
    family : called with the parameters by name, returns a distribution of torch that has ``rsample``, such as
        ``MultivariateNormal`` with ``loc`` (Z,) and ``scale_tril`` (Z, Z), or ``Gamma``.
    parameters : by name, the tensors phi at which to differentiate.
    n_samples : S, at least 2, since one sample has no standard error.
    generator : torch Generator of the draws.

    Returns
    -------
    GradientEstimate, unbiased where f and the draw are differentiable. The upper triangle of the gradient in
    ``scale_tril`` is zero.

    Raises
    ------
    ValueError : parameters that are not finite or that the family refuses, a family without ``rsample``, an f
        of the wrong shape, of integers, without gradient or not finite, too few samples, no Generator.

    Notes
    -----
    Derived in {eq}`eq-rep-trick`. Source: Kingma and Welling (2014); Rezende, Mohamed and Wierstra (2014).
    """
    q, copies = copy(family, parameters, n_samples, generator)
    if not q.has_rsample:
        raise ValueError(
            f"family gives {type(q).__name__}, which has no rsample, so no gradient flows through its draws: "
            "choose score_function_gradient, or gumbel_softmax_gradient if z is categorical"
        )
    with drawing_from(generator):
        z = q.rsample()
    values = _evaluate(f, z)
    if not values.requires_grad:
        raise ValueError(
            f"f returns {values.dtype} without gradient (is there a comparison, a detach or numpy in it?): "
            "choose score_function_gradient, which does not differentiate f"
        )
    return GradientEstimate(differentiate(values, copies))


@torch.enable_grad()  # also where the caller has switched gradients off
def score_function_gradient(
    f: Function,
    family: Family,
    parameters: Mapping[str, Tensor],
    *,
    n_samples: int,
    generator: torch.Generator,
    baseline: float | Literal["leave-one-out"] | None = None,
) -> GradientEstimate:
    """Estimate the gradient of E_q[f(z)] by the score function (REINFORCE).

    ``(1/S) sum_s (f(z_s) - b) grad log q(z_s)``. Neither f nor the draw of z need be differentiable.

    Parameters
    ----------
    f : maps z (S, ...) to (S,), each sample by itself; integers and truth values count as numbers.
    family : called with the parameters by name, returns a distribution of torch, continuous or discrete.
    parameters : by name, the tensors phi at which to differentiate.
    n_samples : S, at least 2, since one sample has no standard error.
    generator : torch Generator of the draws.
    baseline : b, which changes the variance alone: none, a constant, or "leave-one-out", for each sample the
        mean of f over the others.

    Returns
    -------
    GradientEstimate, unbiased. With "leave-one-out" the samples are not quite independent, and their spread
    gives the standard error up to a relative error of order 1/S.

    Raises
    ------
    ValueError : parameters that are not finite or that the family refuses, an f of the wrong shape or not
        finite, a baseline that is none of the three, too few samples, no Generator.

    Notes
    -----
    Derived in {eq}`eq-rep-score`, {eq}`eq-rep-baseline` and {eq}`eq-rep-leave-one-out`.
    Source: Williams (1992); for the last baseline Kool, van Hoof and Welling (2019).
    """
    _check_baseline(baseline)
    q, copies = copy(family, parameters, n_samples, generator)
    with drawing_from(generator):
        z = q.sample()
    with torch.no_grad():
        values = _evaluate(f, z)
    try:
        log_q = q.log_prob(z)
    except NotImplementedError as error:
        raise ValueError(
            f"family gives {type(q).__name__}, whose log_prob is not known: choose pathwise_gradient"
        ) from error
    scores = differentiate(log_q, copies)
    values = values.to(log_q.dtype)
    if baseline == "leave-one-out":
        values = (values - values.mean()) * (n_samples / (n_samples - 1))
    elif baseline is not None:
        values = values - baseline
    weighted = {name: torch.einsum("s,s...->s...", values, score) for name, score in scores.items()}
    return GradientEstimate(weighted)


def gumbel_softmax_gradient(
    f: Function, logits: Tensor, *, temperature: float, n_samples: int, generator: torch.Generator
) -> GradientEstimate:
    """Estimate the gradient of E[f(z)], z one-hot and categorical, by a continuous relaxation: biased.

    It is the pathwise gradient of E[f(softmax((logits + gumbel) / temperature))]. As the temperature goes to
    zero, so does the bias, and the variance grows without bound.

    Parameters
    ----------
    f : differentiable, maps z (S, ..., K) to (S,), also between the corners of the simplex.
    logits : (..., K) of the categories, up to a constant.
    temperature : positive.
    n_samples : S, at least 2, since one sample has no standard error.
    generator : torch Generator of the draws.

    Returns
    -------
    GradientEstimate with the one parameter "logits". Its standard error knows nothing of the bias.

    Raises
    ------
    ValueError : a temperature that is not positive, and as ``pathwise_gradient``.

    Notes
    -----
    Defined in {eq}`def-rep-gumbel`. Source: Jang, Gu and Poole (2017); Maddison, Mnih and Teh (2017).
    """
    temperature = as_positive(temperature, name="temperature")

    def family(logits: Tensor) -> Distribution:
        return RelaxedOneHotCategorical(logits.new_tensor(temperature), logits=logits)

    return pathwise_gradient(f, family, {"logits": logits}, n_samples=n_samples, generator=generator)


def _evaluate(f: Function, z: Tensor) -> Tensor:
    """Return f(z), (S,), if that is what it is."""
    values: Any = f(z)
    shape = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
    if shape != (len(z),):
        raise ValueError(
            f"f returns {shape} for z of shape {tuple(z.shape)}: it should return a tensor of shape "
            f"({len(z)},), one number for each sample; sum over the other dimensions"
        )
    if not (finite := values.isfinite()).all():
        s = int(finite.int().argmin())
        raise ValueError(
            f"f returns {values[s].item()} for sample {s}: choose an f that is finite wherever q is"
        )
    return values


def _check_baseline(baseline: Any) -> None:
    """Raise unless a baseline is None, a finite number or "leave-one-out"."""
    is_number = isinstance(baseline, int | float) and not isinstance(baseline, bool)
    if not (baseline in (None, "leave-one-out") or (is_number and abs(baseline) < float("inf"))):
        raise ValueError(f'baseline = {baseline!r}: pass None, a finite number or "leave-one-out"')
