"""How a fit went: the half-steps of EM."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from emvae.plotting.style import COLOURS

__all__ = ["plot_elbo_staircase"]

BLUE, VERMILLION = COLOURS[:2]


def plot_elbo_staircase(ax: Axes, elbo: ArrayLike, log_evidence: ArrayLike) -> None:
    """Draw the bound and what it bounds after every half-step, with the gap between them shaded.

    Parameters
    ----------
    ax : Axes to draw on.
    elbo : (H,) the bound after each half-step, alternately an E-step and an M-step, in nats; the
        entry before the first E-step may lead.
    log_evidence : (H,) log p(D | theta) at the same moments, in nats.

    Raises
    ------
    ValueError : the two differ in length.

    Notes
    -----
    Derived in {eq}`eq-em-decomposition`: the shaded height is KL(q || posterior).
    """
    bound, evidence = np.asarray(elbo, dtype=float), np.asarray(log_evidence, dtype=float)
    if bound.shape != evidence.shape or bound.ndim != 1:
        raise ValueError(f"elbo {bound.shape} and log_evidence {evidence.shape} should be (H,) both")
    edges = np.arange(len(bound) + 1) - 0.5
    steps = np.repeat(edges, 2)[1:-1]
    low, high = np.repeat(bound, 2), np.repeat(evidence, 2)
    ax.fill_between(
        steps, low, high, color=VERMILLION, alpha=0.25, linewidth=0, label="gap: KL(q || posterior)"
    )
    ax.plot(
        steps, high, color="black", linewidth=1.2, linestyle="--", label=r"$\ln p(\mathcal{D} \mid \theta)$"
    )
    ax.plot(steps, low, color=BLUE, linewidth=2.2, label="ELBO")
    ax.set_ylabel("nats")
    ax.legend(loc="lower right")
