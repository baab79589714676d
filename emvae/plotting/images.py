"""Grids of small images (digits, prototypes, samples), and tables drawn as images."""

from collections.abc import Sequence
from math import ceil, isqrt

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

__all__ = ["plot_confusion", "plot_images"]

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
    stack = _as_stack(images)
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


def plot_confusion(ax: Axes, counts: ArrayLike, *, row_labels: Sequence[str] | None = None) -> AxesImage:
    """Draw which component holds how much of which class: shares of a row as ink, in per cent.

    Parameters
    ----------
    ax : Axes to draw on; the labels of both axes are the caller's.
    counts : (K, C) how many data of class c component k holds. A row of zeros stays empty.
    row_labels : K texts; by default the rows are numbered from 0, as the columns are.

    Returns
    -------
    The image of the shares (K, C), each row of sum one.

    Raises
    ------
    ValueError : ``counts`` is no table of non-negative numbers, or there is not one label a row.
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or table.size == 0 or not (table >= 0).all():
        raise ValueError(f"counts has shape {table.shape}: pass a table (K, C), without negative entries")
    rows, columns = table.shape
    names = [str(k) for k in range(rows)] if row_labels is None else list(row_labels)
    if len(names) != rows:
        raise ValueError(f"row_labels has {len(names)} texts for {rows} rows: pass one a row")
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    image = ax.imshow(shares, vmin=0.0, vmax=1.0, cmap="Greys", aspect="auto")
    for (k, c), share in np.ndenumerate(shares):
        if share >= 0.005:
            shade = "white" if share > 0.5 else "black"
            ax.text(c, k, f"{100 * share:.0f}", ha="center", va="center", fontsize=8, color=shade)
    ax.set_xticks(range(columns), [str(c) for c in range(columns)])
    ax.set_yticks(range(rows), names)
    ax.tick_params(length=0)
    return image


def _as_stack(images: ArrayLike) -> NDArray[np.float64]:
    """Return the images as floats (N, H, W)."""
    stack = np.asarray(images, dtype=np.float64)
    if stack.ndim == 2 and stack.size and isqrt(stack.shape[1]) ** 2 == stack.shape[1]:
        stack = stack.reshape(len(stack), isqrt(stack.shape[1]), -1)
    if stack.ndim != 3 or stack.size == 0:
        raise ValueError(f"images have shape {stack.shape}: pass (N, H, W), or (N, D) with D a square")
    return stack
