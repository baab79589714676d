"""Where gradients come from and how they scatter: bells, graphs, clouds, laws of growth."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike, NDArray

from emvae.plotting.style import COLOURS
from figures.scores import MARKERS

BLUE, VERMILLION = COLOURS[:2]
GREY = "#777777"


def plot_bell(ax: Axes, eps: NDArray[np.float64], *, mean: float, deviation: float) -> Line2D:
    """Draw N(0, 1) below, N(mean, deviation^2) above, and the straight paths that lead from one to the other.

    Each draw in ``eps`` (S,) is taken to z = mean + deviation * eps. Returns the outline of the upper bell,
    which stands at height 1.
    """
    grid = np.linspace(-4, 4, 201)
    bell = np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi)
    ax.fill_between(grid, 0, bell, color=GREY, alpha=0.3, linewidth=0)
    ax.plot(grid, bell, color=GREY)
    moved = mean + deviation * grid
    ax.fill_between(moved, 1, 1 + bell / deviation, color=BLUE, alpha=0.3, linewidth=0)
    (outline,) = ax.plot(moved, 1 + bell / deviation, color=BLUE)
    for start in eps:
        path = [start, mean + deviation * start]
        ax.plot(path, [0, 1], color=VERMILLION, linewidth=0.9, marker="o", markersize=3)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    return outline


def plot_computation_graph(
    ax: Axes,
    positions: Mapping[str, tuple[float, float]],
    edges: Sequence[tuple[str, str]],
    *,
    random: Collection[str],
    gradients: Collection[tuple[str, str]],
) -> None:
    """Draw a graph of computations, forwards in grey, and where gradients flow back, in vermillion.

    ``positions`` has x and y in [0, 1] by label. An edge from a to b says that b is computed, or drawn at
    random, from a. What is drawn at random is a circle, all else a box.
    """
    for label, place in positions.items():
        style = "circle,pad=0.45" if label in random else "round,pad=0.5"
        colour = "#FFF3E0" if label in random else "white"
        box = {"boxstyle": style, "facecolor": colour, "edgecolor": "#444444"}
        ax.text(*place, label, ha="center", va="center", fontsize=11, bbox=box, zorder=3)
    for edge in edges:
        start, end = (positions[label] for label in edge)
        _arrow(ax, start, end, GREY, bend=0.0)
        if edge in gradients:
            _arrow(ax, end, start, VERMILLION, bend=-0.35)
    ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def plot_gradient_clouds(
    axes: Sequence[Axes], samples: Mapping[str, NDArray[np.float64]], truth: tuple[float, float]
) -> None:
    """Scatter the gradients (S, 2) that single samples give, a panel an estimator, the truth as a cross."""
    for ax, (name, rows), colour in zip(axes, samples.items(), COLOURS, strict=False):
        ax.scatter(rows[:, 0], rows[:, 1], s=5, color=colour, alpha=0.4, linewidths=0)
        ax.plot(*truth, "X", color="black", markersize=9, markeredgecolor="white")
        ax.set_title(name)


def plot_scaling(
    ax: Axes,
    x: ArrayLike,
    measured: Mapping[str, ArrayLike],
    *,
    predicted: Mapping[str, ArrayLike] | None = None,
    at: ArrayLike | None = None,
) -> None:
    """Draw measurements as markers on two logarithmic axes, and what theory says of them as lines.

    A power law is a straight line here, and its exponent the slope. Predictions have the names of the
    measurements and stand ``at`` their own places, or at ``x``; without one, markers are joined.
    """
    theory = predicted or {}
    for (name, values), colour, marker in zip(measured.items(), COLOURS, MARKERS, strict=False):
        joined = "" if name in theory else "-"
        ax.loglog(x, values, marker, color=colour, linestyle=joined, label=name)
        if name in theory:
            ax.loglog(x if at is None else at, theory[name], color=colour, linewidth=1.2)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_formatter(NullFormatter())
    ax.legend()


def _arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str, *, bend: float
) -> None:
    """Draw an arrow between two boxes, bent sideways by a share of its length."""
    look = {
        "arrowstyle": "-|>",
        "color": colour,
        "linewidth": 1.6,
        "shrinkA": 19,
        "shrinkB": 19,
        "connectionstyle": f"arc3,rad={bend}",
    }
    ax.annotate("", xy=end, xytext=start, arrowprops=look)
