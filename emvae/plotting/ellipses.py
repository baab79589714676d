"""The plane: data in the colours of their responsibilities, Gaussians as ellipses."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.patches import Ellipse
from numpy.typing import ArrayLike, NDArray

from emvae.mixtures import GaussianMixture
from emvae.plotting.style import component_colours, mix_colours

__all__ = ["plot_data", "plot_ellipses"]

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
    x = np.asarray(x, dtype=float)
    if x.ndim != 2 or x.shape[1] != 2:
        raise ValueError(f"x has shape {x.shape}: a plane shows data of shape (N, 2)")
    colours = UNASSIGNED if resp is None else mix_colours(resp)
    return ax.scatter(x[:, 0], x[:, 1], s=size, c=colours, alpha=0.75, linewidths=0)


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


def _matrices(model: GaussianMixture) -> NDArray[np.float64]:
    """Return the covariances of any constraint as full matrices, (K, D, D)."""
    covariances = model.covariances
    if covariances.ndim == 2:
        covariances = covariances[:, :, None] * np.eye(model.n_features)
    return np.broadcast_to(covariances, (*model.means.shape, model.n_features))
