"""What all mixtures share: the weights, the Bayes quintet in blocks, sampling, model selection."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import add
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emvae._parallel import map_blocks
from emvae._validation import as_count, as_generator, as_matrix, as_probabilities, check_finite
from emvae.responsibilities import log_normalize, log_total, normalize

__all__ = ["Block", "LabelledSample", "Mixture"]

Array = NDArray[np.floating[Any]]

NEGLIGIBLE = 1e-290
"""Total responsibility below which a component counts as empty: its moments would be denormal."""


@dataclass(frozen=True)
class Block:
    """Consecutive rows of data; what both half-steps need of them is computed once, when asked for.

    Attributes
    ----------
    model : whose blocks these are; it knows how to check and convert them.
    rows : which rows of the data these are.
    raw : (B, D) these rows as they were passed.
    """

    model: "Mixture"
    rows: slice
    raw: NDArray[Any]

    @cached_property
    def x(self) -> Array:
        """The rows, checked and converted, (B, D)."""
        raw = np.asarray(self.raw)
        check_finite(raw, first_row=self.rows.start)
        return self.model._convert(raw)

    @cached_property
    def features(self) -> Array | None:
        """What the family's fast path works on, or None where the accurate path is taken."""
        return self.model._features(self.x)


class LabelledSample(NamedTuple):
    """A draw from a mixture: data ``x`` (N, D) and the component ``z`` (N,) each came from."""

    x: NDArray[Any]
    z: NDArray[np.intp]


@dataclass(frozen=True, eq=False, repr=False)
class Mixture(ABC):
    """p(x) = sum_k weights[k] p(x | k): a frozen value; steps return new models.

    Attributes
    ----------
    weights : (K,) mixing weights, non-negative with sum one; 0 switches a component off.
    learn_weights : whether the M-step updates the weights; False keeps them (Problems 1 and 3).
    """

    weights: Array
    learn_weights: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        """Check and freeze the weights."""
        object.__setattr__(self, "weights", as_probabilities(self.weights, name="weights"))

    # What a family adds.

    @property
    @abstractmethod
    def n_features(self) -> int:
        """Dimension D of a datum."""

    @property
    @abstractmethod
    def n_parameters(self) -> int:
        """Number of free parameters."""

    @property
    @abstractmethod
    def block_rows(self) -> int:
        """How many rows of data to work on at a time."""

    @abstractmethod
    def maximise(self, statistics: Any) -> Self:
        """Return the maximiser of the expected log joint: the M-step."""

    @abstractmethod
    def _convert(self, x: NDArray[Any]) -> Array: ...

    def _features(self, x: Array) -> Array | None:
        return None

    @abstractmethod
    def _block_log_likelihood(self, block: Block) -> Array: ...

    @abstractmethod
    def _block_statistics(self, block: Block, resp: Array) -> Any: ...

    @abstractmethod
    def _draw(self, component: int, n: int, rng: np.random.Generator) -> NDArray[Any]: ...

    # The Bayes quintet.

    @property
    def n_components(self) -> int:
        """Number of components K."""
        return len(self.weights)

    def log_prior(self) -> Array:
        """Return log p(z = k), (K,) in nats; -inf for a component of weight 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.weights)

    def log_likelihood(self, x: ArrayLike | Block) -> Array:
        """Return log p(x_n | z = k), (N, K) in nats.

        Parameters
        ----------
        x : (N, D) data, or one of ``blocks(x)``.

        Raises
        ------
        ValueError : the data are not finite, not (N, D) for this D, or outside the family's range.
        """
        if isinstance(x, Block):
            return self._block_log_likelihood(x)
        return self._by_blocks(x, self._block_log_likelihood)

    def log_joint(self, x: ArrayLike | Block) -> Array:
        """Return log p(x_n, z = k), (N, K) in nats; ``x`` and errors as ``log_likelihood``."""
        log_joint = self.log_likelihood(x)
        log_joint += self.log_prior()
        return log_joint

    def log_evidence(self, x: ArrayLike) -> Array:
        """Return log p(x_n), (N,) in nats; ``x`` and errors as ``log_likelihood``."""
        return self._by_blocks(x, lambda block: log_total(self.log_joint(block), overwrite=True))

    def log_posterior(self, x: ArrayLike) -> Array:
        """Return log p(z = k | x_n), (N, K) in nats; ``x`` and errors as ``log_likelihood``."""
        return self._by_blocks(x, lambda block: log_normalize(self.log_joint(block))[0])

    def responsibilities(self, x: ArrayLike) -> Array:
        """Return r_nk = p(z = k | x_n), (N, K); ``x`` and errors as ``log_likelihood``."""
        return self._by_blocks(x, lambda block: normalize(self.log_joint(block), overwrite=True)[0])

    # What EM needs beyond it.

    def blocks(self, x: ArrayLike) -> Iterator[Block]:
        """Cut data into blocks that ``log_likelihood`` and ``statistics`` take in place of ``x``.

        Parameters
        ----------
        x : (N, D) data of any real dtype; a memory map is read block by block.

        Raises
        ------
        ValueError : as ``log_likelihood``.
        """
        data = as_matrix(x, n_features=self.n_features)
        for first in range(0, len(data), self.block_rows):
            rows = slice(first, min(first + self.block_rows, len(data)))
            yield Block(self, rows, data[rows])

    def statistics(self, x: ArrayLike | Block, resp: ArrayLike) -> Any:
        """Return the expected sufficient statistics of ``x`` under ``resp``.

        Parameters
        ----------
        x : (N, D) data, or one of ``blocks(x)``.
        resp : (N, K) responsibilities of the same rows.

        Returns
        -------
        A record that adds: the statistics of two data sets together are the sum of theirs.

        Raises
        ------
        ValueError : ``resp`` has the wrong shape, or as ``log_likelihood``.
        """
        resp = np.asarray(resp, dtype=float)
        n = len(x.raw) if isinstance(x, Block) else len(as_matrix(x))
        if resp.shape != (n, self.n_components):
            raise ValueError(
                f"resp has shape {resp.shape}: pass one row per datum and one column per "
                f"component, {(n, self.n_components)}"
            )
        if isinstance(x, Block):
            return self._block_statistics(x, resp)
        return reduce(add, map_blocks(lambda b: self._block_statistics(b, resp[b.rows]), self.blocks(x)))

    def _new_weights(self, counts: Array) -> Array:
        """Mixing weights of the M-step: counts over their sum, or the old ones if not learned."""
        occupied = np.where(counts > NEGLIGIBLE, counts, 0.0)
        return occupied / occupied.sum() if self.learn_weights else self.weights

    # Generating and choosing.

    def sample(self, n: int, *, rng: np.random.Generator) -> LabelledSample:
        """Draw from the mixture: first the component, then the datum given it.

        Parameters
        ----------
        n : number of draws.
        rng : numpy Generator.

        Returns
        -------
        LabelledSample ``(x, z)`` of shapes (n, D) and (n,).

        Raises
        ------
        ValueError : ``n`` is not a positive integer, or ``rng`` is no Generator.
        """
        n, rng = as_count(n, name="n"), as_generator(rng)
        z = rng.choice(self.n_components, size=n, p=self.weights / self.weights.sum())
        drawn = [(np.flatnonzero(z == k), k) for k in np.unique(z)]
        parts = [self._draw(int(k), len(where), rng) for where, k in drawn]
        x = np.empty((n, self.n_features), dtype=parts[0].dtype)
        for (where, _), part in zip(drawn, parts, strict=True):
            x[where] = part
        return LabelledSample(x, z)

    def bic(self, x: ArrayLike) -> float:
        """Return the Bayesian information criterion, n_parameters log N - 2 log p(D); lower wins.

        Parameters
        ----------
        x : (N, D) data the model was fitted to.

        Notes
        -----
        Defined in {eq}`def-gmm-bic`. Source: Schwarz (1978).
        """
        log_evidence = self.log_evidence(x)
        return float(self.n_parameters * np.log(len(log_evidence)) - 2 * log_evidence.sum())

    def aic(self, x: ArrayLike) -> float:
        """Return Akaike's information criterion, 2 n_parameters - 2 log p(D); lower wins.

        Parameters
        ----------
        x : (N, D) data the model was fitted to.

        Notes
        -----
        Defined in {eq}`def-gmm-bic`. Source: Akaike (1974).
        """
        return float(2 * self.n_parameters - 2 * self.log_evidence(x).sum())

    def _by_blocks(self, x: ArrayLike, function: Callable[[Block], Array]) -> Array:
        return np.concatenate(list(map_blocks(function, self.blocks(x))))
