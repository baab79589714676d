"""What all mixtures share beyond a latent class: weights that are parameters, and rows in blocks."""

from abc import abstractmethod
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emvae._records import Record
from emvae._validation import as_matrix, as_probabilities, as_responsibilities
from emvae.latent_class import LatentClassModel

Array = NDArray[np.floating[Any]]

EMPTY = 1e-290
"""Total responsibility below which a component counts as empty: its moments would be denormal."""


@dataclass(frozen=True, eq=False, repr=False)
class Mixture(Record, LatentClassModel):
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
        self._set(weights=as_probabilities(self.weights, name="weights"))

    @property
    @abstractmethod
    def n_features(self) -> int:  # type: ignore[override]  # read-only here
        """Dimension D of a datum."""

    @property
    def n_components(self) -> int:
        """Number of components K."""
        return len(self.weights)

    def log_prior(self) -> Array:
        """Return log p(z = k), (K,) in nats; -inf for a component of weight 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.weights)

    def log_likelihood(self, x: ArrayLike) -> Array:
        """Return log p(x_n | z = k), (N, K) in nats.

        Parameters
        ----------
        x : (N, D) data of any real dtype; a memory map is read block by block.

        Raises
        ------
        ValueError : the data are not finite, not (N, D) for this D, or outside the family's range.
        """
        return self._row_by_row(x, self._score)

    def statistics(self, x: ArrayLike, resp: ArrayLike) -> Any:
        """Return the expected sufficient statistics of ``x`` under ``resp``.

        Parameters
        ----------
        x : (N, D) data.
        resp : (N, K) responsibilities of the same rows.

        Returns
        -------
        A record that adds: the statistics of two data sets together are the sum of theirs.

        Raises
        ------
        ValueError : ``resp`` has the wrong shape, or as ``log_likelihood``.
        """
        resp = as_responsibilities(resp, (len(as_matrix(x)), self.n_components))
        return reduce(add, self._visit(x, lambda rows, where: self._collect(rows, resp[where])))

    @abstractmethod
    def no_statistics(self) -> Any:
        """Return the statistics of no data: what a prior starts from."""

    # A family works on what it has prepared, so that both half-steps share it.

    @abstractmethod
    def _score(self, rows: Any) -> Array: ...

    @abstractmethod
    def _collect(self, rows: Any, resp: Array) -> Any: ...

    def _new_weights(self, counts: Array) -> Array:
        """Mixing weights of the M-step: counts over their sum, or the old ones if not learned."""
        occupied = np.where(counts > EMPTY, counts, 0.0)
        return occupied / occupied.sum() if self.learn_weights else self.weights
