"""Responsibilities over the plane, as mixtures of the components' colours."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from emvae.mixtures import Mixture
from emvae.plotting import mix_colours


def plot_responsibility_plane(
    ax: Axes, model: Mixture, *, extent: tuple[float, float, float, float], n_pixels: int = 300
) -> NDArray[np.float64]:
    """Paint each point of the plane in the mixture of its components' colours.

    White lines are drawn where two components share the largest responsibility. ``extent`` is (left, right,
    bottom, top) in the units of the data. Returned are the responsibilities painted, (n_pixels, n_pixels, K),
    rows from bottom to top.
    """
    left, right, bottom, top = extent
    across, up = np.linspace(left, right, n_pixels), np.linspace(bottom, top, n_pixels)
    points = np.stack(np.meshgrid(across, up), axis=-1)
    log_posterior = model.log_posterior(points.reshape(-1, 2)).reshape(n_pixels, n_pixels, -1)
    resp = np.exp(log_posterior)
    # Each pixel is painted around the point at which it was computed.
    dx, dy = (across[1] - across[0]) / 2, (up[1] - up[0]) / 2
    ax.imshow(
        mix_colours(resp),
        origin="lower",
        extent=(left - dx, right + dx, bottom - dy, top + dy),
        aspect="auto",
        interpolation="bilinear",
    )
    for k in range(model.n_components):
        others = np.delete(log_posterior, k, axis=-1).max(axis=-1, initial=-np.inf)
        lead = log_posterior[..., k] - others
        if lead.min() < 0 < lead.max():
            ax.contour(across, up, lead, levels=[0.0], colors="white", linewidths=1.4)
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    return resp
