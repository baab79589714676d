"""Chapter 2: Old Faithful, the chapter's start, and the first half-steps as a picture."""

from __future__ import annotations

from itertools import islice
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from emvae.datasets import old_faithful
from emvae.elbo import discrete_elbo
from emvae.em import em_steps
from emvae.mixtures import GaussianMixture
from emvae.mixtures.mixture import EMPTY
from emvae.plotting import plot_data, plot_ellipses, use_style
from figures import plot_elbo_staircase

EXTENT = (1.0, 6.0, 38.0, 102.0)
MEANS = [[4.2, 75.0], [4.3, 85.0]]
SPREAD = 0.3  # variance of a start, relative to that of each feature
FLOOR = 0.01  # the same for the floor


def start() -> GaussianMixture:
    """Return the chapter's start, with both components on the long eruptions."""
    spread = np.diag(SPREAD * old_faithful().x.var(axis=0))
    return GaussianMixture(np.full(2, 0.5), np.array(MEANS), np.array([spread, spread]))


def half_steps(n_iter: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ELBO and log p(D), before the first E-step and after each half-step; (2 n_iter + 1,) each."""
    x = old_faithful().x
    q = np.full((len(x), 2), 0.5)
    elbo, evidence = [], []
    for step in islice(em_steps(start(), x), n_iter + 1):
        before = discrete_elbo(step.model, x, q).value.sum()
        q = step.model.responsibilities(x)
        after = discrete_elbo(step.model, x, q).value.sum()
        elbo += [before, after]
        evidence += [step.log_evidence, step.log_evidence]
    return np.array(elbo[:-1]), np.array(evidence[:-1])


def data() -> dict[str, Any]:
    """Return the eruptions, the start and the constants of the live figure."""
    return {
        "x": old_faithful().x.tolist(),
        "means": MEANS,
        "extent": EXTENT,
        "spread": SPREAD,
        "floor": FLOOR,
        "negligible": EMPTY,
    }


def picture() -> Figure:
    """Draw the start, two moments of the run, and the staircase of its half-steps."""
    use_style()
    figure, axes = plt.subplot_mosaic([["0", "2", "20"], ["stairs"] * 3], figsize=(7.6, 4.9))
    x = old_faithful().x
    run = list(islice(em_steps(start(), x), 21))
    for name in ("0", "2", "20"):
        _panel(axes[name], run[int(name)].model, int(name))
    axes["0"].set_ylabel("waiting time (min)")
    elbo, evidence = half_steps(12)
    plot_elbo_staircase(axes["stairs"], elbo[3:24], evidence[3:24])
    axes["stairs"].set_xticks(range(21), ["E" if h % 2 == 0 else "M" for h in range(21)])
    axes["stairs"].set_xlabel("half-step, from the second E-step on")
    return figure


def _panel(ax: Axes, mixture: GaussianMixture, iteration: int) -> None:
    x = old_faithful().x
    plot_data(ax, x, mixture.responsibilities(x), size=8)
    plot_ellipses(ax, mixture)
    ax.set(title=f"t = {iteration}", xlabel="eruption (min)", xlim=EXTENT[:2], ylim=EXTENT[2:])
