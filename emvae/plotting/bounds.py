"""Bounds and their estimators: atoms, variances image by image, bounds against samples, densities."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike, NDArray

from emvae.elbo import ELBO
from emvae.plotting.style import COLOURS

__all__ = ["plot_atoms", "plot_bounds_against_samples", "plot_density", "plot_variance_pairs"]

BLUE, VERMILLION, GREEN = COLOURS[:3]


def plot_atoms(axes: Sequence[Axes], elbo: ELBO[Any], log_evidence: ArrayLike) -> None:
    """Draw what an ELBO consists of, a row a datum: reconstruction on the left, divergence on the right.

    Left, bars for the expected log likelihood, with marks for the bound and for what it bounds. Right, bars
    for the expected log prior and the entropy, with a mark for minus their sum, their divergence.

    Parameters
    ----------
    axes : two Axes.
    elbo : with fields of shape (N,), in nats.
    log_evidence : (N,) log p(x_n), in nats.

    Raises
    ------
    ValueError : not two Axes, or shapes that differ.

    Notes
    -----
    Defined in {eq}`def-forms-atoms`.
    """
    if len(axes) != 2:
        raise ValueError(f"axes has {len(axes)} panels: pass two, for reconstruction and divergence")
    evidence = np.asarray(log_evidence, dtype=float)
    reconstruction = np.asarray(elbo.expected_log_likelihood, dtype=float)
    if evidence.shape != reconstruction.shape or evidence.ndim != 1:
        raise ValueError(
            f"log_evidence {evidence.shape} and the atoms {reconstruction.shape} should be (N,) both"
        )
    left, right = axes
    rows = np.arange(len(evidence))
    left.barh(rows, reconstruction, color=BLUE, alpha=0.5, label=r"$\mathbb{E}_q[\ln p(x \mid z)]$")
    left.plot(elbo.value, rows, "|", color=VERMILLION, ms=13, mew=3, label="ELBO")
    left.plot(evidence, rows, "|", color="black", ms=13, mew=2, label=r"$\ln p(x)$")
    left.legend(loc="lower left")
    right.barh(rows - 0.2, elbo.expected_log_prior, 0.4, color=GREEN, label=r"$\mathbb{E}_q[\ln p(z)]$")
    right.barh(rows + 0.2, elbo.entropy, 0.4, color=VERMILLION, label=r"$\mathbb{H}[q]$")
    right.plot(elbo.kl_to_prior, rows, "k|", ms=13, mew=2, label=r"$\mathrm{KL}(q \parallel p)$")
    right.legend(loc="upper left", bbox_to_anchor=(1, 1))
    for ax in axes:
        ax.set(xlabel="nats", yticks=rows)
        ax.invert_yaxis()


def plot_variance_pairs(
    ax: Axes, first: ArrayLike, second: ArrayLike, *, names: tuple[str, str]
) -> tuple[float, PathCollection]:
    """Draw one estimator's variance against another's, a point a datum, and say how often it wins.

    Parameters
    ----------
    ax : Axes to draw on; both axes become logarithmic with the same limits.
    first, second : (N,) positive variances of the two estimators for the same data.
    names : of the two, for the axes.

    Returns
    -------
    share : of the data for which ``second`` is smaller; also written into the corner.
    points : what was drawn.

    Raises
    ------
    ValueError : the two differ in shape, or a variance is not positive.
    """
    x, y = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"first {x.shape} and second {y.shape} should be (N,) both")
    if not (min(x.min(), y.min()) > 0):
        raise ValueError("variances should be positive: drop those that are zero")
    low, high = min(x.min(), y.min()) / 1.5, max(x.max(), y.max()) * 1.5
    share = float(np.mean(y < x))
    ax.plot([low, high], [low, high], color="black", linewidth=1)
    points = ax.scatter(x, y, s=8, alpha=0.6, color=np.where(y < x, VERMILLION, BLUE), linewidths=0)
    ax.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high), aspect="equal")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_formatter(NullFormatter())  # its numbers overlap within a decade
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.text(0.97, 0.05, f"below: {100 * share:.0f} %", transform=ax.transAxes, ha="right")
    return share, points


def plot_bounds_against_samples(
    ax: Axes, n_samples: ArrayLike, bounds: Mapping[str, ArrayLike], *, log_evidence: float | None = None
) -> None:
    """Draw bounds against the number of samples, and the level that they tend to.

    Parameters
    ----------
    ax : Axes to draw on.
    n_samples : (M,) values of S.
    bounds : by name, (M,) a bound at each S, in nats.
    log_evidence : what is bounded, in nats.

    Notes
    -----
    Derived in {eq}`eq-forms-iw-monotone`.
    """
    s = np.asarray(n_samples)
    for (name, values), colour in zip(bounds.items(), COLOURS, strict=False):
        ax.semilogx(s, np.asarray(values, dtype=float), "o-", color=colour, label=name, base=10)
    if log_evidence is not None:
        ax.axhline(log_evidence, color="black", linestyle="--", linewidth=1.2, label=r"$\ln p(x)$")
    ax.set_xlabel("number of samples S")
    ax.set_ylabel("nats")
    ax.legend()


def plot_density(
    ax: Axes,
    log_density: Callable[[NDArray[np.float64]], ArrayLike],
    *,
    limits: tuple[float, float],
    n_points: int = 121,
    **options: Any,
) -> None:
    """Draw the contours of a density over a square at 1/2, 1/10 and 1/100 of its peak.

    Parameters
    ----------
    ax : Axes to draw on.
    log_density : maps points (P, 2) to log densities (P,), up to a constant, in nats.
    limits : of both axes.
    n_points : points along each.
    options : of matplotlib's ``contour``, such as ``colors``.

    Raises
    ------
    ValueError : ``log_density`` returns another shape, or nothing finite.
    """
    axis = np.linspace(*limits, n_points)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    values = np.asarray(log_density(points), dtype=float)
    if values.shape != (n_points**2,) or not np.isfinite(values.max()):
        raise ValueError(f"log_density returns shape {values.shape}: it should be finite, ({n_points**2},)")
    height = np.exp(values - values.max()).reshape(n_points, n_points)
    ax.contour(axis, axis, height, levels=[0.01, 0.1, 0.5], **options)
    ax.set(aspect="equal", xlabel=r"$z_1$", ylabel=r"$z_2$")
