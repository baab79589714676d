"""Weighted moments of Gaussian data, and the constraints that covariances may have to meet.

The shape of an array of covariances says which constraint it keeps: (K, D, D) full, (1, D, D) tied,
(K, D) diagonal, (K, 1) spherical. All broadcast to one matrix, or one row of variances, each.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np

from emvae._records import Record
from emvae.mixtures.mixture import EMPTY, Array

CovarianceType = Literal["full", "tied", "diagonal", "spherical"]


@dataclass(frozen=True, eq=False)
class GaussianStatistics(Record):
    """Responsibility-weighted moments about an origin a_k for each component.

    A model computes them about its means: then they keep their digits however far the data lie
    from zero, and the M-step shifts them to the new means.

    Attributes
    ----------
    counts : (K,) N_k = sum_n r_nk, of which the weights are made.
    origins : (K, D) a_k.
    first : (K, D) sum_n r_nk (x_n - a_k).
    second : (K, D, D) sum_n r_nk (x_n - a_k)(x_n - a_k)^T, or its diagonals (K, D).
    mass : (K,) total responsibility of the data in the moments: N_k, unless a prior adds to ``counts``.
    degrees : (K,) what a prior adds to ``mass`` under the covariances; data have none.
    """

    counts: Array
    origins: Array
    first: Array
    second: Array
    mass: Any = None  # then counts
    degrees: Any = 0.0

    def __post_init__(self) -> None:
        """Let the moments have the mass that the weights have."""
        if self.mass is None:
            self._set(mass=self.counts)
        super().__post_init__()

    def about(self, origins: Array) -> Self:
        """Return the same statistics with moments about other origins (K, D)."""
        if np.array_equal(origins, self.origins):
            return self
        mass, shift = self.mass[:, None], self.origins - origins
        first = self.first + mass * shift
        if self.second.ndim == 2:
            second = self.second + (self.first + first) * shift
        else:
            cross = _outer(shift, self.first)
            second = self.second + cross + np.swapaxes(cross, 1, 2)
            second += mass[:, :, None] * _outer(shift, shift)
        return replace(self, origins=origins, first=first, second=second)

    def __add__(self, other: Self) -> Self:
        """Return the statistics of both data sets together, about the origins of the first."""
        other = other.about(self.origins)
        return replace(
            self,
            counts=self.counts + other.counts,
            first=self.first + other.first,
            second=self.second + other.second,
            mass=self.mass + other.mass,
            degrees=self.degrees + other.degrees,
        )

    @property
    def mean_shift(self) -> Array:
        """New mean minus origin, (K, D): first / mass, and 0 for an empty component."""
        mass = self.mass[:, None]
        shift = np.zeros_like(self.first)
        return np.divide(self.first, mass, out=shift, where=mass > EMPTY)

    @property
    def scatter(self) -> Array:
        """Second moments about the new means, of the shape of ``second``."""
        if self.second.ndim == 2:
            return self.second - self.first * self.mean_shift
        scatter = self.second - _outer(self.first, self.mean_shift)
        return (scatter + np.swapaxes(scatter, 1, 2)) / 2


def _outer(left: Array, right: Array) -> Array:
    """Outer product of each row with its partner, (K, D, D)."""
    return left[:, :, None] * right[:, None, :]


def covariance_shape(kind: CovarianceType, n_components: int, n_features: int) -> tuple[int, ...]:
    """Return the shape that stands for a constraint."""
    k, d = n_components, n_features
    shapes = {"full": (k, d, d), "tied": (1, d, d), "diagonal": (k, d), "spherical": (k, 1)}
    if kind not in shapes:
        raise ValueError(f"covariance_type = {kind!r}: choose one of {', '.join(shapes)}")
    return shapes[kind]


def factorise(covariances: Array) -> Array:
    """Return lower Cholesky factors, or standard deviations of diagonal covariances."""
    problem = "covariances are not positive definite: add variance, or fit with min_variance > 0"
    if covariances.ndim == 2:
        if (covariances <= 0).any():
            raise ValueError(problem)
        return np.sqrt(covariances)
    size = np.abs(covariances).max(axis=(1, 2), keepdims=True)
    if (np.abs(covariances - np.swapaxes(covariances, 1, 2)) > 1e-10 * size).any():
        raise ValueError("covariances are not symmetric: pass (C + C^T) / 2")
    try:
        return cholesky(covariances)
    except np.linalg.LinAlgError as error:
        raise ValueError(problem) from error


def cholesky(matrices: Array) -> Array:
    """Return lower Cholesky factors, or raise LinAlgError; WebAssembly raises nothing and leaves NaN."""
    factors = np.linalg.cholesky(matrices)
    if not np.isfinite(factors).all():
        raise np.linalg.LinAlgError("a matrix is not positive definite")
    return factors


def whiten(z: Array, factor: Array) -> Array:
    """Return L^{-1} z for a lower factor (D, D) or for standard deviations (D or 1,), z (D, N).

    Forward substitution, row by row: it keeps digits that multiplication by an inverse would lose.
    """
    if factor.ndim == 1:
        return z / factor[:, None]
    white = np.empty_like(z)
    for i, row in enumerate(factor):
        white[i] = (z[i] - row[:i] @ white[:i]) / row[i]
    return white


def pool(statistics: GaussianStatistics, old: Array) -> Array:
    """Return the unconstrained-by-floor maximiser of the shape of ``old``.

    Scatter over mass, summed first over whatever the shape says is shared. Components without
    responsibilities keep their old covariance.
    """
    counts, scatter = statistics.mass + statistics.degrees, statistics.scatter
    if scatter.ndim == 3 and len(old) == 1:
        return scatter.sum(axis=0, keepdims=True) / counts.sum()
    if old.shape[1:] == (1,):
        scatter = scatter.mean(axis=1, keepdims=True)
    per_component = counts.reshape(-1, *(1,) * (scatter.ndim - 1))
    return np.divide(scatter, per_component, out=old.copy(), where=per_component > EMPTY)


def is_above(covariances: Array, floor: Array) -> bool:
    """Tell whether every covariance minus diag(floor) is positive definite, or floor is 0."""
    if not floor.any():
        return True
    if covariances.ndim == 2:
        return bool((covariances > _variance_floor(covariances, floor)).all())
    try:
        cholesky(covariances - np.diag(np.broadcast_to(floor, covariances.shape[1:2])))
    except np.linalg.LinAlgError:
        return False
    return True


def project(covariances: Array, floor: Array) -> Array:
    """Return the maximiser of the expected log likelihood among covariances >= diag(floor).

    In units where the floor is the identity, eigenvalues below one are raised to one.

    Notes
    -----
    Derived in {eq}`eq-gmm-projection`.
    """
    if is_above(covariances, floor):
        return covariances
    if covariances.ndim == 2:
        return np.maximum(covariances, _variance_floor(covariances, floor))
    unit = np.sqrt(np.broadcast_to(floor, covariances.shape[1:2]))
    values, vectors = np.linalg.eigh(covariances / np.outer(unit, unit))
    raised = (vectors * np.maximum(values, 1.0)[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    raised = (raised + np.swapaxes(raised, 1, 2)) / 2 * np.outer(unit, unit)
    return np.where(values[:, :1, None] < 1.0, raised, covariances)


def _variance_floor(variances: Array, floor: Array) -> Array:
    """Floor of diagonal variances: one spherical variance must meet the largest of all."""
    return np.max(floor, keepdims=True) if variances.shape[1] == 1 else floor
