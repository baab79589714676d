"""Chapter 6: the explorer's map of holes, its places and digits, and a picture of plane and square."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from emvae.datasets import binarise, mnist
from emvae.latents import digit_classifier, encode, hole_map, inverse_cdf_mesh, to_unit_square
from emvae.latents.codes import Codes
from emvae.latents.holes import HoleMap
from emvae.mixtures import GaussianMixture
from emvae.plotting import plot_mosaic, use_style
from tools.widgets.quantised_networks import load
from tools.widgets.weight_rounding import pack

THRESHOLD = -np.log(10)  # a hole is where codes are ten times rarer than the prior has it
REACH, SIDE = 3.5, 101  # the map covers [-REACH, REACH]^2 with SIDE points a side
STEP, BITS = 2e-4, 16  # nats between two stored values: they are right to half of it, and end at -6.55
APART = 0.45  # between two names, in units of z
PER_CLASS = 1  # test digits of each class to encode
MESH = 10  # digits along each side of the picture's square
DENSE, HOLE = "#0072B2", "#D55E00"

Array = NDArray[np.floating[Any]]


@cache
def codes() -> Codes:
    """Return q(z | x_n) of the 60,000 training digits, their bits drawn as in chapter 6."""
    rng, _ = np.random.default_rng(0).spawn(2)
    bits = binarise(mnist(flat=True).train_images, method="stochastic", rng=rng)
    return encode(load(), torch.from_numpy(bits).float())


def aggregate() -> GaussianMixture:
    """Return q(z), their average."""
    n = len(codes().means)
    return GaussianMixture(np.full(n, 1 / n), codes().means, codes().covariances, learn_weights=False)


@cache
def log_ratio() -> HoleMap:
    """Return ln q(z) - ln p(z) on the explorer's grid."""
    return hole_map(aggregate(), half_width=REACH, n_side=SIDE)


def places() -> Array:
    """Return a place for the name of each class, (10, 2): its median code, pushed away from other names."""
    labels = mnist(flat=True).train_labels
    names = np.array([np.median(codes().means[labels == k], axis=0) for k in range(10)])
    for _ in range(20):
        offset = names[:, None] - names
        distance = np.hypot(*offset.transpose(2, 0, 1)) + np.eye(10)
        push = (APART - distance).clip(min=0) / distance
        np.fill_diagonal(push, 0)
        names += 0.5 * (push[:, :, None] * offset).sum(axis=1)
    return names


def examples() -> list[dict[str, Any]]:
    """Return the first test digits of each class, as bytes."""
    data = mnist(flat=True)
    first = [np.flatnonzero(data.test_labels == k)[:PER_CLASS] for k in range(10)]
    rows = np.array(first).T.ravel()
    return [
        {"label": int(data.test_labels[n]), "image": b64encode(data.test_images[n].tobytes()).decode()}
        for n in rows
    ]


def data() -> dict[str, Any]:
    """Return what the page needs besides the networks."""
    low, high = -(2 ** (BITS - 1)), 2 ** (BITS - 1) - 1
    values = np.rint(log_ratio().log_ratio / STEP).clip(low, high).astype(np.int64)
    grid = {"reach": REACH, "side": SIDE, "step": STEP, "bits": BITS, "values": pack(values, BITS)}
    return {
        "threshold": THRESHOLD,
        "map": grid,
        "places": places().round(2).tolist(),
        "examples": examples(),
    }


def doubtful() -> Array:
    """Return the point in a hole, within the circle of 95 per cent, at which the judge doubts most, (2,)."""
    found = log_ratio()
    up, across = np.nonzero(found.log_ratio < THRESHOLD)
    points = found.axis[np.column_stack([across, up])]
    points = points[(points**2).sum(axis=1) < -2 * np.log(0.05)]
    with torch.no_grad():
        probs = digit_classifier()(torch.from_numpy(decode(points))).probs
    chosen: Array = points[int(probs.amax(dim=-1).argmin())]
    return chosen


def decode(z: Array) -> Array:
    """Return pixel means at z (M, 2), (M, 784)."""
    with torch.no_grad():
        return torch.sigmoid(load().decoder(torch.tensor(z).float()).base_dist.logits).numpy()


def picture() -> Figure:
    """Draw the plane with its holes, the square with what is decoded there, and a digit from a hole."""
    use_style()
    rows: Any = [["plane", "square", "dense"], ["plane", "square", "hole"]]
    figure, axes = plt.subplot_mosaic(rows, figsize=(7.0, 2.95), width_ratios=[4, 4, 1.5])
    points = {"dense": places()[0], "hole": doubtful()}
    _plane(axes["plane"])
    plot_mosaic(axes["square"], decode(inverse_cdf_mesh(MESH).reshape(-1, 2)).reshape(MESH, MESH, -1))
    axes["square"].set(title="square: digits decoded", xlabel=r"$\Phi(z_1)$", ylabel=r"$\Phi(z_2)$")
    for (name, z), colour in zip(points.items(), (DENSE, HOLE), strict=True):
        axes[name].imshow(decode(z[None]).reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
        axes[name].set(title={"dense": "dense place", "hole": "hole"}[name], xticks=[], yticks=[])
        axes[name].spines[:].set(visible=True, color=colour, linewidth=2.5)
        across, up = to_unit_square(z[None])[0] * MESH * 28
        for ax, at in ((axes["plane"], z), (axes["square"], (across, MESH * 28 - up))):
            ax.plot(*at, "o", markersize=9, color=colour, markeredgecolor="white", markeredgewidth=1.5)
    return figure


def _plane(ax: Axes) -> None:
    """Shade q(z), outline the holes, name the countries."""
    found = log_ratio()
    density = np.exp(found.log_ratio - 0.5 * np.add.outer(found.axis**2, found.axis**2)) / (2 * np.pi)
    levels = np.linspace(0, 0.36, 10)
    ax.contourf(found.axis, found.axis, density, levels, cmap="Blues", extend="max")
    ax.contour(
        found.axis, found.axis, found.log_ratio, [THRESHOLD], colors=HOLE, linewidths=0.9, linestyles="solid"
    )
    for digit, place in enumerate(places()):
        ax.text(place[0], place[1], str(digit), ha="center", va="center", fontsize=8)
    ax.set(title="plane: where codes lie", xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
