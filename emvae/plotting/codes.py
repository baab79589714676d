"""What lies over a latent plane: circles of prior mass, a posterior and the code it should have found."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike, NDArray

from emvae.plotting.style import COLOURS

__all__ = ["plot_misplaced_code", "plot_prior_circles"]

BLUE, VERMILLION = COLOURS[:2]
ANGLES = np.linspace(0, 2 * np.pi, 200)


def plot_prior_circles(
    ax: Axes, shares: Sequence[float] = (0.5, 0.95), **options: Any
) -> NDArray[np.float64]:
    """Draw the circles about the origin that hold given shares of N(0, I) in the plane.

    The square of the distance from the origin is exponentially distributed there, so that a circle of
    radius r holds ``1 - exp(-r^2 / 2)``.

    Parameters
    ----------
    ax : Axes to draw on.
    shares : (K,) of the mass, each in (0, 1).
    options : of matplotlib's ``plot``; black, thin and dashed if nothing else is said.

    Returns
    -------
    radii : (K,) of the circles.

    Raises
    ------
    ValueError : a share outside (0, 1).
    """
    mass = np.asarray(shares, dtype=float)
    if not np.all((mass > 0) & (mass < 1)):
        raise ValueError(f"shares = {shares}: they should be above 0 and below 1")
    radii = np.sqrt(-2 * np.log1p(-mass))
    style: dict[str, Any] = {"color": "black", "linestyle": "--", "linewidth": 0.8} | options
    for radius in radii:
        ax.plot(radius * np.cos(ANGLES), radius * np.sin(ANGLES), **style)
    return radii


def plot_misplaced_code(
    ax: Axes,
    axis: ArrayLike,
    log_joint: ArrayLike,
    *,
    mean: ArrayLike,
    deviation: ArrayLike,
    best: ArrayLike,
    n_std: float = 5.0,
    depth: float = 150.0,
) -> AxesImage:
    """Paint log p(x, z) of one datum over the plane, the encoder's q(z | x), and the best code.

    Parameters
    ----------
    ax : Axes to draw on.
    axis : (n,) evenly spaced coordinates of both dimensions, ascending.
    log_joint : (n, n) in nats, rows from bottom to top.
    mean, deviation : (2,) of q, drawn as a cross with an ellipse in vermillion.
    best : (2,) where log p(x, z) is largest, drawn as a blue dot.
    n_std : standard deviations of q at which the ellipse is drawn.
    depth : values more than this below the largest are white, in nats.

    Returns
    -------
    AxesImage : of ``log_joint``.

    Raises
    ------
    ValueError : ``log_joint`` is not of shape (n, n).

    Notes
    -----
    Defined in {eq}`def-latent-distance`.
    """
    ticks, values = np.asarray(axis, dtype=float), np.asarray(log_joint, dtype=float)
    if values.shape != (len(ticks), len(ticks)):
        raise ValueError(f"log_joint has shape {values.shape} for {ticks.shape} coordinates: pass (n, n)")
    low, high = ticks[0], ticks[-1]
    image = ax.imshow(
        values, origin="lower", extent=(low, high, low, high), cmap="Greys", vmin=values.max() - depth
    )
    centre, width = np.asarray(mean, dtype=float), n_std * np.asarray(deviation, dtype=float)
    ax.plot(*centre, "x", color=VERMILLION, ms=9, mew=2)
    ellipse = centre[:, None] + width[:, None] * np.stack([np.cos(ANGLES), np.sin(ANGLES)])
    ax.plot(*ellipse, color=VERMILLION, lw=1.2)
    ax.plot(*np.asarray(best, dtype=float), "o", color=BLUE, ms=6)
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
    return image
