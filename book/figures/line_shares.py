"""Sources on a line: how readily each makes a point, and how the point is shared among them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from emvae.plotting import component_colours


def plot_line_shares(
    axes: Sequence[Axes],
    line: NDArray[np.float64],
    heights: NDArray[np.float64],
    *,
    at: float,
    names: Sequence[str],
) -> NDArray[np.float64]:
    """Draw heights (G, K) over the points of a line (G,), and below them the shares of each point.

    The upper of two Axes has a curve a source and, at the point ``at`` of the line, its heights as dots with
    their values; the lower has the shares as bands that add up to one, with their values at the same point.
    Returned are the shares, (G, K).
    """
    upper, lower = axes
    shares = heights / heights.sum(axis=1, keepdims=True)
    colours = component_colours(heights.shape[1])
    i = int(np.argmin(np.abs(line - at)))
    for k, colour in enumerate(colours):
        upper.plot(line, heights[:, k], color=colour)
        upper.fill_between(line, 0, heights[:, k], color=colour, alpha=0.12, linewidth=0)
        peak = int(heights[:, k].argmax())
        upper.text(line[peak], heights[peak, k] * 1.16, names[k], ha="center", va="bottom", color=colour)
    lower.stackplot(line, shares.T, colors=colours, alpha=0.85, linewidth=0)
    for ax, top in ((upper, heights[i].max()), (lower, 1.0)):
        ax.vlines(line[i], 0, top, color="black", linewidth=1.0, linestyle=":")
    below = np.concatenate([[0.0], shares[i].cumsum()])
    for k, colour in enumerate(colours):
        upper.plot(line[i], heights[i, k], "o", color=colour, markeredgecolor="black", markersize=6)
        rises = heights[min(i + 1, len(line) - 1), k] > heights[i, k]
        upper.annotate(
            f"{heights[i, k]:.3f}",
            (line[i], heights[i, k]),
            (7, -11 if rises else 3),  # on the side where the curve does not go
            textcoords="offset points",
            fontsize=9,
        )
        lower.annotate(
            f"{shares[i, k]:.3f}",
            (line[i], (below[k] + below[k + 1]) / 2),
            (7, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color="white",
            fontweight="bold",
        )
    upper.set(ylim=(0, 1.3 * heights.max()))
    lower.set(xlim=(line[0], line[-1]), ylim=(0, 1))
    return shares
