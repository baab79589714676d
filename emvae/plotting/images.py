"""Grids of small images (digits, prototypes, samples): one by one, or edge to edge."""

from collections.abc import Sequence
from math import ceil, isqrt

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

GAP = 0.08  # between images, in image widths
LABEL_ROOM = 0.24  # below an image that has a label, in image heights
FRAME = "#999999"
UNKNOWN = "#F3D9B1"  # a pale orange that is no grey


def plot_images(
    ax: Axes,
    images: ArrayLike,
    *,
    labels: Sequence[str] | None = None,
    n_columns: int | None = None,
    limits: tuple[float, float] = (0.0, 1.0),
    cmap: str = "Greys",
) -> list[AxesImage]:
    """Draw images in a grid, row by row, each in a thin frame and with its label below.

    Parameters
    ----------
    ax : Axes to draw on; its ticks are removed, its labels and title stay free.
    images : (N, H, W), or (N, D) for square images of D pixels; NaN, a pixel that is not known, is
        drawn in pale orange.
    labels : N texts, or None.
    n_columns : images a row; by default the grid is as square as may be.
    limits : the values that the two ends of the colour map stand for; 0 for paper and 1 for ink.
    cmap : name of a colour map.

    Returns
    -------
    The N images drawn, in order; a colour bar may be made of any.

    Raises
    ------
    ValueError : images of another shape, not one label an image, or ``n_columns`` below 1.
    """
    stack = _as_images(images, "N")
    n, height, width = stack.shape
    if labels is not None and len(labels) != n:
        raise ValueError(f"labels has {len(labels)} texts for {n} images: pass one an image")
    if n_columns is not None and n_columns < 1:
        raise ValueError(f"n_columns = {n_columns}: it should be at least 1")
    columns = min(n, n_columns if n_columns is not None else isqrt(n - 1) + 1)
    tall = height / width
    step = tall * (1 + (LABEL_ROOM if labels is not None else 0)) + GAP
    colours = plt.get_cmap(cmap).with_extremes(bad=UNKNOWN)
    drawn = []
    for i, image in enumerate(stack):
        left, top = (i % columns) * (1 + GAP), (i // columns) * step
        box = (left, left + 1, top + tall, top)
        drawn.append(ax.imshow(image, extent=box, vmin=limits[0], vmax=limits[1], cmap=colours))
        ax.add_patch(Rectangle((left, top), 1, tall, fill=False, edgecolor=FRAME, linewidth=0.5))
        if labels is not None:
            ax.text(left + 0.5, top + tall + GAP / 2, labels[i], ha="center", va="top", fontsize=8)
    ax.set(xlim=(-GAP, columns * (1 + GAP)), ylim=(ceil(n / columns) * step, -GAP), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
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
    stack = _as_images(images, "R, C")
    rows, columns, height, width = stack.shape
    whole = stack.swapaxes(1, 2).reshape(rows * height, columns * width)
    image = ax.imshow(whole, vmin=0.0, vmax=1.0, cmap="Greys")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return image


def _as_images(images: ArrayLike, axes: str) -> NDArray[np.float64]:
    """Return images as floats (N, H, W) or (R, C, H, W); ``axes`` names those that come first."""
    array = np.asarray(images, dtype=float)
    n_axes = axes.count(",") + 1
    if array.ndim == n_axes + 1 and (side := isqrt(array.shape[-1])) ** 2 == array.shape[-1]:
        array = array.reshape(*array.shape[:-1], side, side)
    if array.ndim != n_axes + 2 or array.size == 0:
        raise ValueError(
            f"images have shape {array.shape}: pass ({axes}, H, W), or ({axes}, D) with D a square"
        )
    return array
