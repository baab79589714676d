"""A mixture of Gaussians on a line: its bells, and data coloured by their responsibilities."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from emvae.plotting.style import component_colours, mix_colours

MARGIN = 2.2  # of the line, beyond the first and the last datum
GREY = "#777777"


def plot_bells(
    ax: Axes, x: ArrayLike, *, weights: ArrayLike, means: ArrayLike, variances: ArrayLike
) -> NDArray[np.float64]:
    """Draw each weighted bell, their sum, and below them the data in the colours of their responsibilities.

    ``x`` (N,) are the data, the parameters (K,) a component each. With two components, the
    responsibility of the second is written below each datum. Returned are the responsibilities, (N, K).
    Defined in {eq}`def-gmm-likelihood`.
    """
    x, weights, means, variances = (np.asarray(a, dtype=float) for a in (x, weights, means, variances))
    line = np.linspace(x.min() - MARGIN, x.max() + MARGIN, 301)

    def joint(at: NDArray[np.float64]) -> NDArray[np.float64]:
        squares = (at[:, None] - means) ** 2 / variances
        return weights * np.exp(-squares / 2) / np.sqrt(2 * np.pi * variances)

    heights = joint(line)
    for height, colour in zip(heights.T, component_colours(len(weights)), strict=True):
        ax.fill_between(line, 0, height, color=colour, alpha=0.15, linewidth=0)
        ax.plot(line, height, color=colour)
    ax.plot(line, heights.sum(axis=1), color=GREY, linewidth=1.2, linestyle="--", zorder=1)
    at_data = joint(x)
    resp = at_data / at_data.sum(axis=1, keepdims=True)
    top = heights.sum(axis=1).max()
    ax.scatter(x, np.full_like(x, -0.09 * top), s=70, c=mix_colours(resp), zorder=3)
    if len(weights) == 2:
        ax.text(line[0], -0.2 * top, "$r_{n2}$:", ha="left", va="top", fontsize=9)
        for place, share in zip(x, resp[:, 1], strict=True):
            ax.text(place, -0.2 * top, f"{share:.2f}", ha="center", va="top", fontsize=9)
    ax.axhline(0, color="#444444", linewidth=0.8)
    ax.set(xlim=(line[0], line[-1]), ylim=(-0.36 * top, 1.08 * top), yticks=[])
    ax.spines["left"].set_visible(False)
    return resp
