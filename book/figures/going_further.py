"""How fast EM arrives, how many components data can pay for, how narrow one may be."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from numpy.typing import ArrayLike

from emvae.plotting.style import COLOURS

BLUE, VERMILLION = COLOURS[:2]


def plot_decay(ax: Axes, gap: ArrayLike, rho: float, *, lowest: float = 1e-7) -> None:
    """Draw how far ln p lies below its limit, (T,) in nats, and the predicted slope rho^2 an iteration.

    The dotted line has that slope and passes through the run where half of the decades are done.
    """
    gap = np.asarray(gap, dtype=float)
    gap = gap[: np.flatnonzero(gap > lowest)[-1] + 1]
    t = np.arange(len(gap))
    middle = int(np.argmin(np.abs(np.log(gap) - np.log(np.sqrt(gap[0] * gap[-1])))))
    ax.semilogy(t, gap, color=BLUE, linewidth=2.2)
    ax.semilogy(t, gap[middle] * rho ** (2.0 * (t - middle)), color="black", linestyle=":", linewidth=1.6)
    ax.set_ylim(lowest / 3, 1e3)


def plot_fit_and_forecast(
    ax: Axes, n_components: Sequence[int], fitted: ArrayLike, held_out: ArrayLike
) -> None:
    """Draw ln p per datum of fitted and of held-out data against K, and ring the best forecast."""
    forecast = np.asarray(held_out, dtype=float)
    winner = int(forecast.argmax())
    ax.plot(n_components, fitted, "s--", color="black", label="fitted data")
    ax.plot(n_components, forecast, "o-", color=BLUE, label="held-out data")
    ax.plot(n_components[winner], forecast[winner], "o", ms=14, mfc="none", mec=BLUE, mew=1.8)
    ax.set_xscale("log")
    ax.set_xticks(n_components, [str(k) for k in n_components])
    ax.minorticks_off()


def plot_paired_differences(
    ax: Axes, n_components: Sequence[int], scores: Mapping[str, ArrayLike], *, reference: int
) -> None:
    """Draw mean differences to the reference K, with paired standard errors; scores are (len(K), N)."""
    base = list(n_components).index(reference)
    ax.axhline(0, color="#999999", linewidth=0.8, zorder=0)
    looks = (("o-", BLUE), ("s--", VERMILLION))
    for place, ((name, values), (style, colour)) in enumerate(zip(scores.items(), looks, strict=False)):
        difference = np.asarray(values) - np.asarray(values)[base]
        error = difference.std(axis=1, ddof=1) / np.sqrt(difference.shape[1])
        shift = 0.08 * (place - 0.5)
        ax.errorbar(
            np.asarray(n_components) + shift,
            difference.mean(axis=1),
            error,
            fmt=style,
            color=colour,
            capsize=3,
            label=name,
        )
    ax.set_xticks(n_components)


def plot_spread(ax: Axes, covariance: ArrayLike, **style: object) -> Ellipse:
    """Draw the ellipse at one standard deviation of a covariance (2, 2) about the origin."""
    values, vectors = np.linalg.eigh(np.asarray(covariance, dtype=float))
    angle = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
    height, width = 2 * np.sqrt(values)
    ellipse = Ellipse((0, 0), width, height, angle=angle, **{"fill": False, "linewidth": 2.0} | style)
    ax.add_patch(ellipse)
    return ellipse
