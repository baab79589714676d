"""Gaussian log densities as one matrix product, with a guard that says when it may be used.

With z = x - centre, log N(x | mu_k, Sigma_k) is linear in the features (z_i z_j, z_i, 1). One
product of packed parameters with a block of features scores it under all components, and one
product of responsibilities with the same features sums its statistics. The price is cancellation:
when components are narrow compared with the spread of the data, large terms nearly cancel.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from emvae.mixtures.covariances import GaussianStatistics
from emvae.mixtures.matrix_products import collect, score
from emvae.mixtures.mixture import Array

MAX_ERROR = 1e-9
"""Largest rounding error of a log density, in nats, that the product form may make."""
MAX_PRODUCTS = 2048
"""Widest table of products z_i z_j that is built; beyond it whitening is as fast."""


@dataclass(frozen=True, eq=False)
class ProductForm:
    """The Gaussians of a mixture, ready for products of features.

    Attributes
    ----------
    centre : (D,) origin of z.
    means : (K, D).
    precisions : (K or 1, D, D) or (K, D or 1) inverse covariances.
    log_peaks : (K,) log N(mu_k | mu_k, Sigma_k).
    """

    centre: Array
    means: Array
    precisions: Array
    log_peaks: Array

    @property
    def is_diagonal(self) -> bool:
        """Whether covariances couple no two features, so that squares are all the products."""
        return self.precisions.ndim == 2

    @property
    def n_products(self) -> int:
        """Number of features z_i z_j."""
        d = len(self.centre)
        return d if self.is_diagonal else d * (d + 1) // 2

    def features(self, x: NDArray[Any]) -> Array | None:
        """Return the features (n_products + D + 1, B) of rows x (B, D), or None if inaccurate."""
        if self.n_products > MAX_PRODUCTS:
            return None
        d = len(self.centre)
        features = np.empty((self.n_products + d + 1, len(x)))
        z = features[self.n_products : -1]
        np.subtract(x.T, self.centre[:, None], out=z)
        if self.error_bound(z) > MAX_ERROR:
            return None
        features[-1] = 1.0
        if self.is_diagonal:
            np.square(z, out=features[:d])
        else:
            _multiply_pairs(z, out=features[: self.n_products])
        return features

    def error_bound(self, z: Array) -> float:
        """Bound the rounding error of a log density: eps lambda_max (|z| + |offset|)^2.

        ``z`` (D, B) are centred data and lambda_max is the largest eigenvalue of a precision.
        """
        radius = np.sqrt(np.einsum("db,db->b", z, z).max())
        return float(np.finfo(float).eps * (self._sharpness * (radius + self._offsets) ** 2).max())

    def log_likelihood(self, features: Array) -> Array:
        """Return log N(x_n | mu_k, Sigma_k), (B, K), laid out with components first in memory."""
        return score(self._packed, features).T

    def statistics(self, features: Array, resp: Array) -> GaussianStatistics:
        """Sum features by responsibility (B, K): moments about the centre."""
        sums = collect(features, resp)
        products, centred, counts = np.split(sums, [self.n_products, sums.shape[1] - 1], axis=1)
        second = products if self.is_diagonal else products[:, self._places]
        origins = np.broadcast_to(self.centre, self.means.shape)
        return GaussianStatistics(counts[:, 0], origins, centred, second)

    @cached_property
    def _offsets(self) -> Array:
        """Distances of the means from the centre, (K,)."""
        return np.linalg.norm(self.means - self.centre, axis=1)

    @cached_property
    def _places(self) -> NDArray[np.intp]:
        """Where z_i z_j stands among the products, (D, D)."""
        places = np.empty((len(self.centre), len(self.centre)), dtype=np.intp)
        i, j = _pairs(len(self.centre))
        places[i, j] = places[j, i] = np.arange(len(i))
        return places

    @cached_property
    def _sharpness(self) -> Array:
        """Largest eigenvalue of each precision, (K,) or (1,)."""
        if self.is_diagonal:
            return self.precisions.max(axis=1)
        return np.linalg.eigvalsh(self.precisions)[:, -1]

    @cached_property
    def _packed(self) -> Array:
        """Parameters (K, n_products + D + 1) that multiply the features."""
        b = self.means - self.centre
        if self.is_diagonal:
            precisions = np.broadcast_to(self.precisions, b.shape)
            quadratic, linear = -0.5 * precisions, precisions * b
        else:
            i, j = _pairs(b.shape[1])
            precisions = np.broadcast_to(self.precisions, (*b.shape, b.shape[1]))
            quadratic = -np.where(i == j, 0.5, 1.0) * precisions[:, i, j]
            linear = np.einsum("kij,kj->ki", precisions, b)
        constant = self.log_peaks - 0.5 * (linear * b).sum(axis=1)
        return np.column_stack([quadratic, linear, constant])


def _pairs(d: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return i and j of the products z_i z_j, around the circle of features: j = i, then i + 1, i + 2, ..."""
    shift, i = np.divmod(np.arange(d * (d + 1) // 2), d)
    return i, (i + shift) % d


def _multiply_pairs(z: Array, *, out: Array) -> None:
    """Write the products of centred data z (D, B) into out (D (D + 1) / 2, B), in the order of ``_pairs``.

    Around the circle two calls of numpy do it, where the rows of a triangle take D. Threads that build
    blocks side by side wait for each other at every call.
    """
    d, n = z.shape
    shifts, half = (d + 1) // 2, d // 2
    shifted = sliding_window_view(np.concatenate([z, z[:half]]), d, axis=0).swapaxes(1, 2)
    np.multiply(shifted[:shifts], z, out=out[: shifts * d].reshape(shifts, d, n))
    across = out[shifts * d :]  # an even circle has D / 2 pairs of opposites
    np.multiply(z[: len(across)], z[half:][: len(across)], out=across)
