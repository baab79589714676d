"""Where gradients come from and how they scatter: bells, graphs, clouds, laws of growth."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike

from emvae.plotting.style import COLOURS

__all__ = ["plot_bell", "plot_computation_graph", "plot_gradient_clouds", "plot_scaling"]

BLUE, VERMILLION = COLOURS[:2]
GREY = "#777777"
MARKERS = "osD^vP*X"


def plot_bell(ax: Axes, eps: ArrayLike, *, mean: float, deviation: float, height: float = 1.0) -> Line2D:
    """Draw N(0, 1) below, N(mean, deviation^2) above, and the straight paths that lead from one to the other.

    Each draw eps of the lower bell is taken to z = mean + deviation * eps of the upper one.

    Parameters
    ----------
    ax : Axes to draw on.
    eps : (S,) draws from N(0, 1), where the paths begin.
    mean, deviation : of the upper bell.
    height : how far above the lower bell's foot the upper one stands.

    Returns
    -------
    Line2D : the outline of the upper bell; z and its density plus ``height``.
    """
    eps = np.asarray(eps, dtype=float)
    grid = np.linspace(-4, 4, 201)
    bell = np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi)
    ax.fill_between(grid, 0, bell, color=GREY, alpha=0.3, linewidth=0)
    ax.plot(grid, bell, color=GREY)
    moved = mean + deviation * grid
    ax.fill_between(moved, height, height + bell / deviation, color=BLUE, alpha=0.3, linewidth=0)
    (outline,) = ax.plot(moved, height + bell / deviation, color=BLUE)
    for start, end in zip(eps, mean + deviation * eps, strict=True):
        ax.plot([start, end], [0, height], color=VERMILLION, linewidth=0.9, marker="o", markersize=3)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    return outline


def plot_computation_graph(
    ax: Axes,
    positions: Mapping[str, tuple[float, float]],
    edges: Sequence[tuple[str, str]],
    *,
    random: Collection[str] = (),
    gradients: Collection[tuple[str, str]] = (),
) -> None:
    """Draw a graph of computations, forwards in grey, and where gradients flow back, in vermillion.

    An edge from a to b says that b is computed, or drawn at random, from a.

    Parameters
    ----------
    ax : Axes to draw on; it becomes a square frame without ticks.
    positions : by label, x and y in [0, 1].
    edges : pairs of labels.
    random : the labels drawn as circles, since their values are drawn at random; all others are boxes.
    gradients : the edges along which a gradient comes back from b to a.

    Raises
    ------
    ValueError : an edge or a random label that has no position, a gradient along what is no edge.
    """
    named = {*random, *(label for edge in edges for label in edge)}
    if unknown := sorted(named - set(positions)):
        raise ValueError(f"positions lack {unknown}: pass a position for each label")
    if stray := sorted(set(gradients) - set(edges)):
        raise ValueError(f"gradients holds {stray}: they should be among the edges")
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
    axes: Sequence[Axes], samples: Mapping[str, ArrayLike], truth: ArrayLike, *, size: float = 5.0
) -> list[PathCollection]:
    """Scatter the gradients that single samples give, one panel an estimator, and mark the truth in each.

    Parameters
    ----------
    axes : one Axes an estimator; each is given the estimator's name as its title.
    samples : by name, (S, 2) gradients with respect to two parameters.
    truth : (2,) the exact gradient, drawn as a cross.
    size : area of a marker, in points squared.

    Returns
    -------
    list of PathCollection : the clouds, in the order of ``samples``.

    Raises
    ------
    ValueError : samples or a truth of another shape, not one Axes an estimator.
    """
    centre = np.asarray(truth, dtype=float)
    arrays = {name: np.asarray(rows, dtype=float) for name, rows in samples.items()}
    for name, rows in [*arrays.items(), ("truth", centre[None])]:
        if rows.ndim != 2 or rows.shape[1] != 2:
            raise ValueError(f"{name} has shape {rows.shape}: a plane shows gradients of shape (S, 2)")
    if len(axes) != len(arrays):
        raise ValueError(f"axes has {len(axes)} panels for {len(arrays)} estimators: pass one an estimator")
    clouds = []
    for ax, (name, rows), colour in zip(axes, arrays.items(), COLOURS, strict=False):
        clouds.append(ax.scatter(rows[:, 0], rows[:, 1], s=size, color=colour, alpha=0.4, linewidths=0))
        ax.plot(*centre, "X", color="black", markersize=9, markeredgecolor="white")
        ax.set_title(name)
    return clouds


def plot_scaling(
    ax: Axes,
    x: ArrayLike,
    measured: Mapping[str, ArrayLike],
    *,
    predicted: Mapping[str, ArrayLike] | None = None,
    at: ArrayLike | None = None,
) -> list[Line2D]:
    """Draw measurements as markers on two logarithmic axes, and what theory says of them as lines.

    A power law is a straight line here, and its exponent the slope.

    Parameters
    ----------
    ax : Axes to draw on.
    x : (M,) positive values.
    measured : by name, (M,) positive measurements.
    predicted : by name, (P,) the theory, in the colour of the measurement of the same name; where a name
        has none, its markers are joined.
    at : (P,) where the predictions are made; by default at ``x``.

    Returns
    -------
    list of Line2D : the markers, in the order of ``measured``.
    """
    theory = predicted or {}
    lines = []
    for (name, values), colour, marker in zip(measured.items(), COLOURS, MARKERS, strict=False):
        joined = "" if name in theory else "-"
        lines += ax.loglog(x, values, marker, color=colour, linestyle=joined, label=name)
        if name in theory:
            ax.loglog(x if at is None else at, theory[name], color=colour, linewidth=1.2)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_formatter(NullFormatter())
    ax.legend()
    return lines


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
