"""A likelihood over one parameter, and the bounds that touch it one after another as EM climbs."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from emvae.plotting.style import COLOURS

GREY = "#999999"


def plot_touching_bounds(
    ax: Axes,
    theta: ArrayLike,
    log_evidence: ArrayLike,
    bounds: Sequence[ArrayLike],
    visited: Sequence[float],
) -> NDArray[np.float64]:
    """Draw what EM climbs, dashed, the bound of each iteration, and its walk; return the heights touched.

    ``theta`` (P,) are values of the parameter, ``log_evidence`` and each bound (P,) in nats. Bound t
    touches at ``visited[t]`` and has its top at ``visited[t + 1]``. Derived in {eq}`eq-em-monotone`.
    """
    theta = np.asarray(theta, dtype=float)
    heights = np.interp(visited, theta, np.asarray(log_evidence, dtype=float))
    ax.plot(theta, log_evidence, "--", color="black", label=r"$\ln p(\mathcal{D} \mid \theta)$")
    for t, (bound, colour) in enumerate(zip(bounds, COLOURS, strict=False)):
        values = np.asarray(bound, dtype=float)
        ax.plot(theta, values, color=colour, linewidth=1.6, label=rf"ELBO at $r(\theta^{{({t})}})$")
        here, there = visited[t], visited[t + 1]
        top = float(np.interp(there, theta, values))
        ax.plot([there, there], [top, heights[t + 1]], color=GREY, linewidth=1, linestyle=":", zorder=1)
        ax.plot(there, top, "^", color=colour, ms=7, zorder=4)
        ax.plot(here, heights[t], "o", color=colour, mec="black", ms=8, zorder=5)
    ax.set_ylabel("nats")
    ax.legend()
    return heights
