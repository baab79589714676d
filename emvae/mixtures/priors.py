"""Conjugate priors on the parameters of mixtures: each as imaginary data, and as a density."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emvae._records import Record
from emvae._validation import as_floats
from emvae.em import Prior
from emvae.mixtures.bernoulli import BernoulliMixture, BernoulliStatistics
from emvae.mixtures.covariances import GaussianStatistics
from emvae.mixtures.gaussian import GaussianMixture
from emvae.mixtures.mixture import Array, Mixture

_log_gamma = np.vectorize(math.lgamma, otypes=[float])


@dataclass(frozen=True, eq=False)
class Dirichlet(Record, Prior):
    """p(weights), proportional to ``prod_k weights[k]^(concentration - 1)``.

    Parameters
    ----------
    concentration : number or (K,), at least 1; 1 is flat, 2 stands for one more datum in each component.

    Raises
    ------
    ValueError : a concentration below 1, where the density has no maximum inside the simplex.

    Notes
    -----
    Source: Bishop (2006), equation 2.38.
    """

    concentration: Any

    def __post_init__(self) -> None:
        """Check and freeze the parameters."""
        self._set(concentration=_at_least_one(self.concentration, "concentration"))

    def pseudo_statistics(self, model: Mixture) -> Any:
        """Return ``concentration - 1`` data for each weight, none for other parameters."""
        none = model.no_statistics()
        return replace(none, counts=_broadcast(self.concentration, model.weights, "concentration") - 1)

    def log_density(self, model: Mixture) -> float:
        """Return log p(weights) in nats."""
        concentration = _broadcast(self.concentration, model.weights, "concentration")
        log_normaliser = _log_gamma(concentration).sum() - math.lgamma(concentration.sum())
        return _power_sum(concentration - 1, model.weights) - float(log_normaliser)


@dataclass(frozen=True, eq=False)
class Beta(Record, Prior):
    """p(probs) of a Bernoulli mixture: ``prod_kd probs[k, d]^(a - 1) (1 - probs[k, d])^(b - 1) / B(a, b)``.

    Parameters
    ----------
    a, b : numbers, (D,) or (K, D), at least 1: ``a - 1`` imaginary ones and ``b - 1`` imaginary zeros.

    Raises
    ------
    ValueError : a parameter below 1, where the maximiser need not be the ratio of counts.

    Notes
    -----
    Source: Bishop (2006), equation 2.13.
    """

    a: Any
    b: Any

    def __post_init__(self) -> None:
        """Check and freeze the parameters."""
        self._set(a=_at_least_one(self.a, "a"), b=_at_least_one(self.b, "b"))

    def pseudo_statistics(self, model: BernoulliMixture) -> BernoulliStatistics:
        """Return ``a - 1`` ones and ``b - 1`` zeros for each pixel of each component."""
        a, b = self._for(model)
        return BernoulliStatistics(np.zeros_like(model.weights), a - 1, b - 1)

    def log_density(self, model: BernoulliMixture) -> float:
        """Return log p(probs) in nats."""
        a, b = self._for(model)
        log_beta = (_log_gamma(a) + _log_gamma(b) - _log_gamma(a + b)).sum()
        return _power_sum(a - 1, model.probs) + _power_sum(b - 1, 1 - model.probs) - float(log_beta)

    def _for(self, model: BernoulliMixture) -> tuple[Array, Array]:
        if not isinstance(model, BernoulliMixture):
            raise ValueError(f"Beta is a prior on the probs of a BernoulliMixture, not of {model!r}")
        return _broadcast(self.a, model.probs, "a"), _broadcast(self.b, model.probs, "b")


@dataclass(frozen=True, eq=False)
class InverseWishart(Record, Prior):
    """p(covariances) of a Gaussian mixture: each matrix is inverse-Wishart, alike and independent.

    ``p(Sigma)`` is proportional to ``|Sigma|^(-(degrees + D + 1) / 2) exp(-tr(scale Sigma^-1) / 2)``. Its
    mode is ``scale / (degrees + D + 1)``: no component can collapse on a datum. A tied matrix counts once;
    each variance of a diagonal matrix, and the one of a spherical matrix, is inverse-Wishart with D = 1.

    Parameters
    ----------
    scale : positive number, (D,) variances of a diagonal matrix, or (D, D) positive definite matrix, in
        squared units; diagonal covariances take no matrix, spherical ones a number.
    degrees : degrees of freedom, above D - 1 (above 0 for diagonal and spherical covariances).

    Raises
    ------
    ValueError : a scale that is not positive definite, or degrees that are not positive; with the first
        iteration where they do not suit the model.

    Notes
    -----
    Source: Bishop (2006), appendix B; Fraley and Raftery (2007) for this prior in EM.
    """

    scale: Any
    degrees: float

    def __post_init__(self) -> None:
        """Check and freeze the parameters."""
        scale = as_floats(self.scale, name="scale")
        matrix = scale if scale.ndim > 1 else np.diag(np.atleast_1d(scale))
        is_symmetric = matrix.ndim == 2 and np.array_equal(matrix, matrix.T)
        if not is_symmetric or not (np.linalg.eigvalsh(matrix) > 0).all():
            raise ValueError(
                "scale is not positive definite: pass a positive number, (D,) or symmetric (D, D)"
            )
        degrees = float(as_floats(self.degrees, name="degrees", shape=()))
        if degrees <= 0:
            raise ValueError(f"degrees = {degrees}: it should be positive")
        self._set(scale=scale, degrees=degrees)

    def pseudo_statistics(self, model: GaussianMixture) -> GaussianStatistics:
        """Return a scatter about the means and the degrees that divide it; no datum."""
        scale, dimension = self._for(model)
        shared = model.n_components if model.covariance_type == "tied" else 1
        features = model.n_features if model.covariance_type == "spherical" else 1
        none = model.no_statistics()
        return replace(
            none,
            second=np.broadcast_to(scale / (shared * features), none.second.shape),
            degrees=np.full(model.n_components, (self.degrees + dimension + 1) / (shared * features)),
        )

    def log_density(self, model: GaussianMixture) -> float:
        """Return log p(covariances) in nats, a sum over matrices, or over variances."""
        scale, dimension = self._for(model)
        degrees, covariances = self.degrees, model.covariances
        if covariances.ndim == 3:
            log_scale, log_volume = np.linalg.slogdet(scale)[1], np.linalg.slogdet(covariances)[1]
            trace = np.trace(np.linalg.solve(covariances, scale), axis1=1, axis2=2)
        else:
            log_scale, log_volume, trace = np.log(scale), np.log(covariances), scale / covariances
        log_normaliser = (
            0.5 * degrees * dimension * math.log(2)
            + 0.25 * dimension * (dimension - 1) * math.log(math.pi)
            + sum(math.lgamma((degrees - i) / 2) for i in range(dimension))
        )
        log_density = (
            0.5 * (degrees * log_scale - (degrees + dimension + 1) * log_volume - trace) - log_normaliser
        )
        return float(np.sum(log_density))

    def _for(self, model: GaussianMixture) -> tuple[Array, int]:
        """Return the scale in the shape that the model's covariances need, and their dimension."""
        if not isinstance(model, GaussianMixture):
            raise ValueError(
                f"InverseWishart is a prior on the covariances of a GaussianMixture, not of {model!r}"
            )
        d, scale, kind = model.n_features, self.scale, model.covariance_type
        wanted = {"spherical": ((),), "diagonal": ((), (d,))}.get(kind, ((), (d,), (d, d)))
        if scale.shape not in wanted:
            raise ValueError(f"scale has shape {scale.shape}: {kind} covariances take one of {wanted}")
        if model.covariances.ndim == 2:
            return scale, 1
        if self.degrees <= d - 1:
            raise ValueError(f"degrees = {self.degrees}: for D = {d} it should be above {d - 1}")
        return (scale if scale.ndim == 2 else np.diag(np.broadcast_to(scale, d))), d


def _at_least_one(values: ArrayLike, name: str) -> Array:
    array = as_floats(values, name=name)
    if (array < 1).any():
        raise ValueError(f"{name} holds {array.min()}: it should be at least 1, which is flat")
    return array


def _broadcast(values: Array, parameters: Array, name: str) -> Array:
    try:
        return np.broadcast_to(values, parameters.shape)
    except ValueError as error:
        raise ValueError(
            f"{name} has shape {values.shape}: pass a number, or what broadcasts to {parameters.shape}"
        ) from error


def _power_sum(exponents: Array, values: Array) -> float:
    """Return sum exponents * log(values), where 0 * log 0 is 0 and a positive exponent of 0 is -inf."""
    with np.errstate(divide="ignore"):
        logs = np.log(values)
    return float(np.multiply(exponents, logs, out=np.zeros_like(logs), where=exponents > 0).sum())
