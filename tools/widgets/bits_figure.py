"""Chapter 3: some hundred binarised digits, one of each class to watch, and prototypes as they emerge."""

from __future__ import annotations

import base64
from functools import cache
from itertools import islice
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from emvae.datasets import binarise, mnist
from emvae.em import em_steps
from emvae.mixtures import BernoulliMixture
from emvae.mixtures.mixture import EMPTY
from emvae.plotting import plot_images, use_style

N_DIGITS = 600
N_PROTOTYPES = 10
MIN_PROB = 1e-3
SHOWN = (0, 1, 3, 10, 30)  # iterations


@cache
def digits() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the first training images as bits, (N, 784), and their classes (N,)."""
    images = mnist(flat=True)
    return binarise(images.train_images[:N_DIGITS]), images.train_labels[:N_DIGITS]


def watched() -> list[int]:
    """Return the first digit of each class, as indices of ``digits``."""
    labels = digits()[1]
    return [int(np.flatnonzero(labels == digit)[0]) for digit in range(10)]


def start() -> BernoulliMixture:
    """Return prototypes that are nearly equal."""
    rng = np.random.default_rng(2)
    x = digits()[0]
    return BernoulliMixture.initialise(
        x, N_PROTOTYPES, rng=rng, method="random-responsibilities", min_prob=MIN_PROB
    )


def data() -> dict[str, Any]:
    """Return the digits, eight pixels a byte, and the constants of the live figure."""
    return {
        "packed": base64.b64encode(np.packbits(digits()[0], axis=1).tobytes()).decode("ascii"),
        "n": N_DIGITS,
        "side": 28,
        "watched": watched(),
        "minProb": MIN_PROB,
        "negligible": EMPTY,
    }


def picture() -> Figure:
    """Draw the prototypes at some iterations, a row each, with the log likelihood of an image."""
    use_style()
    run = [step for step in islice(em_steps(start(), digits()[0]), SHOWN[-1] + 1) if step.iteration in SHOWN]
    figure, axes = plt.subplots(len(run), 1, figsize=(7.6, 4.3))
    for ax, step in zip(axes, run, strict=True):
        plot_images(ax, step.model.probs, n_columns=N_PROTOTYPES)
        note = f"t = {step.iteration}\nln p = {step.log_evidence / N_DIGITS:.1f}"
        ax.set_ylabel(note, rotation=0, ha="right", va="center")
    return figure
