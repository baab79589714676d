"""Chapter 1: three Gaussians, the probe, and how often it may be repeated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from emvae.mixtures import GaussianMixture
from emvae.plotting import plot_ellipses, use_style
from figures import plot_responsibility_plane

EXTENT = (-4.6, 4.6, -3.3, 3.5)
PROBE = (0.3, 0.2)
REPEATS = (1, 2, 5, 10, 20, 50, 100, 200, 392, 1000)  # 392 points of the plane are 784 numbers, as a digit is
MEANS = [[-1.5, -0.5], [1.5, -0.8], [0.2, 1.6]]
COVARIANCES = [[[1.6, 1.0], [1.0, 1.6]], [[2.4, -0.6], [-0.6, 0.8]], [[1.0, 0.0], [0.0, 1.2]]]


@dataclass(frozen=True, eq=False, repr=False)
class Repeated(GaussianMixture):
    """A source is drawn once, and every point is what it produced ``repeats`` times in a row."""

    repeats: int = field(default=1, kw_only=True)

    def _score(self, rows: Any) -> NDArray[np.floating[Any]]:
        return self.repeats * super()._score(rows)


def model(repeats: int = 1) -> Repeated:
    """Return the mixture of the chapter's figures, with a uniform prior."""
    return Repeated(np.full(3, 1 / 3), np.array(MEANS), np.array(COVARIANCES), repeats=repeats)


def data() -> dict[str, Any]:
    """Return where the live figure starts."""
    return {
        "means": MEANS,
        "covariances": COVARIANCES,
        "probe": PROBE,
        "extent": EXTENT,
        "repeats": REPEATS,
    }


def picture() -> Figure:
    """Draw the plane for a point seen once and seen ten times, and the responsibilities of the probe."""
    use_style()
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 3.3), sharey=True)
    for ax, repeats in zip(axes, (1, 10), strict=True):
        _panel(ax, model(repeats))
    axes[0].set_ylabel("$x_2$")
    return figure


def _panel(ax: Axes, mixture: Repeated) -> None:
    plot_responsibility_plane(ax, mixture, extent=EXTENT)
    for ellipse in plot_ellipses(ax, mixture, n_std=[1.0], means=False):
        ellipse.set(edgecolor="white", linewidth=1.2)
    ax.plot(*mixture.means.T, "o", color="white", markeredgecolor="black", markersize=5)
    ax.plot(*PROBE, "D", color="black", markeredgecolor="white", markersize=6)
    shares = ", ".join(f"{r:.2f}" for r in mixture.responsibilities([PROBE])[0])
    box = {"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": "none", "alpha": 0.9}
    ax.annotate(f"r = {shares}", PROBE, (8, 8), textcoords="offset points", fontsize=8.5, bbox=box)
    seen = "seen once" if mixture.repeats == 1 else f"seen {mixture.repeats} times"
    ax.set(title=seen, xlabel="$x_1$", xlim=EXTENT[:2], ylim=EXTENT[2:], aspect="equal")
