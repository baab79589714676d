"""How a fit went: half-steps of EM, model selection, convergence."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from emvae.plotting.style import COLOURS

__all__ = ["plot_convergence", "plot_elbo_staircase", "plot_model_selection"]

BLUE, VERMILLION = COLOURS[:2]
MARKERS = "osD^vP*X"


def plot_elbo_staircase(ax: Axes, elbo: ArrayLike, log_evidence: ArrayLike) -> None:
    """Draw the bound and what it bounds after every half-step, with the gap between them shaded.

    Parameters
    ----------
    ax : Axes to draw on.
    elbo : (H,) the bound after each half-step, alternately an E-step and an M-step, in nats; the
        entry before the first E-step may lead.
    log_evidence : (H,) log p(D | theta) at the same moments, in nats.

    Raises
    ------
    ValueError : the two differ in length.

    Notes
    -----
    Derived in {eq}`eq-em-decomposition`: the shaded height is KL(q || posterior).
    """
    bound, evidence = np.asarray(elbo, dtype=float), np.asarray(log_evidence, dtype=float)
    if bound.shape != evidence.shape or bound.ndim != 1:
        raise ValueError(f"elbo {bound.shape} and log_evidence {evidence.shape} should be (H,) both")
    edges = np.arange(len(bound) + 1) - 0.5
    steps = np.repeat(edges, 2)[1:-1]
    low, high = np.repeat(bound, 2), np.repeat(evidence, 2)
    ax.fill_between(
        steps, low, high, color=VERMILLION, alpha=0.25, linewidth=0, label="gap: KL(q || posterior)"
    )
    ax.plot(
        steps, high, color="black", linewidth=1.2, linestyle="--", label=r"$\ln p(\mathcal{D} \mid \theta)$"
    )
    ax.plot(steps, low, color=BLUE, linewidth=2.2, label="ELBO")
    ax.set_ylabel("nats")
    ax.legend(loc="lower right")


def plot_model_selection(
    ax: Axes,
    n_components: ArrayLike,
    scores: Mapping[str, ArrayLike],
    *,
    best: Literal["min", "max"] = "min",
) -> dict[str, int]:
    """Draw scores against the number of components, and ring the best of each.

    Parameters
    ----------
    ax : Axes to draw on.
    n_components : (M,) values of K.
    scores : by name, (M,) a criterion or a held-out log likelihood.
    best : whether a low score wins (BIC, AIC) or a high one (held-out log likelihood).

    Returns
    -------
    dict : by name, the K that wins.
    """
    ks = np.asarray(n_components)
    chosen = {}
    for (name, values), marker in zip(scores.items(), MARKERS, strict=False):
        values = np.asarray(values, dtype=float)
        winner = int(values.argmin() if best == "min" else values.argmax())
        (line,) = ax.plot(ks, values, marker=marker, label=name)
        ax.plot(ks[winner], values[winner], "o", ms=13, mfc="none", mec=line.get_color(), mew=1.8, zorder=3)
        chosen[name] = int(ks[winner])
    ax.set_xlabel("number of components K")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend()
    return chosen


def plot_convergence(
    ax: Axes, gaps: Mapping[str, ArrayLike], *, rates: Mapping[str, float] | None = None
) -> list[Line2D]:
    """Draw how far each run is from its limit, on a logarithmic scale, with its predicted slope.

    A sequence that converges linearly, gap_{t+1} = rate * gap_t, is a straight line here.

    Parameters
    ----------
    ax : Axes to draw on.
    gaps : by name, (T,) positive distances from the limit at t = 0, 1, 2, ...
    rates : by name, the predicted factor per iteration, drawn dotted through the middle of the run.

    Returns
    -------
    list of Line2D : the runs, in the order of ``gaps``.
    """
    lines = []
    for (name, values), colour in zip(gaps.items(), COLOURS, strict=False):
        values = np.asarray(values, dtype=float)
        t = np.arange(len(values))
        lines += ax.semilogy(t, values, color=colour, label=name)
        if rates and name in rates:
            middle = len(values) // 2
            predicted = values[middle] * rates[name] ** (t - middle)
            ax.semilogy(t, predicted, color="black", linestyle=":", linewidth=1.4, zorder=3)
    ax.set_xlabel("iteration t")
    ax.legend()
    return lines
