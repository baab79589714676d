"""A continuous posterior beside what a grid makes of it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from numpy.typing import NDArray

from emvae.plotting.style import COLOURS

BLUE, VERMILLION = COLOURS[:2]


def plot_grid_posterior(
    ax: Axes,
    z: NDArray[np.float64],
    density: NDArray[np.float64],
    nodes: NDArray[np.float64],
    shares: NDArray[np.float64],
) -> BarContainer:
    """Draw a density over z, and the shares of equidistant nodes as bars of the same area.

    A share r of a node becomes a bar as wide as the grid's step h and r / h high. Below them stand the two
    means, as triangles.
    """
    step = nodes[1] - nodes[0]
    bars = ax.bar(nodes, shares / step, width=step, color=VERMILLION, alpha=0.35, edgecolor=VERMILLION)
    ax.plot(z, density, color=BLUE)
    exact = np.trapezoid(z * density, z)
    ax.plot([exact], [0], "^", color=BLUE, markersize=8, clip_on=False, zorder=4)
    ax.plot([shares @ nodes], [0], "^", color=VERMILLION, markersize=8, clip_on=False, zorder=4)
    ax.set(xlim=(z[0], z[-1]), ylim=(0, None))
    return bars
