"""What a model with a discrete latent is: four methods, and all that follows from them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, NamedTuple, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emvae._parallel import map_blocks
from emvae._records import Record
from emvae._validation import as_array, as_count, as_generator, as_matrix, check_finite
from emvae.responsibilities import log_normalize, normalize

__all__ = ["EStep", "LabelledSample", "LatentClassModel", "Statistics"]

Array = NDArray[np.floating[Any]]
R = TypeVar("R")


class Statistics(Protocol):
    """Expected sufficient statistics: the statistics of two data sets together are their sum."""

    def __add__(self, other: Any, /) -> Self: ...


@dataclass(frozen=True, eq=False)
class EStep(Record):
    """What an E-step leaves behind; those of two data sets add up to that of both.

    Attributes
    ----------
    statistics : expected sufficient statistics, all that the M-step needs.
    log_evidence : log p(D | theta) in nats, which after the E-step equals the ELBO.
    """

    statistics: Any
    log_evidence: float

    def __add__(self, other: Self) -> Self:
        """Return the E-step on both data sets together."""
        return type(self)(self.statistics + other.statistics, self.log_evidence + other.log_evidence)


class LabelledSample(NamedTuple):
    """A draw from a mixture: data ``x`` (N, D) and the component ``z`` (N,) each came from."""

    x: NDArray[Any]
    z: NDArray[np.intp]


class LatentClassModel(ABC):
    """A model with a discrete latent z in {1, ..., K}: write four methods, get the rest.

    A family says what ``log_prior``, ``log_likelihood``, ``statistics`` and ``maximise`` are. From these it
    gets the Bayes quintet, responsibilities and the E-step, by blocks of rows that are visited in threads,
    so that memory is bounded however many data there are. With ``draw`` it can be sampled, with
    ``n_parameters`` it has information criteria.
    """

    n_features: int | None = None
    """Dimension D of a datum; None takes data of any."""
    block_rows: int = 4096
    """How many rows of data to work on at a time."""

    # What a family is.

    @abstractmethod
    def log_prior(self) -> Array:
        """Return log p(z = k), (K,) in nats."""

    @abstractmethod
    def log_likelihood(self, x: Any) -> Array:
        """Return log p(x_n | z = k), (N, K) in nats."""

    @abstractmethod
    def statistics(self, x: Any, resp: Any) -> Any:
        """Return the expected sufficient statistics of x under ``resp`` (N, K), additive over data."""

    @abstractmethod
    def maximise(self, statistics: Any) -> Self:
        """Return the model that maximises E_q[log p(x, z)] given the statistics: the M-step."""

    # What it may add.

    @property
    def n_parameters(self) -> int:
        """Number of free parameters."""
        raise NotImplementedError(f"{type(self).__name__} has no n_parameters: define it for aic and bic")

    def draw(self, component: int, n: int, *, rng: np.random.Generator) -> NDArray[Any]:
        """Draw n data from p(x | z = component), (n, D)."""
        raise NotImplementedError(
            f"{type(self).__name__} has no draw(component, n, rng=...): define it to sample"
        )

    # The rest of the Bayes quintet.

    def log_joint(self, x: ArrayLike) -> Array:
        """Return log p(x_n, z = k), (N, K) in nats.

        Parameters
        ----------
        x : (N, D) data.

        Raises
        ------
        ValueError : ``x`` is not a finite (N, D) array, or does not suit the model.
        """
        return self._row_by_row(x, self._log_joint)

    def log_evidence(self, x: ArrayLike) -> Array:
        """Return log p(x_n), (N,) in nats; ``x`` and errors as ``log_joint``."""
        return self._row_by_row(x, lambda rows: self._posterior(rows)[1])

    def log_posterior(self, x: ArrayLike) -> Array:
        """Return log p(z = k | x_n), (N, K) in nats; ``x`` and errors as ``log_joint``."""
        return self._row_by_row(x, lambda rows: log_normalize(self._log_joint(rows))[0])

    def responsibilities(self, x: ArrayLike) -> Array:
        """Return r_nk = p(z = k | x_n), (N, K); ``x`` and errors as ``log_joint``."""
        return self._row_by_row(x, lambda rows: self._posterior(rows)[0])

    # The E-step.

    def expect(self, x: ArrayLike, sample_weight: ArrayLike | None = None) -> EStep:
        """Take the E-step: responsibilities, block by block, folded into expected statistics.

        The gap between ELBO and log evidence is closed for every datum. The N x K responsibilities are
        never held whole, so memory is bounded by the block and ``x`` may be a memory map.

        Parameters
        ----------
        x : (N, D) data.
        sample_weight : (N,) how often each datum counts, non-negative, not all 0; None counts each once.

        Raises
        ------
        ValueError : ``sample_weight`` is not as above, or as ``log_joint``.

        Notes
        -----
        Derived in {eq}`eq-em-e-step`. Source: Neal and Hinton (1998); Dempster, Laird and Rubin (1977).
        """
        weight = None if sample_weight is None else _as_sample_weight(sample_weight, len(as_matrix(x)))

        def visit(rows: Any, where: slice) -> EStep:
            resp, log_evidence = self._posterior(rows)
            if weight is not None:
                resp *= weight[where, None]
                log_evidence *= weight[where]
            return EStep(self._collect(rows, resp), float(log_evidence.sum()))

        return reduce(add, self._visit(x, visit))

    # Generating and choosing.

    def sample(self, n: int, *, rng: np.random.Generator) -> LabelledSample:
        """Draw from the model: first the component, then the datum given it.

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
        weights = np.exp(self.log_prior())
        z = rng.choice(len(weights), size=n, p=weights / weights.sum())
        drawn = [(np.flatnonzero(z == k), k) for k in np.unique(z)]
        parts = [self.draw(int(k), len(where), rng=rng) for where, k in drawn]
        x = np.empty((n, parts[0].shape[1]), dtype=parts[0].dtype)
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

    # How rows go through a family. One that computes something for both half-steps replaces these three.

    def _prepare(self, rows: NDArray[Any], first_row: int) -> Any:
        """Check rows of data (B, D), and compute what both half-steps need of them."""
        check_finite(rows, first_row=first_row)
        return rows

    def _score(self, rows: Any) -> Array:
        """Return log p(x | z) of what ``_prepare`` returned, (B, K), as a new array."""
        return np.array(self.log_likelihood(rows), dtype=np.float64)

    def _collect(self, rows: Any, resp: Array) -> Any:
        """Return the statistics of what ``_prepare`` returned."""
        return self.statistics(rows, resp)

    def _posterior(self, rows: Any) -> tuple[Array, Array]:
        """Return responsibilities (B, K) and log evidence (B,) of prepared rows."""
        log_joint = self._log_joint(rows)
        return normalize(log_joint, out=log_joint)

    def _log_joint(self, rows: Any) -> Array:
        """Return log p(x, z) of prepared rows, (B, K)."""
        log_joint = self._score(rows)
        log_joint += self.log_prior()  # in place: a second array of this size would be paged in each time
        return log_joint

    def _visit(self, x: ArrayLike, function: Callable[[Any, slice], R]) -> Iterator[R]:
        """Apply a function to blocks of prepared rows, and to where they stand in the data."""
        data, size = as_matrix(x, n_features=self.n_features), self.block_rows

        def visit(first: int) -> R:
            where = slice(first, first + size)
            return function(self._prepare(np.asarray(data[where]), first), where)

        return map_blocks(visit, range(0, len(data), size))

    def _row_by_row(self, x: ArrayLike, function: Callable[[Any], Array]) -> Array:
        """Join what a function returns for blocks of prepared rows."""
        return np.concatenate(list(self._visit(x, lambda rows, _: function(rows))))


def _as_sample_weight(values: ArrayLike, n: int) -> NDArray[np.float64]:
    """Return (N,) finite non-negative weights that are not all 0."""
    weight = as_array(values, name="sample_weight").astype(np.float64, copy=False)
    if weight.shape != (n,):
        raise ValueError(f"sample_weight has shape {weight.shape}: pass one weight per datum, {(n,)}")
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
        raise ValueError("sample_weight should be finite, not negative, and not 0 for all data")
    return weight
