"""Mixture of multivariate Gaussians; the shape of the covariances is the constraint on them."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emvae._records import Record
from emvae._validation import as_floats, check_finite
from emvae.mixtures.covariances import (
    CovarianceType,
    GaussianStatistics,
    covariance_shape,
    factorise,
    is_above,
    pool,
    project,
    whiten,
)
from emvae.mixtures.initialisation import Method, initial_responsibilities, subsample
from emvae.mixtures.matrix_products import block_rows
from emvae.mixtures.mixture import Array, Mixture
from emvae.mixtures.product_form import MAX_PRODUCTS, ProductForm

RELATIVE_FLOOR = 1e-6
"""Variance floor of ``initialise`` relative to the variance of each feature."""


class _Rows(NamedTuple):
    """Rows of data (B, D), and the features of the fast path, or None where the accurate one is taken."""

    x: Array
    features: Array | None


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
    covariance_type : "full", "tied", "diagonal" or "spherical"; None reads it off the shape, and takes
        (1, D, D) for full where K = 1, (K, 1) for diagonal where D = 1.
    learn_weights : whether the M-step updates the weights.

    Raises
    ------
    ValueError : shapes that do not fit, weights that are no distribution, covariances that are not
        symmetric positive definite or lie below ``min_variance``.

    Notes
    -----
    Defined in {eq}`def-gmm-likelihood`. Log densities are accurate to 1e-9 nats plus the
    error that the rounding of x and of the covariances themselves implies: a relative error e of x
    moves a log density by up to e |x| sqrt(-2 log p) / sigma. Source: Bishop (2006), section 9.2.
    """

    means: Array
    covariances: Array
    min_variance: Any = field(default=0.0, kw_only=True)
    covariance_type: Any = field(default=None, kw_only=True)
    _factors: Array = field(init=False)

    def __post_init__(self) -> None:
        """Check and freeze the parameters; the Cholesky factors come with it."""
        super().__post_init__()
        means = as_floats(self.means, name="means", shape=(len(self.weights), None))
        covariances = as_floats(self.covariances, name="covariances")
        if means.shape[1] == 0:
            raise ValueError("means has no features: pass an array of shape (K, D)")
        kinds = get_args(CovarianceType) if self.covariance_type is None else (self.covariance_type,)
        shapes = {kind: covariance_shape(kind, *means.shape) for kind in kinds}
        fitting = [kind for kind in kinds if shapes[kind] == covariances.shape]
        if not fitting:
            known = ", ".join(f"{shape} {kind}" for kind, shape in shapes.items())
            raise ValueError(f"covariances has shape {covariances.shape}: pass one of {known}")
        self._set(means=means, covariances=covariances, covariance_type=fitting[0])
        self._set(min_variance=self._as_floor(self.min_variance), _factors=factorise(covariances))
        if not is_above(covariances, self.min_variance * (1 - 1e-8)):
            raise ValueError(
                "covariances lie below min_variance: raise them or lower min_variance, "
                "EM is monotone only from a start that meets the constraint"
            )
        Record.__post_init__(self)

    def __repr__(self) -> str:
        return (
            f"GaussianMixture(K={self.n_components}, D={self.n_features}, {self.covariance_type} covariances)"
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
        sample = subsample(x, n_components=n_components, rng=rng)
        mean, variance = sample.mean(axis=0), _feature_variance(sample)
        shape = covariance_shape(covariance_type, n_components, len(mean))
        overall = cls(
            np.full(n_components, 1 / n_components),
            np.tile(mean, (n_components, 1)),
            np.broadcast_to(np.diag(variance) if len(shape) == 3 else variance.max(), shape),
            covariance_type=covariance_type,
            learn_weights=learn_weights,
        )
        floor = overall._as_floor(RELATIVE_FLOOR * variance if min_variance is None else min_variance)
        resp = initial_responsibilities(
            (sample - mean) / np.sqrt(variance), n_components, rng=rng, method=method
        )
        statistics = overall.statistics(sample, resp)
        pooled = statistics.scatter.sum(axis=0) / len(sample)
        if covariance_type == "spherical":
            pooled = pooled.mean()
        return replace(
            overall,
            means=overall.means + statistics.mean_shift,
            covariances=project(np.broadcast_to(pooled, shape), floor),
            min_variance=floor,
        )

    @property
    def n_features(self) -> int:  # type: ignore[override]  # read-only here
        """Dimension D of a datum."""
        return int(self.means.shape[1])

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
    def block_rows(self) -> int:  # type: ignore[override]  # read-only here
        """Rows whose table of products and log likelihoods together fit a cache."""
        return block_rows(min(self._products.n_products, MAX_PRODUCTS) + self.n_features + self.n_components)

    def statistics(self, x: ArrayLike, resp: ArrayLike) -> GaussianStatistics:
        """Return the expected sufficient statistics, moments about the means."""
        statistics: GaussianStatistics = super().statistics(x, resp)
        return statistics.about(self.means)

    def no_statistics(self) -> GaussianStatistics:
        """Return the statistics of no data."""
        k, d = self.means.shape
        second = np.zeros((k, d, d) if self.covariances.ndim == 3 else (k, d))
        return GaussianStatistics(np.zeros(k), self.means, np.zeros((k, d)), second)

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
        statistics = statistics.about(self.means)
        return replace(
            self,
            weights=self._new_weights(statistics.counts),
            means=self.means + statistics.mean_shift,
            covariances=project(pool(statistics, self.covariances), self.min_variance),
        )

    @cached_property
    def _products(self) -> ProductForm:
        """The fast form of the log densities, about the mean of the mixture."""
        if self.covariances.ndim == 2:
            precisions = 1 / self.covariances
        else:
            inverse_factors = np.linalg.inv(self._factors)
            precisions = np.swapaxes(inverse_factors, 1, 2) @ inverse_factors
        centre = self.weights @ self.means
        return ProductForm(centre, self.means, precisions, self._log_peaks)

    @cached_property
    def _log_peaks(self) -> Array:
        """Heights of the log densities, log N(mu_k | mu_k, Sigma_k), (K,)."""
        if self.covariances.ndim == 2:
            scales = np.broadcast_to(self._factors, self.means.shape)
        else:
            scales = np.diagonal(self._factors, axis1=1, axis2=2)
        log_scale = np.log(scales).sum(axis=1) + 0.5 * self.n_features * np.log(2 * np.pi)
        return np.broadcast_to(-log_scale, self.weights.shape)

    def _factor(self, k: int) -> Array:
        """Cholesky factor (D, D) or standard deviations (D or 1,) of component k."""
        return self._factors[k if len(self._factors) > 1 else 0]

    def _prepare(self, rows: NDArray[Any], first_row: int) -> _Rows:
        check_finite(rows, first_row=first_row)
        x = rows.astype(np.float64, copy=False)
        return _Rows(x, self._products.features(x))

    def _score(self, rows: _Rows) -> Array:
        if rows.features is not None:
            return self._products.log_likelihood(rows.features)
        if self.covariances.ndim == 2 and self.n_components > len(rows.x):
            return self._log_likelihood_by_features(rows.x)
        log_likelihood = np.empty((self.n_components, len(rows.x)))
        for k, (mean, log_peak) in enumerate(zip(self.means, self._log_peaks, strict=True)):
            white = whiten(np.subtract(rows.x.T, mean[:, None], order="C"), self._factor(k))
            log_likelihood[k] = log_peak - 0.5 * np.square(white).sum(axis=0)
        return log_likelihood.T

    def _log_likelihood_by_features(self, x: Array) -> Array:
        """Whiten x (B, D) feature by feature under diagonal covariances, for many components; (B, K)."""
        scales = np.broadcast_to(self._factors, self.means.shape)
        log_likelihood = np.empty((len(x), self.n_components))
        log_likelihood[:] = self._log_peaks
        white = np.empty_like(log_likelihood)
        for d in range(self.n_features):
            np.subtract(x[:, d, None], self.means[:, d], out=white)
            white /= scales[:, d]
            np.square(white, out=white)
            white *= 0.5
            log_likelihood -= white
        return log_likelihood

    def _collect(self, rows: _Rows, resp: Array) -> GaussianStatistics:
        if rows.features is not None:
            return self._products.statistics(rows.features, resp)
        firsts, seconds = [], []
        for mean, r in zip(self.means, resp.T, strict=True):
            z = rows.x - mean
            weighted = r[:, None] * z
            firsts.append(weighted.sum(axis=0))
            seconds.append((weighted * z).sum(axis=0) if self.covariances.ndim == 2 else weighted.T @ z)
        return GaussianStatistics(resp.sum(axis=0), self.means, np.array(firsts), np.array(seconds))

    def draw(self, component: int, n: int, *, rng: np.random.Generator) -> Array:
        """Draw n data from a component, (n, D)."""
        noise = rng.standard_normal((n, self.n_features))
        factor = self._factor(component)
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
            raise ValueError("min_variance is 0 for some features alone: make all positive or all 0")
        return floor


def _feature_variance(x: Array) -> Array:
    """Variance of each feature, (D,); 1 for one that is constant up to rounding."""
    variance = x.var(axis=0)
    rounding = np.square(8 * np.finfo(float).eps * np.abs(x).max(axis=0))
    return np.where(variance > rounding, variance, 1.0)
