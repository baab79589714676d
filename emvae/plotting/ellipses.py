"""Gaussians of the plane as curves of equal density: those of a mixture, and the prior of codes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from numpy.typing import NDArray

from emvae.mixtures import GaussianMixture
from emvae.plotting.style import component_colours


def plot_ellipses(
    ax: Axes, model: GaussianMixture, *, n_std: Sequence[float] = (1.0, 2.0), means: bool = True
) -> list[Ellipse]:
    """Draw each Gaussian as curves of equal density, in its component's colour.

    The ellipse at s standard deviations is ``(x - mu)^T Sigma^{-1} (x - mu) = s^2``: its axes point
    along the eigenvectors of Sigma and have half-lengths s times the roots of the eigenvalues. A
    component of weight 0 is not drawn.

    Parameters
    ----------
    ax : Axes to draw on.
    model : mixture with D = 2 and K components.
    n_std : standard deviations s at which to draw.
    means : mark the means with crosses.

    Returns
    -------
    list of Ellipse : component by component, in the order of ``n_std``.

    Raises
    ------
    ValueError : the model is not of the plane.

    Notes
    -----
    Defined in {eq}`def-gmm-likelihood`.
    """
    if model.n_features != 2:
        raise ValueError(f"the model has D = {model.n_features}: a plane shows D = 2")
    values, vectors = np.linalg.eigh(_matrices(model))
    angles = np.degrees(np.arctan2(vectors[:, 1, 1], vectors[:, 0, 1]))
    ellipses = []
    for k in np.flatnonzero(model.weights):
        colour = component_colours(model.n_components)[k]
        for s in n_std:
            height, width = 2 * s * np.sqrt(values[k])
            ellipse = Ellipse(tuple(model.means[k]), width, height, angle=angles[k])
            ellipse.set(facecolor="none", edgecolor=colour, linewidth=1.8)
            ax.add_patch(ellipse)
            ellipses.append(ellipse)
        if means:
            ax.plot(*model.means[k], "X", color=colour, markersize=9, markeredgecolor="white")
    ax.autoscale_view()
    return ellipses


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
    angles = np.linspace(0, 2 * np.pi, 200)
    for radius in radii:
        ax.plot(radius * np.cos(angles), radius * np.sin(angles), **style)
    return radii


def _matrices(model: GaussianMixture) -> NDArray[np.float64]:
    """Return the covariances of any constraint as full matrices, (K, D, D)."""
    covariances = model.covariances
    if covariances.ndim == 2:
        covariances = covariances[:, :, None] * np.eye(model.n_features)
    return np.broadcast_to(covariances, (*model.means.shape, model.n_features))
