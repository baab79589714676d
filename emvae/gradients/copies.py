"""One copy of the parameters for each sample: a single backward pass then gives all gradients apart."""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints

from emvae._random import as_torch_generator
from emvae._validation import as_count

Family = Callable[..., Distribution]

REMEDIES = {
    constraints.lower_cholesky: "lower triangular with positive diagonal: take torch.linalg.cholesky(Sigma)",
    constraints.positive_definite: "symmetric and positive definite: take L @ L.T with a regular L",
    constraints.positive: "positive: parametrise by the logarithm, log_scale.exp()",
    constraints.simplex: "a distribution: take torch.softmax(logits, -1)",
}


def copy(
    family: Family, parameters: Mapping[str, Tensor], n_samples: int, generator: torch.Generator
) -> tuple[Distribution, dict[str, Tensor]]:
    """Check what an estimator is given; return q with a copy of the parameters for each of S samples.

    One draw from ``q`` is then one z from each copy, (S, ...); the copies are leaves of shape (S, ...).
    """
    as_torch_generator(generator)
    n_samples = as_count(n_samples, name="n_samples", minimum=2)
    _check(parameters, generator)
    single = _build(family, parameters)
    # A number of copies that no dimension has: shapes that fit by accident do not pass.
    taken = {n for value in parameters.values() for n in value.shape}
    trial = next(n for n in count(2) if n not in taken)
    if _shape(family, parameters, trial) != (trial, *single.batch_shape, *single.event_shape):
        shapes = {name: tuple(value.shape) for name, value in parameters.items()}
        raise ValueError(
            f"parameters of shapes {shapes} cannot be stacked sample by sample: "
            "give them equally many dimensions, or broadcast from the right inside family"
        )
    copies = _repeat(parameters, n_samples)
    return _build(family, copies), copies


def differentiate(values: Tensor, copies: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the gradient of each sample's value with respect to its own copy of the parameters."""
    gradients = torch.autograd.grad(values.sum(), list(copies.values()), allow_unused=True)
    for name, gradient in zip(copies, gradients, strict=True):
        if gradient is None:
            raise ValueError(f"family makes no use of the parameter {name}, or detaches it: leave it out")
        if not gradient.isfinite().all():
            raise ValueError(f"the gradient with respect to {name} is NaN or infinite for a sample: smooth f")
    return dict(zip(copies, gradients, strict=True))


def _repeat(parameters: Mapping[str, Tensor], n: int) -> dict[str, Tensor]:
    """Return leaves of the shape (n, ...), of which all rows are alike."""
    return {name: p.detach().expand(n, *p.shape).requires_grad_() for name, p in parameters.items()}


def _shape(family: Family, parameters: Mapping[str, Tensor], n: int) -> tuple[int, ...] | None:
    """Return the shape of a draw from n copies, None if the copies do not go together."""
    try:
        q = family(**_repeat(parameters, n))
    except (IndexError, RuntimeError, ValueError):
        return None
    return (*q.batch_shape, *q.event_shape)


def _build(family: Family, parameters: Mapping[str, Tensor]) -> Distribution:
    """Return family(**parameters), or say which parameter it does not take and why."""
    parameters = dict(parameters)
    for name, constraint in (getattr(family, "arg_constraints", None) or {}).items():
        if name in parameters and constraint in REMEDIES and not constraint.check(parameters[name]).all():
            raise ValueError(f"parameter {name} is not {REMEDIES[constraint]}")
        if name in parameters and constraint is constraints.lower_cholesky:
            parameters[name] = parameters[name].tril()  # rsample would let gradients into the zeros
    try:
        q: Any = family(**parameters)
    except (RuntimeError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"family does not take these parameters, pass others: {reason}") from error
    if not isinstance(q, Distribution):
        raise ValueError(f"family returns a {type(q).__name__}: it should return a torch Distribution")
    return q


def _check(parameters: Any, generator: torch.Generator) -> None:
    """Raise unless parameters are finite tensors of floats, on the generator's device."""
    if not (isinstance(parameters, Mapping) and parameters):
        raise ValueError("parameters should be a dictionary of names and tensors, with at least one entry")
    for name, value in parameters.items():
        if not isinstance(value, Tensor) or not value.is_floating_point():
            kind = value.dtype if isinstance(value, Tensor) else type(value).__name__
            raise ValueError(f"parameter {name} is {kind}: pass a torch.Tensor of floats")
        if not value.isfinite().all():
            raise ValueError(f"parameter {name} holds NaN or infinity: pass finite numbers")
        if value.device.type != generator.device.type:
            raise ValueError(
                f"generator is on {generator.device}, parameter {name} on {value.device}: "
                "pass a torch.Generator of the same device"
            )
