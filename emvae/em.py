"""EM for any latent-class model: coordinate ascent in the ELBO that names no family."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emvae._progress import progress
from emvae._records import Record
from emvae._validation import as_count, as_matrix, as_non_negative
from emvae.latent_class import EStep, LatentClassModel, Statistics

__all__ = [
    "EMFit",
    "EMIteration",
    "EStep",
    "LatentClassModel",
    "Prior",
    "em_steps",
    "fit_em",
    "fit_em_restarts",
]


class Prior(ABC):
    """p(theta), a conjugate prior on the parameters of a model; ``prior * other`` is their product.

    Under a prior the M-step maximises E_q[log p(D, Z | theta)] + log p(theta). A conjugate one looks like
    the log joint of imaginary data, so its part in the M-step is to add their statistics.
    """

    @abstractmethod
    def pseudo_statistics(self, model: Any) -> Statistics:
        """Return the statistics of the imaginary data, of the kind that the model's own are."""

    @abstractmethod
    def log_density(self, model: Any) -> float:
        """Return log p(theta) at the parameters of a model, in nats."""

    def __mul__(self, other: "Prior") -> "Prior":
        """Return the prior under which the parameters of both are independent."""
        return _Product(self, other)


@dataclass(frozen=True)
class _Product(Prior):
    first: Prior
    second: Prior

    def pseudo_statistics(self, model: Any) -> Statistics:
        return self.first.pseudo_statistics(model) + self.second.pseudo_statistics(model)

    def log_density(self, model: Any) -> float:
        return self.first.log_density(model) + self.second.log_density(model)


@dataclass(frozen=True, eq=False)
class EMIteration(Record):
    """The state of EM at theta^(t), after its E-step and before its M-step.

    Attributes
    ----------
    iteration : t, counted from 0.
    model : theta^(t).
    log_evidence : log p(D | theta^(t)) in nats, which after the E-step equals the ELBO.
    objective : what EM climbs, log p(D | theta^(t)) + log p(theta^(t)); without a prior ``log_evidence``.
    statistics : expected sufficient statistics under r(theta^(t)).
    """

    iteration: int
    model: Any
    log_evidence: float
    objective: float
    statistics: Any


@dataclass(frozen=True, eq=False, repr=False)
class EMFit(Record):
    """A fitted model and how it came about.

    Attributes
    ----------
    model : theta after the last iteration.
    log_evidences : (n_iter + 1,) log p(D | theta^(t)) in nats, from the start to ``model``.
    objectives : (n_iter + 1,) what EM climbed: the same, plus log p(theta^(t)) where there is a prior.
    stop_reason : "converged", "max_iter" or "interrupted".
    restart_objectives : last objective of every start, when there were several.
    """

    model: Any
    log_evidences: NDArray[np.float64]
    objectives: NDArray[np.float64]
    stop_reason: Literal["converged", "max_iter", "interrupted"]
    restart_objectives: tuple[float, ...] = ()

    @property
    def converged(self) -> bool:
        """Whether the gain per datum fell below the tolerance."""
        return self.stop_reason == "converged"

    @property
    def n_iter(self) -> int:
        """Number of M-steps taken."""
        return max(len(self.objectives) - 1, 0)

    @property
    def log_evidence(self) -> float:
        """Last log p(D | theta) in nats; -inf when interrupted before the first E-step ended."""
        return float(self.log_evidences[-1]) if len(self.log_evidences) else -np.inf

    @property
    def objective(self) -> float:
        """Last objective in nats; -inf when interrupted before the first E-step ended."""
        return float(self.objectives[-1]) if len(self.objectives) else -np.inf

    def __repr__(self) -> str:
        starts = len(self.restart_objectives)
        best_of = f", best of {starts} starts" if starts else ""
        return (
            f"EMFit({self.model!r}, {self.stop_reason} after {self.n_iter} iterations, "
            f"log evidence {self.log_evidence:.4f}{best_of})"
        )


def em_steps(model: LatentClassModel, x: ArrayLike, *, prior: Prior | None = None) -> Iterator[EMIteration]:
    """Iterate EM without end; each item has had its E-step, the next request takes the M-step.

    Parameters
    ----------
    model : theta^(0).
    x : (N, D) data.
    prior : p(theta), which makes the M-step a maximum a posteriori step: then the objective
        log p(D | theta) + log p(theta) never falls, log p(D | theta) alone may.

    Yields
    ------
    EMIteration for t = 0, 1, 2, ...

    Raises
    ------
    ValueError : ``model`` is no LatentClassModel, or ``x`` or the prior do not suit it; on the first request.

    Notes
    -----
    Derived in {eq}`eq-em-m-step` and {eq}`eq-em-monotone`. Source: Dempster, Laird, Rubin (1977).
    """
    if not isinstance(model, LatentClassModel):
        raise ValueError(
            f"model is a {type(model).__name__}: derive its class from emvae.em.LatentClassModel"
        )
    for iteration in count():
        step = model.expect(x)
        log_prior = 0.0 if prior is None else prior.log_density(model)
        yield EMIteration(iteration, model, step.log_evidence, step.log_evidence + log_prior, step.statistics)
        statistics = step.statistics
        if prior is not None:
            statistics = statistics + prior.pseudo_statistics(model)
        model = model.maximise(statistics)


def fit_em(
    model: LatentClassModel,
    x: ArrayLike,
    *,
    max_iter: int = 200,
    tol: float = 1e-6,
    prior: Prior | None = None,
) -> EMFit:
    """Run EM from ``model`` until an iteration gains less than ``tol`` nats per datum.

    Parameters
    ----------
    model : the start theta^(0), for instance from ``GaussianMixture.initialise``.
    x : (N, D) data.
    max_iter : most M-steps to take; 0 evaluates the start.
    tol : smallest change of the objective / N, in nats per datum, that keeps EM going.
    prior : p(theta) for a maximum a posteriori fit, see ``em_steps``; None maximises the likelihood.

    Returns
    -------
    EMFit; Ctrl-C returns the best model so far with ``stop_reason == "interrupted"``.

    Raises
    ------
    ValueError : ``max_iter`` or ``tol`` is negative, or as ``em_steps``.

    Notes
    -----
    Derived in {eq}`eq-em-monotone`. Source: Wu (1983) for what the limit is.
    """
    max_iter = as_count(max_iter, name="max_iter", minimum=0)
    tol = as_non_negative(tol, name="tol")
    x = as_matrix(x)
    log_evidences: list[float] = []
    objectives: list[float] = []
    stop_reason: Literal["converged", "max_iter", "interrupted"] = "max_iter"
    try:
        for step in progress(em_steps(model, x, prior=prior), description="EM", total=max_iter + 1):
            model = step.model
            log_evidences.append(step.log_evidence)
            objectives.append(step.objective)
            if step.iteration and abs(objectives[-1] - objectives[-2]) < tol * len(x):
                stop_reason = "converged"
                break
            if step.iteration == max_iter:
                break
    except KeyboardInterrupt:
        stop_reason = "interrupted"
    return EMFit(model, np.array(log_evidences), np.array(objectives), stop_reason)


def fit_em_restarts(
    starts: Iterable[LatentClassModel],
    x: ArrayLike,
    *,
    max_iter: int = 200,
    tol: float = 1e-6,
    prior: Prior | None = None,
) -> EMFit:
    """Run EM from every start and keep the fit of highest objective.

    Parameters
    ----------
    starts : models to start from; a generator is consumed one start at a time.
    x, max_iter, tol, prior : as ``fit_em``.

    Returns
    -------
    EMFit of the best start; ``restart_objectives`` tells what every start reached.

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
        fit = fit_em(start, x, max_iter=max_iter, tol=tol, prior=prior)
        reached.append(fit.objective)
        if best is None or fit.objective > best.objective:
            best = fit
        if fit.stop_reason == "interrupted":
            best = replace(best, stop_reason="interrupted")
            break
    if best is None:
        raise ValueError("starts is empty: pass at least one model to start from")
    return replace(best, restart_objectives=tuple(reached))
