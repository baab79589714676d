"""Maps of the latent plane: its holes, the same codes in a square, a posterior that its encoder misses."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike, NDArray

from emvae.plotting.style import COLOURS

BLUE, VERMILLION = COLOURS[:2]
DIVERGING = "RdBu"  # red where codes are missing, blue where there are too many
LIMIT = 4.0  # nats: beyond it, the colour of the limit
N_CELLS = 60  # along each side of the unit square
DEPTH = 150.0  # nats below the largest value: white
N_STD = 5  # standard deviations at which an encoder's ellipse is drawn

Array = NDArray[np.float64]


def plot_hole_map(ax: Axes, axis: Array, log_ratio: Array, *, threshold: float) -> AxesImage:
    """Paint log q(z) - log p(z) over the plane: red in holes, blue where codes crowd, white where they agree.

    ``axis`` (n,) holds the coordinates of both dimensions, ``log_ratio`` (n, n) has its rows from bottom to
    top; a contour is drawn at ``threshold``. Defined in {eq}`def-latent-holes`.
    """
    half = (axis[1] - axis[0]) / 2  # each pixel is painted around its point
    low, high = axis[0] - half, axis[-1] + half
    extent = (low, high, low, high)
    image = ax.imshow(log_ratio, origin="lower", extent=extent, vmin=-LIMIT, vmax=LIMIT, cmap=DIVERGING)
    ax.contour(axis, axis, log_ratio, [threshold], colors="black", linewidths=0.7, linestyles="solid")
    return image


def plot_unit_square(ax: Axes, u: Array) -> AxesImage:
    """Paint the density of points (M, 2) in each cell of the unit square; 1 is uniform, colours end at 2.

    Derived in {eq}`eq-latent-uniform`.
    """
    counts, _, _ = np.histogram2d(u[:, 1], u[:, 0], bins=N_CELLS, range=[[0, 1], [0, 1]])
    density = counts * (N_CELLS**2 / len(u))
    return ax.imshow(density, origin="lower", extent=(0, 1, 0, 1), vmin=0.0, vmax=2.0, cmap=DIVERGING)


def plot_misplaced_code(
    ax: Axes, axis: Array, log_joint: Array, *, mean: ArrayLike, deviation: ArrayLike, best: ArrayLike
) -> None:
    """Paint log p(x, z) of one datum over the plane, the encoder's q(z | x), and the best code.

    ``axis`` and ``log_joint`` are as in ``plot_hole_map``. The mean (2,) of q is a cross with an ellipse at
    N_STD standard deviations, the best code (2,) a dot. Defined in {eq}`def-latent-distance`.
    """
    low, high = axis[0], axis[-1]
    extent = (low, high, low, high)
    ax.imshow(log_joint, origin="lower", extent=extent, cmap="Greys", vmin=log_joint.max() - DEPTH)
    angles = np.linspace(0, 2 * np.pi, 200)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    ax.plot(*np.asarray(mean), "x", color=VERMILLION, ms=9, mew=2)
    ax.plot(*(mean + N_STD * np.asarray(deviation) * circle).T, color=VERMILLION, lw=1.2)
    ax.plot(*np.asarray(best), "o", color=BLUE, ms=6)
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
