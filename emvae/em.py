"""EM for any latent-class model: coordinate ascent in the ELBO that names no family."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emvae._parallel import map_blocks
from emvae._progress import progress
from emvae._validation import as_count, as_matrix, as_non_negative, check_finite
from emvae.responsibilities import normalize

__all__ = [
    "EMFit",
    "EMIteration",
    "EStep",
    "LatentClassModel",
    "e_step",
    "em_steps",
    "fit_em",
    "fit_em_restarts",
]

BLOCK_ROWS = 4096


class Statistics(Protocol):
    """Expected sufficient statistics: the statistics of two data sets together are their sum."""

    def __add__(self, other: Any, /) -> Self: ...


class LatentClassModel(Protocol):
    """What EM needs of a model with a discrete latent: four methods.

    A family may add a fifth, ``blocks(x)``, that cuts the data its own way: an iterator of objects
    which its ``log_likelihood`` and ``statistics`` take in place of x, so that the work on a block
    which both need is done once. Blocks are visited in threads.
    """

    def log_prior(self) -> NDArray[np.floating[Any]]:
        """Return log p(z = k), (K,)."""

    def log_likelihood(self, x: Any) -> NDArray[np.floating[Any]]:
        """Return log p(x_n | z = k), (N, K), as a new array: EM works on in it."""

    def statistics(self, x: Any, resp: NDArray[np.float64]) -> Any:
        """Return the expected sufficient statistics under ``resp`` (N, K), additive over data."""

    def maximise(self, statistics: Any) -> Self:
        """Return the model that maximises E_q[log p(x, z)] given the statistics: the M-step."""


@dataclass(frozen=True)
class EStep:
    """What an E-step leaves behind: statistics for the M-step, and log p(D | theta) in nats."""

    statistics: Any
    log_likelihood: float


@dataclass(frozen=True)
class EMIteration:
    """The state of EM at theta^(t), after its E-step and before its M-step.

    Attributes
    ----------
    iteration : t, counted from 0.
    model : theta^(t).
    log_likelihood : log p(D | theta^(t)) in nats, which after the E-step equals the ELBO.
    statistics : expected sufficient statistics under r(theta^(t)).
    """

    iteration: int
    model: Any
    log_likelihood: float
    statistics: Any


@dataclass(frozen=True, repr=False)
class EMFit:
    """A fitted model and how it came about.

    Attributes
    ----------
    model : theta after the last iteration.
    log_likelihoods : (n_iter + 1,) log p(D | theta^(t)) in nats, from the start to ``model``.
    stop_reason : "converged", "max_iter" or "interrupted".
    restart_log_likelihoods : last log likelihood of every start, when there were several.
    """

    model: Any
    log_likelihoods: NDArray[np.float64]
    stop_reason: Literal["converged", "max_iter", "interrupted"]
    restart_log_likelihoods: tuple[float, ...] = ()

    @property
    def converged(self) -> bool:
        """Whether the gain per datum fell below the tolerance."""
        return self.stop_reason == "converged"

    @property
    def n_iter(self) -> int:
        """Number of M-steps taken."""
        return max(len(self.log_likelihoods) - 1, 0)

    @property
    def log_likelihood(self) -> float:
        """Last log p(D | theta) in nats; -inf when interrupted before the first E-step ended."""
        return float(self.log_likelihoods[-1]) if len(self.log_likelihoods) else -np.inf

    def __repr__(self) -> str:
        starts = len(self.restart_log_likelihoods)
        best_of = f", best of {starts} starts" if starts else ""
        return (
            f"EMFit({self.model!r}, {self.stop_reason} after {self.n_iter} iterations, "
            f"log likelihood {self.log_likelihood:.4f}{best_of})"
        )


def e_step(model: LatentClassModel, x: ArrayLike) -> EStep:
    """Take the E-step: responsibilities, block by block, folded into expected statistics.

    The gap between ELBO and log evidence is closed for every datum. The N x K responsibilities are
    never held whole, so memory is bounded by the block and ``x`` may be a memory map.

    Parameters
    ----------
    model : theta^(t).
    x : (N, D) data.

    Returns
    -------
    EStep with the statistics of all data and the log likelihood of ``model``.

    Raises
    ------
    ValueError : ``x`` is not a finite (N, D) array, or does not suit the model.

    Notes
    -----
    Derived in {eq}`eq-em-e-step`. Source: Neal and Hinton (1998); Dempster, Laird and Rubin (1977).
    """
    log_prior = model.log_prior()
    statistics, log_likelihood = None, 0.0

    def visit(block: Any) -> tuple[Any, float]:
        log_joint = model.log_likelihood(block)
        log_joint += log_prior  # in place: a second array of this size would be paged in each time
        resp, log_evidence = normalize(log_joint, overwrite=True)
        return model.statistics(block, resp), float(log_evidence.sum())

    for part, part_log_likelihood in map_blocks(visit, _data_blocks(model, x)):
        statistics = part if statistics is None else statistics + part
        log_likelihood += part_log_likelihood
    return EStep(statistics, log_likelihood)


def em_steps(
    model: LatentClassModel, x: ArrayLike, *, pseudo_statistics: Statistics | None = None
) -> Iterator[EMIteration]:
    """Iterate EM without end; each item has had its E-step, the next request takes the M-step.

    Parameters
    ----------
    model : theta^(0).
    x : (N, D) data.
    pseudo_statistics : statistics of imaginary data that are added before every M-step. They make
        the M-step a maximum a posteriori step under the conjugate prior that such data stand for;
        then log p(D | theta) plus that log prior never falls, log p(D | theta) alone may.

    Yields
    ------
    EMIteration for t = 0, 1, 2, ...

    Raises
    ------
    ValueError : as ``e_step``, on the first request.

    Notes
    -----
    Derived in {eq}`eq-em-m-step` and {eq}`eq-em-monotone`. Source: Dempster, Laird, Rubin (1977).
    """
    for iteration in count():
        expected = e_step(model, x)
        statistics = expected.statistics
        yield EMIteration(iteration, model, expected.log_likelihood, statistics)
        if pseudo_statistics is not None:
            statistics = statistics + pseudo_statistics
        model = model.maximise(statistics)


def fit_em(
    model: LatentClassModel,
    x: ArrayLike,
    *,
    max_iter: int = 200,
    tol: float = 1e-6,
    pseudo_statistics: Statistics | None = None,
) -> EMFit:
    """Run EM from ``model`` until an iteration gains less than ``tol`` nats per datum.

    Parameters
    ----------
    model : the start theta^(0), for instance from ``GaussianMixture.initialise``.
    x : (N, D) data.
    max_iter : most M-steps to take; 0 evaluates the start.
    tol : smallest change of log p(D | theta) / N, in nats per datum, that keeps EM going.
    pseudo_statistics : imaginary data for a maximum a posteriori fit, see ``em_steps``.

    Returns
    -------
    EMFit; Ctrl-C returns the best model so far with ``stop_reason == "interrupted"``.

    Raises
    ------
    ValueError : ``max_iter`` or ``tol`` is negative, or as ``e_step``.

    Notes
    -----
    Derived in {eq}`eq-em-monotone`. Source: Wu (1983) for what the limit is.
    """
    max_iter = as_count(max_iter, name="max_iter", minimum=0)
    tol = as_non_negative(tol, name="tol")
    x = as_matrix(x)
    log_likelihoods: list[float] = []
    stop_reason: Literal["converged", "max_iter", "interrupted"] = "max_iter"
    try:
        steps = em_steps(model, x, pseudo_statistics=pseudo_statistics)
        for step in progress(steps, description="EM", total=max_iter + 1):
            model = step.model
            log_likelihoods.append(step.log_likelihood)
            if step.iteration and abs(np.diff(log_likelihoods[-2:])[0]) < tol * len(x):
                stop_reason = "converged"
                break
            if step.iteration == max_iter:
                break
    except KeyboardInterrupt:
        stop_reason = "interrupted"
    return EMFit(model, np.array(log_likelihoods), stop_reason)


def fit_em_restarts(
    starts: Iterable[LatentClassModel],
    x: ArrayLike,
    *,
    max_iter: int = 200,
    tol: float = 1e-6,
    pseudo_statistics: Statistics | None = None,
) -> EMFit:
    """Run EM from every start and keep the fit of highest likelihood.

    Parameters
    ----------
    starts : models to start from; a generator is consumed one start at a time.
    x, max_iter, tol, pseudo_statistics : as ``fit_em``.

    Returns
    -------
    EMFit of the best start; ``restart_log_likelihoods`` tells what every start reached.

    Raises
    ------
    ValueError : ``starts`` is empty, or as ``fit_em``.

    Notes
    -----
    EM climbs to a local optimum of {eq}`def-gmm-log-likelihood`; restarts are the usual remedy.
    Source: McLachlan and Peel (2000), section 2.12.
    """
    best: EMFit | None = None
    reached: list[float] = []
    for start in starts:
        fit = fit_em(start, x, max_iter=max_iter, tol=tol, pseudo_statistics=pseudo_statistics)
        reached.append(fit.log_likelihood)
        if best is None or fit.log_likelihood > best.log_likelihood:
            best = fit
        if fit.stop_reason == "interrupted":
            best = replace(best, stop_reason="interrupted")
            break
    if best is None:
        raise ValueError("starts is empty: pass at least one model to start from")
    return replace(best, restart_log_likelihoods=tuple(reached))


def _data_blocks(model: LatentClassModel, x: ArrayLike) -> Iterator[Any]:
    """Cut x into blocks: the model's own way if it has one, else a few thousand rows at a time."""
    cut = getattr(model, "blocks", None)
    return cut(x) if cut is not None else _row_blocks(x)


def _row_blocks(x: ArrayLike) -> Iterator[NDArray[Any]]:
    array = as_matrix(x)
    for first in range(0, len(array), BLOCK_ROWS):
        block = array[first : first + BLOCK_ROWS]
        check_finite(block, first_row=first)
        yield block
