"""The latent plane: codes in the colours of their digits, decoded meshes, holes, the unit square."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from emvae.plotting.style import component_colours

__all__ = ["plot_codes", "plot_hole_map", "plot_mosaic", "plot_unit_square"]

DIVERGING = "RdBu"  # red where codes are missing, blue where there are too many


def plot_codes(
    ax: Axes, z: ArrayLike, labels: ArrayLike, *, size: float = 1.5, legend: bool = True
) -> PathCollection:
    """Scatter codes of the plane in the colours of their digits.

    Parameters
    ----------
    ax : Axes to draw on.
    z : (N, 2) codes.
    labels : (N,) digits, 0 to 9.
    size : area of a marker, in points squared.
    legend : say which colour is which digit.

    Returns
    -------
    PathCollection : the scatter, with offsets ``z``.

    Raises
    ------
    ValueError : ``z`` is not of shape (N, 2), or ``labels`` are not one digit a code.
    """
    points, digits = _as_plane(z), np.asarray(labels)
    if (
        digits.shape != points.shape[:1]
        or digits.dtype.kind not in "iu"
        or digits.min() < 0
        or digits.max() > 9
    ):
        raise ValueError(f"labels have shape {digits.shape}: pass one digit from 0 to 9 for each code")
    colours = component_colours(10)
    drawn = ax.scatter(points[:, 0], points[:, 1], s=size, c=colours[digits], linewidths=0, rasterized=True)
    if legend:
        handles = [
            Line2D([], [], marker="o", linestyle="", markersize=5, color=colour, label=str(digit))
            for digit, colour in enumerate(colours)
        ]
        ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), handletextpad=0.1)
    ax.set_aspect("equal")
    return drawn


def plot_mosaic(ax: Axes, images: ArrayLike) -> AxesImage:
    """Draw a grid of images edge to edge, as one image: 0 is paper, 1 is ink.

    Parameters
    ----------
    ax : Axes to draw on; its ticks and spines are removed.
    images : (R, C, H, W), row 0 on top, or (R, C, D) for square images of D pixels.

    Returns
    -------
    AxesImage : of shape (R H, C W).

    Raises
    ------
    ValueError : images of another shape.
    """
    stack = np.asarray(images, dtype=float)
    if stack.ndim == 3 and (side := round(stack.shape[2] ** 0.5)) ** 2 == stack.shape[2]:
        stack = stack.reshape(*stack.shape[:2], side, side)
    if stack.ndim != 4 or stack.size == 0:
        raise ValueError(f"images have shape {stack.shape}: pass (R, C, H, W), or (R, C, D) with D a square")
    rows, columns, height, width = stack.shape
    whole = stack.swapaxes(1, 2).reshape(rows * height, columns * width)
    image = ax.imshow(whole, vmin=0.0, vmax=1.0, cmap="Greys")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return image


def plot_hole_map(
    ax: Axes, axis: ArrayLike, log_ratio: ArrayLike, *, threshold: float | None = None, limit: float = 4.0
) -> AxesImage:
    """Paint log q(z) - log p(z) over the plane: red in holes, blue where codes crowd, white where they agree.

    Parameters
    ----------
    ax : Axes to draw on.
    axis : (n,) evenly spaced coordinates of both dimensions, ascending.
    log_ratio : (n, n) in nats, rows from bottom to top.
    threshold : draw the contour where the ratio has this value; None draws none.
    limit : values beyond +-limit have the colour of the limit.

    Returns
    -------
    AxesImage : a colour bar may be made of it.

    Raises
    ------
    ValueError : shapes that do not fit.

    Notes
    -----
    Defined in {eq}`def-latent-holes`.
    """
    ticks, values = np.asarray(axis, dtype=float), np.asarray(log_ratio, dtype=float)
    if ticks.ndim != 1 or len(ticks) < 2 or values.shape != (len(ticks), len(ticks)):
        raise ValueError(
            f"log_ratio has shape {values.shape} for {ticks.shape} coordinates: pass (n, n) for (n,)"
        )
    half = (ticks[1] - ticks[0]) / 2  # each pixel is painted around its point
    low, high = ticks[0] - half, ticks[-1] + half
    image = ax.imshow(
        values, origin="lower", extent=(low, high, low, high), vmin=-limit, vmax=limit, cmap=DIVERGING
    )
    if threshold is not None:
        ax.contour(
            ticks, ticks, values, levels=[threshold], colors="black", linewidths=0.7, linestyles="solid"
        )
    return image


def plot_unit_square(ax: Axes, u: ArrayLike, *, n_bins: int = 40) -> AxesImage:
    """Paint how many points fall into each cell of the unit square, relative to a uniform density.

    Parameters
    ----------
    ax : Axes to draw on.
    u : (M, 2) points in [0, 1].
    n_bins : cells along each side.

    Returns
    -------
    AxesImage : of the density (n_bins, n_bins), rows from bottom to top; 1 is uniform, its colours end at 2.

    Raises
    ------
    ValueError : points of another shape, or outside of the square.

    Notes
    -----
    Derived in {eq}`eq-latent-uniform`.
    """
    points = _as_plane(u, name="u")
    if not (points.min() >= 0 and points.max() <= 1):
        raise ValueError("u should lie in [0, 1]: pass what to_unit_square returns")
    counts, _, _ = np.histogram2d(points[:, 1], points[:, 0], bins=n_bins, range=[[0, 1], [0, 1]])
    density = counts * (n_bins**2 / len(points))
    image = ax.imshow(density, origin="lower", extent=(0, 1, 0, 1), vmin=0.0, vmax=2.0, cmap=DIVERGING)
    ax.set_aspect("equal")
    return image


def _as_plane(z: ArrayLike, name: str = "z") -> NDArray[np.float64]:
    points = np.asarray(z, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or points.size == 0:
        raise ValueError(f"{name} has shape {points.shape}: a plane shows points of shape (N, 2)")
    return points
