"""Chapter 4: where the figure of the gradient clouds starts; the clouds of a bowl and a step as a picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch.distributions import Normal

from emvae.gradients import GradientEstimate, pathwise_gradient, score_function_gradient
from emvae.plotting import use_style
from emvae.plotting.style import COLOURS

MU, SIGMA, OMEGA, D, S = 1.0, 1.0, 5.0, 5, 300
DIMENSIONS = [1, 2, 3, 5, 10, 20, 50, 100]
COUNTS = [10, 30, 100, 300, 1000]
NAMES = ("pathwise", "score function,\nmean as baseline", "score function,\nno baseline")


def bowl(z: Tensor) -> Tensor:
    """Half the square, summed over coordinates, (S,)."""
    return 0.5 * z.square().sum(-1)


def step(z: Tensor) -> Tensor:
    """Count the positive coordinates, (S,), written so that its derivative is zero and not missing."""
    return 0.5 * (torch.sign(z) + 1).sum(-1)


def estimates(f: Callable[[Tensor], Tensor], mean: float, seed: int) -> list[GradientEstimate]:
    """Return the three estimates of the gradient in mu at the start of the figure, from the same draws."""
    at = {
        name: torch.full((D,), value, dtype=torch.float64) for name, value in (("loc", MU), ("scale", SIGMA))
    }

    def fresh() -> dict[str, Any]:
        return {"n_samples": S, "generator": torch.Generator().manual_seed(seed)}

    return [
        pathwise_gradient(f, Normal, at, **fresh()),
        score_function_gradient(f, Normal, at, baseline=mean, **fresh()),
        score_function_gradient(f, Normal, at, **fresh()),
    ]


def data() -> dict[str, Any]:
    """Return the settings that the live figure starts with, and the stops of its sliders."""
    start = {"f": "bowl", "mu": MU, "sigma": SIGMA, "omega": OMEGA, "D": D, "S": S}
    return {"start": start, "dimensions": DIMENSIONS, "counts": COUNTS}


def picture() -> Figure:
    """Draw the clouds of a bowl, which agree, and of a step, on which the pathwise one is wrong."""
    use_style()
    q: Any = Normal(MU, SIGMA)
    edge = torch.tensor(0.0)
    above, density = 1 - q.cdf(edge).item(), q.log_prob(edge).exp().item()
    height = 0.5 * (MU**2 + SIGMA**2)
    figure, axes = plt.subplots(3, 2, figsize=(7.6, 3.3), sharex="col")
    _column(axes[:, 0], estimates(bowl, D * height, 1), MU, "bowl, $f = \\frac{1}{2}\\Sigma_d\\, z_d^2$", 22)
    _column(axes[:, 1], estimates(step, D * above, 2), density, "step, $f = \\Sigma_d\\, 1[z_d > 0]$", 11)
    for ax, name in zip(axes[:, 0], NAMES, strict=True):
        ax.set_ylabel(name, rotation=0, ha="right", va="center")
    for ax in axes[-1]:
        ax.set_xlabel("gradient in $\\mu_1$ from one sample")
    return figure


def _column(axes: Any, found: list[GradientEstimate], truth: float, title: str, reach: float) -> None:
    axes[0].set_title(f"{title}: true gradient {truth:.2f}")
    for ax, estimate, colour in zip(axes, found, COLOURS, strict=False):
        _strip(ax, estimate, colour)
        ax.axvline(truth, color="black", linestyle="--", linewidth=1.2)
        ax.set(xlim=(-reach, reach), ylim=(0, 1), yticks=[])
        ax.spines["left"].set_visible(False)


def _strip(ax: Axes, estimate: GradientEstimate, colour: str) -> None:
    """Dots for single samples; their mean, and twice its standard error to either side."""
    samples = estimate.samples["loc"][:, 0].numpy()
    height = (0.5 + 0.6180339887498949 * np.arange(len(samples))) % 1  # fills the strip evenly
    ax.plot(samples, 0.1 + 0.8 * height, ".", color=colour, markersize=3, alpha=0.6)
    mean, error = (float(value["loc"][0]) for value in (estimate.estimate, estimate.standard_error))
    ax.errorbar(mean, 0.5, xerr=2 * error, fmt="o", color="black", markersize=4.5, capsize=3)
