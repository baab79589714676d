"""Points of the plane: data in the colours of their responsibilities, codes in those of their digits."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from emvae.plotting.style import component_colours, mix_colours

UNASSIGNED = "#777777"


def plot_data(ax: Axes, x: ArrayLike, resp: ArrayLike | None = None, *, size: float = 12.0) -> PathCollection:
    """Scatter data of the plane, each in the mixture of its components' colours.

    Parameters
    ----------
    ax : Axes to draw on.
    x : (N, 2) data.
    resp : (N, K) responsibilities; None draws all data in one grey.
    size : area of a marker, in points squared.

    Returns
    -------
    PathCollection : the scatter, with offsets ``x``.

    Raises
    ------
    ValueError : ``x`` is not of shape (N, 2).
    """
    points = _as_plane(x, "x")
    colours = UNASSIGNED if resp is None else mix_colours(resp)
    return ax.scatter(points[:, 0], points[:, 1], s=size, c=colours, alpha=0.75, linewidths=0)


def plot_codes(ax: Axes, z: ArrayLike, labels: ArrayLike, *, legend: bool = True) -> PathCollection:
    """Scatter codes of the plane in the colours of their digits.

    Parameters
    ----------
    ax : Axes to draw on.
    z : (N, 2) codes.
    labels : (N,) digits, 0 to 9.
    legend : say which colour is which digit.

    Returns
    -------
    PathCollection : the scatter, with offsets ``z``.

    Raises
    ------
    ValueError : ``z`` is not of shape (N, 2), or ``labels`` are not one digit a code.
    """
    points, digits = _as_plane(z, "z"), np.asarray(labels)
    are_digits = digits.dtype.kind in "iu" and np.isin(digits, range(10)).all()
    if digits.shape != points.shape[:1] or not are_digits:
        raise ValueError(f"labels have shape {digits.shape}: pass one digit from 0 to 9 for each code")
    colours = component_colours(10)
    drawn = ax.scatter(points[:, 0], points[:, 1], s=1.5, c=colours[digits], linewidths=0, rasterized=True)
    if legend:
        handles = [
            Line2D([], [], marker="o", linestyle="", markersize=5, color=colour, label=str(digit))
            for digit, colour in enumerate(colours)
        ]
        ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), handletextpad=0.1)
    ax.set_aspect("equal")
    return drawn


def _as_plane(z: ArrayLike, name: str) -> NDArray[np.float64]:
    points = np.asarray(z, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or points.size == 0:
        raise ValueError(f"{name} has shape {points.shape}: a plane shows points of shape (N, 2)")
    return points
