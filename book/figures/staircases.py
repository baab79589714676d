"""How a fit went: the half-steps of EM."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from emvae.plotting.style import COLOURS

BLUE, VERMILLION = COLOURS[:2]


def plot_elbo_staircase(ax: Axes, elbo: ArrayLike, log_evidence: ArrayLike) -> None:
    """Draw the bound and what it bounds, (H,) in nats after every half-step, and shade the gap between them.

    The shaded height is KL(q || posterior). The entry before the first E-step may lead.
    """
    edges = np.arange(np.size(elbo) + 1) - 0.5
    steps = np.repeat(edges, 2)[1:-1]
    low, high = np.repeat(elbo, 2), np.repeat(log_evidence, 2)
    ax.fill_between(
        steps, low, high, color=VERMILLION, alpha=0.25, linewidth=0, label="gap: KL(q || posterior)"
    )
    ax.plot(
        steps, high, color="black", linewidth=1.2, linestyle="--", label=r"$\ln p(\mathcal{D} \mid \theta)$"
    )
    ax.plot(steps, low, color=BLUE, linewidth=2.2, label="ELBO")
    ax.set_ylabel("nats")
    ax.legend(loc="lower right")
