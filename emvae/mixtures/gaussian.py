"""Mixture of multivariate Gaussians; the shape of the covariances is the constraint on them."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emvae._validation import as_floats
from emvae.mixtures.base import NEGLIGIBLE, Array, Block, Mixture
from emvae.mixtures.initialisation import Method, initial_responsibilities, subsample

__all__ = ["GaussianMixture", "GaussianStatistics"]

CovarianceType = Literal["full", "tied", "diagonal", "spherical"]

LOG_2PI = float(np.log(2 * np.pi))
MAX_ERROR = 1e-10
"""Largest error of a log density, in nats, that the single-product form may make."""
MAX_PRODUCTS = 2048
"""Widest table of products z_i z_j that is built; beyond it whitening is as fast."""
RELATIVE_FLOOR = 1e-6
"""Variance floor of ``initialise`` relative to the variance of each feature."""


@dataclass(frozen=True)
class GaussianStatistics:
    """Responsibility-weighted moments about the means of the model that computed them.

    Moments about the old means keep their digits when data lie far from the origin; the M-step
    shifts them to the new ones.

    Attributes
    ----------
    counts : (K,) N_k = sum_n r_nk.
    first : (K, D) sum_n r_nk (x_n - mu_k).
    second : (K, D, D) sum_n r_nk (x_n - mu_k)(x_n - mu_k)^T, or its diagonals (K, D).
    """

    counts: Array
    first: Array
    second: Array

    def __add__(self, other: Self) -> Self:
        """Return the statistics of both data sets together."""
        return type(self)(
            self.counts + other.counts, self.first + other.first, self.second + other.second
        )


@dataclass(frozen=True, eq=False, repr=False)
class GaussianMixture(Mixture):
    """p(x) = sum_k weights[k] N(x | means[k], covariances[k]).

    Parameters
    ----------
    weights : (K,) mixing weights.
    means : (K, D), in the units of the data.
    covariances : in squared units; their shape is the constraint that the M-step keeps.
        (K, D, D) full; (1, D, D) tied, one matrix for all; (K, D) diagonal; (K, 1) spherical.
    min_variance : scalar or (D,) floor f: the M-step keeps covariances >= diag(f) in the order of
        positive semi-definite matrices, by the exact maximiser under that constraint, so EM stays
        monotone. 0 is no floor.
    learn_weights : whether the M-step updates the weights.

    Raises
    ------
    ValueError : shapes that do not fit, weights that are no distribution, covariances that are not
        symmetric positive definite or lie below ``min_variance``.

    Notes
    -----
    Defined in {eq}`def-gmm-likelihood`. Log densities are accurate to about 1e-10 nats plus the
    error that the rounding of x and of the covariances themselves implies: a relative error e of x
    moves a log density by up to e |x| sqrt(-2 log p) / sigma. Source: Bishop (2006), section 9.2.
    """

    means: Array
    covariances: Array
    min_variance: Any = field(default=0.0, kw_only=True)
    _factors: Array = field(init=False)

    def __post_init__(self) -> None:
        """Check and freeze the parameters; the Cholesky factors come with it."""
        super().__post_init__()
        means = as_floats(self.means, name="means", shape=(len(self.weights), None))
        covariances = as_floats(self.covariances, name="covariances")
        k, d = means.shape
        if d == 0:
            raise ValueError("means has no features: pass an array of shape (K, D)")
        if covariances.shape not in {(k, d, d), (1, d, d), (k, d), (k, 1)}:
            raise ValueError(
                f"covariances has shape {covariances.shape}: for K = {k} and D = {d} pass "
                f"{(k, d, d)} full, {(1, d, d)} tied, {(k, d)} diagonal or {(k, 1)} spherical"
            )
        object.__setattr__(self, "means", means)
        object.__setattr__(self, "covariances", covariances)
        object.__setattr__(self, "min_variance", self._as_floor(self.min_variance))
        object.__setattr__(self, "_factors", _factorise(covariances))
        if not _is_above(covariances, self.min_variance * (1 - 1e-8)):
            raise ValueError(
                "covariances lie below min_variance: raise them or lower min_variance, "
                "EM is monotone only from a start that meets the constraint"
            )

    def __repr__(self) -> str:
        return (
            f"GaussianMixture(K={self.n_components}, D={self.n_features}, "
            f"{self.covariance_type} covariances)"
        )

    @classmethod
    def initialise(
        cls,
        x: ArrayLike,
        n_components: int,
        *,
        rng: np.random.Generator,
        method: Method = "k-means++",
        covariance_type: CovarianceType = "full",
        min_variance: ArrayLike | None = None,
        learn_weights: bool = True,
    ) -> Self:
        """Make a start for EM: means of initial clusters, their pooled covariance for all.

        Parameters
        ----------
        x : (N, D) data.
        n_components : K, from 1 to N.
        rng : numpy Generator.
        method : "k-means++", "random-points" or "random-responsibilities"; distances are measured
            in standard deviations of each feature.
        covariance_type : "full", "tied", "diagonal" or "spherical".
        min_variance : scalar or (D,) floor; None is 1e-6 of the variance of each feature (of 1 for
            a constant feature).
        learn_weights : as the model's.

        Returns
        -------
        GaussianMixture with uniform weights. At most 16,384 rows, drawn at random, are looked at.

        Raises
        ------
        ValueError : as ``initial_responsibilities``, or an unknown ``covariance_type``.
        """
        if covariance_type not in get_args(CovarianceType):
            known = ", ".join(get_args(CovarianceType))
            raise ValueError(f"covariance_type = {covariance_type!r}: choose one of {known}")
        sample = subsample(x, n_components=n_components, rng=rng)
        mean, variance = sample.mean(axis=0), _feature_variance(sample)
        resp = initial_responsibilities(
            (sample - mean) / np.sqrt(variance), n_components, rng=rng, method=method
        )
        full = covariance_type in ("full", "tied")
        overall = cls(
            np.full(n_components, 1 / n_components),
            np.tile(mean, (n_components, 1)),
            np.diag(variance)[None] if full else np.tile(variance, (n_components, 1)),
            min_variance=RELATIVE_FLOOR * variance if min_variance is None else min_variance,
            learn_weights=learn_weights,
        )
        statistics = overall.statistics(sample, resp)
        scatter = _scatter(statistics)
        pooled = scatter.sum(axis=0, keepdims=True) / len(sample)
        if covariance_type == "full":
            pooled = np.repeat(pooled, n_components, axis=0)
        elif covariance_type == "diagonal":
            pooled = np.tile(pooled, (n_components, 1))
        elif covariance_type == "spherical":
            pooled = np.full((n_components, 1), pooled.mean())
        return replace(
            overall,
            means=overall.means + _mean_shift(statistics),
            covariances=_project(pooled, overall.min_variance),
        )

    @property
    def n_features(self) -> int:
        """Dimension D of a datum."""
        return int(self.means.shape[1])

    @property
    def covariance_type(self) -> CovarianceType:
        """Which constraint the shape of the covariances stands for."""
        if self.covariances.ndim == 3:
            return "full" if len(self.covariances) == self.n_components else "tied"
        return "diagonal" if self.covariances.shape[1] == self.n_features else "spherical"

    @property
    def n_parameters(self) -> int:
        """Free means and covariance entries, and K - 1 weights where they are learned."""
        d = self.n_features
        per_matrix = d * (d + 1) // 2 if self.covariances.ndim == 3 else self.covariances.shape[1]
        return (
            self.means.size
            + len(self.covariances) * per_matrix
            + (self.n_components - 1) * self.learn_weights
        )

    @property
    def block_rows(self) -> int:
        """Rows whose table of products and log likelihoods together stay near 16 MB."""
        width = min(len(self._pairs[0]), MAX_PRODUCTS) + self.n_features + self.n_components
        return int(np.clip(2**21 // width, 1, 16_384))

    def maximise(self, statistics: GaussianStatistics) -> Self:
        """Return the maximiser of the expected log joint: weighted means and covariances.

        ``mu_k <- mu_k + first_k / N_k`` and ``Sigma_k <- second_k / N_k - delta delta^T``, about
        the new mean, pooled over what the components share, then projected on the floor. A
        component without responsibilities keeps its parameters.

        Notes
        -----
        Derived in {eq}`eq-gmm-mean`, {eq}`eq-gmm-covariance`, {eq}`eq-gmm-weights` and
        {eq}`eq-gmm-projection`. Source: Bishop (2006), equations 9.24 to 9.26.
        """
        counts = statistics.counts
        scatter = _scatter(statistics)
        if self.covariance_type == "tied":
            covariances = scatter.sum(axis=0, keepdims=True) / counts.sum()
        else:
            per_component = counts.reshape(-1, *(1,) * (scatter.ndim - 1))
            if self.covariance_type == "spherical":
                scatter = scatter.mean(axis=1, keepdims=True)
            old = np.array(np.broadcast_to(self.covariances, scatter.shape))
            covariances = np.divide(
                scatter, per_component, out=old, where=per_component > NEGLIGIBLE
            )
        return replace(
            self,
            weights=self._new_weights(counts),
            means=self.means + _mean_shift(statistics),
            covariances=_project(covariances, self.min_variance),
        )

    # Two forms of one quadratic form. With z = x - centre it is linear in the features
    # (z_i z_j, z_i, 1), so that one matrix product scores a block under all components and
    # another sums its statistics. That form cancels when components are narrow compared with
    # the spread of the data; then each component whitens x - mu_k on its own.

    def prepare(self, rows: slice, x: NDArray[Any]) -> Block:
        """Convert consecutive rows, with the table of products where its error is small enough."""
        x = x.astype(np.float64, copy=False)
        n_products, d = len(self._pairs[0]), self.n_features
        if n_products > MAX_PRODUCTS:
            return Block(rows, x)
        features = np.empty((n_products + d + 1, len(x)))
        z = features[n_products:-1]
        np.subtract(x.T, self._centre[:, None], out=z)
        if not self._products_are_accurate(z):
            return Block(rows, x)
        features[-1] = 1.0
        if self.covariances.ndim == 2:
            np.square(z, out=features[:d])
        else:
            ends = np.cumsum(range(d, 0, -1))
            for i, end in enumerate(ends):
                np.multiply(z[i], z[i:], out=features[end - d + i : end])
        return Block(rows, x, features)

    def _products_are_accurate(self, z: Array) -> bool:
        """Bound the rounding error of the single-product form: eps lambda_max (|z| + |b|)^2."""
        radius = np.sqrt(np.einsum("db,db->b", z, z).max())
        offset = np.linalg.norm(self.means - self._centre, axis=1)
        bound = np.finfo(float).eps * self._sharpness * (radius + offset) ** 2
        return bool(bound.max() <= MAX_ERROR)

    @cached_property
    def _centre(self) -> Array:
        """Mean of the mixture, (D,): the origin of the products."""
        return self.weights @ self.means

    @cached_property
    def _pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Indices i <= j of the products z_i z_j that the covariances couple."""
        d = self.n_features
        return np.triu_indices(d) if self.covariances.ndim == 3 else (np.arange(d), np.arange(d))

    @cached_property
    def _precisions(self) -> Array:
        """Inverse covariances, of the shape of the covariances."""
        if self.covariances.ndim == 2:
            return 1 / self.covariances
        inverse_factors = np.linalg.inv(self._factors)
        return np.swapaxes(inverse_factors, 1, 2) @ inverse_factors

    @cached_property
    def _sharpness(self) -> Array:
        """Largest eigenvalue of each precision, (K,) or (1,)."""
        if self.covariances.ndim == 2:
            return self._precisions.max(axis=1)
        return np.linalg.eigvalsh(self._precisions)[:, -1]

    @cached_property
    def _log_peaks(self) -> Array:
        """Return log N(mu_k | mu_k, Sigma_k), the height of each log density, (K,)."""
        if self.covariances.ndim == 2:
            scales = np.broadcast_to(self._factors, self.means.shape)
        else:
            scales = np.diagonal(self._factors, axis1=1, axis2=2)
        log_scale = np.log(scales).sum(axis=1)
        return np.broadcast_to(-0.5 * self.n_features * LOG_2PI - log_scale, self.weights.shape)

    @cached_property
    def _packed(self) -> Array:
        """Parameters (K, features) that the features of ``prepare`` are multiplied with."""
        i, j = self._pairs
        b = self.means - self._centre
        if self.covariances.ndim == 2:
            precisions = np.broadcast_to(self._precisions, b.shape)
            quadratic, linear = -0.5 * precisions, precisions * b
        else:
            precisions = np.broadcast_to(self._precisions, (*b.shape, b.shape[1]))
            quadratic = -np.where(i == j, 0.5, 1.0) * precisions[:, i, j]
            linear = np.einsum("kij,kj->ki", precisions, b)
        constant = self._log_peaks - 0.5 * (linear * b).sum(axis=1)
        return np.column_stack([quadratic, linear, constant])

    def _block_log_likelihood(self, block: Block) -> Array:
        if block.features is not None:
            return (self._packed @ block.features).T  # components first in memory, for what follows
        log_likelihood = np.empty((self.n_components, len(block.x)))
        for k in range(self.n_components):
            log_likelihood[k] = -0.5 * np.square(self._whiten(block.x, k)).sum(axis=0)
        log_likelihood += self._log_peaks[:, None]
        return log_likelihood.T

    def _whiten(self, x: NDArray[Any], k: int) -> Array:
        """Coordinates (D, N) in which component k is a standard Gaussian."""
        z = (x - self.means[k]).T
        factor = self._factors[k if len(self._factors) > 1 else 0]
        return z / factor[:, None] if factor.ndim == 1 else np.linalg.solve(factor, z)

    def _block_statistics(self, block: Block, resp: Array) -> GaussianStatistics:
        if block.features is not None:
            return self._statistics_of_products(resp.T @ block.features.T)
        first = np.empty(self.means.shape)
        second = np.empty((*self.means.shape, *self.means.shape[1:][: self.covariances.ndim - 2]))
        for k in range(self.n_components):
            z = block.x - self.means[k]
            weighted = resp[:, k, None] * z
            first[k] = weighted.sum(axis=0)
            second[k] = weighted.T @ z if second.ndim == 3 else (weighted * z).sum(axis=0)
        return GaussianStatistics(resp.sum(axis=0), first, second)

    def _statistics_of_products(self, sums: Array) -> GaussianStatistics:
        """Shift sums of features about the centre to moments about each mean."""
        i, j = self._pairs
        b = self.means - self._centre
        counts, centred = sums[:, -1], sums[:, len(i) : -1]
        first = centred - counts[:, None] * b
        if self.covariances.ndim == 2:
            second = sums[:, : len(i)] - b * (centred + first)
        else:
            second = np.empty((*b.shape, b.shape[1]))
            second[:, i, j] = second[:, j, i] = sums[:, : len(i)]
            cross = b[:, :, None] * centred[:, None, :]
            second -= cross + np.swapaxes(cross, 1, 2)
            second += counts[:, None, None] * b[:, :, None] * b[:, None, :]
        return GaussianStatistics(counts, first, second)

    def _draw(self, component: int, n: int, rng: np.random.Generator) -> Array:
        noise = rng.standard_normal((n, self.n_features))
        factor = self._factors[component if len(self._factors) > 1 else 0]
        stretched = noise * factor if factor.ndim == 1 else noise @ factor.T
        return self.means[component] + stretched

    def _as_floor(self, min_variance: ArrayLike) -> Array:
        floor = as_floats(min_variance, name="min_variance")
        if floor.shape not in {(), (self.n_features,)} or (floor < 0).any():
            raise ValueError(
                "min_variance should be one non-negative number, or one per feature: "
                f"it has shape {floor.shape} for D = {self.n_features}"
            )
        if (floor == 0).any() and (floor > 0).any():
            raise ValueError(
                "min_variance is 0 for some features alone: make all positive or all 0"
            )
        return floor


def _feature_variance(x: Array) -> Array:
    """Variance of each feature, (D,); 1 for one that is constant up to rounding."""
    variance = x.var(axis=0)
    rounding = np.square(8 * np.finfo(float).eps * np.abs(x).max(axis=0))
    return np.where(variance > rounding, variance, 1.0)


def _mean_shift(statistics: GaussianStatistics) -> Array:
    """Weighted mean minus old mean, (K, D); 0 for an empty component."""
    counts = statistics.counts[:, None]
    shift = np.zeros_like(statistics.first)
    return np.divide(statistics.first, counts, out=shift, where=counts > NEGLIGIBLE)


def _scatter(statistics: GaussianStatistics) -> Array:
    """Second moments about the new means: second_k - N_k delta_k delta_k^T."""
    shift = _mean_shift(statistics)
    if statistics.second.ndim == 2:
        return statistics.second - statistics.first * shift
    outer = statistics.first[:, :, None] * shift[:, None, :]
    return statistics.second - (outer + np.swapaxes(outer, 1, 2)) / 2


def _factorise(covariances: Array) -> Array:
    """Lower Cholesky factors, or standard deviations of diagonal covariances."""
    problem = "covariances are not positive definite: add variance, or fit with min_variance > 0"
    if covariances.ndim == 2:
        if (covariances <= 0).any():
            raise ValueError(problem)
        return np.sqrt(covariances)
    size = np.abs(covariances).max(axis=(1, 2), keepdims=True)
    if (np.abs(covariances - np.swapaxes(covariances, 1, 2)) > 1e-10 * size).any():
        raise ValueError("covariances are not symmetric: pass (C + C^T) / 2")
    try:
        return np.linalg.cholesky(covariances)
    except np.linalg.LinAlgError as error:
        raise ValueError(problem) from error


def _is_above(covariances: Array, floor: Array) -> bool:
    """Whether every covariance minus diag(floor) is positive definite; always so for floor 0."""
    if not floor.any():
        return True
    if covariances.ndim == 2:
        spherical = covariances.shape[1] == 1
        return bool((covariances > (floor.max() if spherical else floor)).all())
    try:
        np.linalg.cholesky(covariances - np.diag(np.broadcast_to(floor, covariances.shape[1:2])))
    except np.linalg.LinAlgError:
        return False
    return True


def _project(covariances: Array, floor: Array) -> Array:
    """Return the maximiser of the expected log likelihood among covariances >= diag(floor).

    In units where the floor is the identity, eigenvalues below one are raised to one.
    """
    if _is_above(covariances, floor):
        return covariances
    if covariances.ndim == 2:
        spherical = covariances.shape[1] == 1
        return np.maximum(covariances, floor.max() if spherical else floor)
    unit = np.sqrt(np.broadcast_to(floor, covariances.shape[1:2]))
    values, vectors = np.linalg.eigh(covariances / np.outer(unit, unit))
    raised = (vectors * np.maximum(values, 1.0)[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    projected = raised * np.outer(unit, unit)
    return np.where(values[:, :1, None] < 1.0, projected, covariances)
