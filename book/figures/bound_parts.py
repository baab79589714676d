"""What a bound consists of, what its estimators cost, and the densities between which it decides."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike, NDArray

from emvae.elbo import ELBO
from emvae.plotting.style import COLOURS

BLUE, VERMILLION, GREEN = COLOURS[:3]


def plot_atoms(axes: Sequence[Axes], elbo: ELBO[Any], log_evidence: ArrayLike) -> None:
    """Draw what an ELBO consists of, a row a datum: reconstruction on the left, divergence on the right.

    Left, bars for the expected log likelihood, with marks for the bound and for what it bounds. Right, bars
    for the expected log prior and the entropy, with a mark for minus their sum, their divergence. All fields
    are of shape (N,), in nats. Defined in {eq}`def-forms-atoms`.
    """
    left, right = axes
    rows = np.arange(len(elbo.value))
    left.barh(
        rows, elbo.expected_log_likelihood, color=BLUE, alpha=0.5, label=r"$\mathbb{E}_q[\ln p(x \mid z)]$"
    )
    left.plot(elbo.value, rows, "|", color=VERMILLION, ms=13, mew=3, label="ELBO")
    left.plot(log_evidence, rows, "|", color="black", ms=13, mew=2, label=r"$\ln p(x)$")
    left.legend(loc="lower left")
    right.barh(rows - 0.2, elbo.expected_log_prior, 0.4, color=GREEN, label=r"$\mathbb{E}_q[\ln p(z)]$")
    right.barh(rows + 0.2, elbo.entropy, 0.4, color=VERMILLION, label=r"$\mathbb{H}[q]$")
    right.plot(elbo.kl_to_prior, rows, "k|", ms=13, mew=2, label=r"$\mathrm{KL}(q \parallel p)$")
    right.legend(loc="upper left", bbox_to_anchor=(1, 1))
    for ax in axes:
        ax.set(xlabel="nats", yticks=rows)
        ax.invert_yaxis()


def plot_variance_pairs(
    ax: Axes, first: NDArray[np.float64], second: NDArray[np.float64], names: tuple[str, str]
) -> float:
    """Draw one estimator's variance against another's, a point a datum; return how often the second wins.

    Both have shape (N,); both axes become logarithmic with the same limits.
    """
    low, high = min(first.min(), second.min()) / 1.5, max(first.max(), second.max()) * 1.5
    wins = second < first
    ax.plot([low, high], [low, high], color="black", linewidth=1)
    ax.scatter(first, second, s=8, alpha=0.6, color=np.where(wins, VERMILLION, BLUE), linewidths=0)
    ax.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high), aspect="equal")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_formatter(NullFormatter())  # its numbers overlap within a decade
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.text(0.97, 0.05, f"below: {100 * wins.mean():.0f} %", transform=ax.transAxes, ha="right")
    return float(wins.mean())


def plot_density(
    ax: Axes,
    log_density: Callable[[NDArray[np.float64]], ArrayLike],
    *,
    limits: tuple[float, float],
    **options: Any,
) -> None:
    """Draw the contours of a density over a square at 1/2, 1/10 and 1/100 of its peak.

    ``log_density`` maps points (P, 2) to log densities (P,), up to a constant; the options are those of
    matplotlib's ``contour``.
    """
    axis = np.linspace(*limits, 121)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    values = np.asarray(log_density(points), dtype=float)
    height = np.exp(values - values.max()).reshape(len(axis), len(axis))
    ax.contour(axis, axis, height, levels=[0.01, 0.1, 0.5], **options)
    ax.set(aspect="equal", xlabel=r"$z_1$", ylabel=r"$z_2$")
