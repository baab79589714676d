"""Mixture of products of independent Bernoulli variables, for binary images and the like."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emvae._records import Record
from emvae._validation import as_floats, as_non_negative, check_finite
from emvae.mixtures.initialisation import Method, initial_responsibilities, subsample
from emvae.mixtures.matrix_products import block_rows, collect, score
from emvae.mixtures.mixture import EMPTY, Array, Mixture


@dataclass(frozen=True, eq=False)
class BernoulliStatistics(Record):
    """Expected counts: all that the M-step needs to know of the data.

    Attributes
    ----------
    counts : (K,) N_k = sum_n r_nk, of which the weights are made.
    ones : (K, D) sum_n r_nk x_nd, the expected number of ones.
    zeros : (K, D) sum_n r_nk (1 - x_nd), the expected number of zeros; None is ``counts - ones``.
    """

    counts: Array
    ones: Array
    zeros: Any = None

    def __post_init__(self) -> None:
        """Let what is no one be a zero."""
        if self.zeros is None:
            self._set(zeros=self.counts[:, None] - self.ones)
        super().__post_init__()

    def __add__(self, other: Self) -> Self:
        """Return the statistics of both data sets together."""
        return type(self)(self.counts + other.counts, self.ones + other.ones, self.zeros + other.zeros)


@dataclass(frozen=True, eq=False, repr=False)
class BernoulliMixture(Mixture):
    """p(x) = sum_k weights[k] prod_d probs[k, d]^x_d (1 - probs[k, d])^(1 - x_d), x in {0, 1}^D.

    Parameters
    ----------
    weights : (K,) mixing weights.
    probs : (K, D) probability of a one, in [0, 1].
    min_prob : the M-step keeps probs in [min_prob, 1 - min_prob], the exact maximiser under that
        constraint, so EM stays monotone. 0 allows probs of 0 and 1.
    learn_weights : whether the M-step updates the weights.
    dtype : precision of the two matrix products, float64 or float32. With float32, twice as fast,
        log likelihoods carry a relative error of about 1e-6 and EM may step down by as much.

    Raises
    ------
    ValueError : shapes that do not fit, weights that are no distribution, probs outside
        [min_prob, 1 - min_prob], a ``min_prob`` outside [0, 0.5), another dtype.

    Notes
    -----
    Defined in {eq}`def-bmm-likelihood`. Source: Bishop (2006), section 9.3.3.
    """

    probs: Array
    min_prob: float = field(default=0.0, kw_only=True)
    dtype: Any = field(default=np.float64, kw_only=True)

    def __post_init__(self) -> None:
        """Check and freeze the parameters."""
        super().__post_init__()
        probs = as_floats(self.probs, name="probs", shape=(len(self.weights), None))
        min_prob = as_non_negative(self.min_prob, name="min_prob")
        if min_prob >= 0.5:
            raise ValueError(f"min_prob = {min_prob}: it should be below 0.5")
        if (probs < min_prob).any() or (probs > 1 - min_prob).any():
            raise ValueError(f"probs lie outside [{min_prob}, {1 - min_prob}]: clip them first")
        if np.dtype(self.dtype) not in (np.float64, np.float32):
            raise ValueError(f"dtype = {self.dtype}: choose numpy.float64 or numpy.float32")
        self._set(probs=probs)

    def __repr__(self) -> str:
        return f"BernoulliMixture(K={self.n_components}, D={self.n_features})"

    @classmethod
    def initialise(
        cls,
        x: ArrayLike,
        n_components: int,
        *,
        rng: np.random.Generator,
        method: Method = "k-means++",
        min_prob: float = 1e-4,
        learn_weights: bool = True,
        dtype: Any = np.float64,
    ) -> Self:
        """Make a start for EM: clusters of the data, blurred halfway towards the overall mean.

        Parameters
        ----------
        x : (N, D) data of zeros and ones.
        n_components : K, from 1 to N.
        rng : numpy Generator.
        method : "k-means++", "random-points" or "random-responsibilities".
        min_prob, learn_weights, dtype : as the model's.

        Returns
        -------
        BernoulliMixture with uniform weights. At most 16,384 rows, drawn at random, are looked at.

        Raises
        ------
        ValueError : as ``initial_responsibilities``, or data that are not zeros and ones.
        """
        sample = subsample(x, n_components=n_components, rng=rng)
        resp = initial_responsibilities(sample, n_components, rng=rng, method=method)
        mean = np.clip(sample.mean(axis=0), min_prob, 1 - min_prob)
        weights = np.full(n_components, 1 / n_components)
        overall = cls(
            weights,
            np.tile(mean, (n_components, 1)),
            min_prob=min_prob,
            learn_weights=learn_weights,
            dtype=dtype,
        )
        clusters = overall.maximise(overall.statistics(sample, resp))
        return replace(overall, probs=(overall.probs + clusters.probs) / 2)

    @property
    def n_features(self) -> int:  # type: ignore[override]  # read-only here
        """Dimension D of a datum."""
        return int(self.probs.shape[1])

    @property
    def n_parameters(self) -> int:
        """K D probabilities, and K - 1 weights where they are learned."""
        return self.probs.size + (self.n_components - 1) * self.learn_weights

    @property
    def block_rows(self) -> int:  # type: ignore[override]  # read-only here
        """Rows whose float copy and log likelihoods together fit a cache."""
        return block_rows(self.n_features + self.n_components)

    def no_statistics(self) -> BernoulliStatistics:
        """Return the statistics of no data."""
        none = np.zeros_like(self.probs)
        return BernoulliStatistics(np.zeros_like(self.weights), none, none)

    def _prepare(self, x: NDArray[Any], first_row: int) -> Array:
        """Check that the rows hold bits and convert them for the matrix products."""
        check_finite(x, first_row=first_row)
        bits = x.max() <= 1 if x.dtype.kind in "bu" else ((x == 0) | (x == 1)).all()
        if not bits:
            raise ValueError(
                "x holds values other than 0 and 1: binarise grey levels first, "
                "for instance with emvae.datasets.binarise"
            )
        return x.astype(self.dtype)

    def maximise(self, statistics: BernoulliStatistics) -> Self:
        """Return the maximiser of the expected log joint: expected frequencies, clipped.

        ``probs = ones / (ones + zeros)``, projected on [min_prob, 1 - min_prob]. A component
        without responsibilities keeps its probabilities.

        Notes
        -----
        Derived in {eq}`eq-bmm-probs` and {eq}`eq-bmm-projection`.
        Source: Bishop (2006), equation 9.59.
        """
        both = statistics.ones + statistics.zeros
        probs = np.divide(statistics.ones, both, out=self.probs.copy(), where=both > EMPTY)
        probs = np.clip(probs, self.min_prob, 1 - self.min_prob)
        return replace(self, weights=self._new_weights(statistics.counts), probs=probs)

    @cached_property
    def _log_odds(self) -> tuple[Array, Array]:
        """W (K, D) and b (K,) with log p(x | k) = x . W_k + b_k; certain pixels count 0 here."""
        certain = (self.probs == 0) | (self.probs == 1)
        probs = np.where(certain, 0.5, self.probs)
        log_odds = np.where(certain, 0.0, np.log(probs) - np.log1p(-probs))
        return log_odds, np.where(certain, 0.0, np.log1p(-probs)).sum(axis=1)

    def _score(self, rows: Array) -> Array:
        weights, bias = self._log_odds
        log_likelihood = score(weights.astype(self.dtype), rows.T)
        log_likelihood += bias[:, None]
        if ((self.probs == 0) | (self.probs == 1)).any():
            log_likelihood[self._is_impossible(rows)] = -np.inf
        return log_likelihood.T

    def _is_impossible(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether a certain pixel of component k contradicts datum n, (K, N)."""
        never, always = (self.probs == 0).astype(x.dtype), (self.probs == 1).astype(x.dtype)
        return never @ x.T + always @ (1 - x).T > 0.5

    def _collect(self, rows: Array, resp: Array) -> BernoulliStatistics:
        return BernoulliStatistics(resp.sum(axis=0), collect(rows.T, resp))

    def draw(self, component: int, n: int, *, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Draw n data from a component, (n, D)."""
        return (rng.random((n, self.n_features)) < self.probs[component]).astype(np.uint8)
