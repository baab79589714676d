"""Draw the figure of the landing page from real data with emvae; run by hand, result committed.

`make figures` takes a few seconds and writes into book/_static. The claims of the
captions are tested in tests/test_figures.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from emvae.datasets import binarise, mnist
from emvae.em import EMIteration, em_steps
from emvae.mixtures import BernoulliMixture
from emvae.plotting import use_style

STATIC = Path(__file__).resolve().parent.parent / "book" / "_static"
SHOWN = (0, 1, 2, 3, 5, 32)  # iterations: most of it happens early
N_COMPONENTS = 16
N_CLASSES = 10


@dataclass(frozen=True)
class Emergence:
    """A run of EM on binarised MNIST that began with nearly equal components.

    Attributes
    ----------
    steps : the iterations in SHOWN.
    class_counts : (K, 10) training images of each class that each final component claims.
    n : number of training images.
    """

    steps: list[EMIteration]
    class_counts: NDArray[np.int64]
    n: int

    @property
    def per_image(self) -> NDArray[np.float64]:
        """Mean log likelihood of an image at each shown iteration, in nats."""
        return np.array([step.log_evidence for step in self.steps]) / self.n

    @property
    def classes(self) -> NDArray[np.intp]:
        """Most frequent class among the images of each component, (K,)."""
        return self.class_counts.argmax(axis=1)


def learn_digits(seed: int = 0) -> Emergence:
    """Fit K = 16 prototypes to the 60,000 training images; labels are looked at afterwards only."""
    data = mnist(flat=True)
    x = binarise(data.train_images)
    start = BernoulliMixture.initialise(
        x, N_COMPONENTS, rng=np.random.default_rng(seed), method="random-responsibilities"
    )
    run = islice(em_steps(start, x), SHOWN[-1] + 1)
    steps = [step for step in run if step.iteration in SHOWN]
    owner = steps[-1].model.responsibilities(x).argmax(axis=1)
    counts = np.zeros((N_COMPONENTS, N_CLASSES), dtype=np.int64)
    np.add.at(counts, (owner, data.train_labels), 1)
    return Emergence(steps, counts, len(x))


def draw_emergence(run: Emergence) -> Figure:
    """Draw prototypes as images, an iteration a row, components ordered by the class they end at."""
    order = np.lexsort((-run.class_counts.max(axis=1), run.classes))
    strips = [np.concatenate(list(_ink(step)[order]), axis=1) for step in run.steps]
    mosaic = np.concatenate(strips)
    height, width = mosaic.shape
    side = height / len(strips)
    figure, axes = plt.subplots(figsize=(9.6, 3.45))
    axes.imshow(mosaic, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    axes.axis("off")
    notes = [(-8, -4, "iteration", "right"), (width + 8, -4, "ln p per image", "left")]
    notes += [(-8, height + 14, "mostly", "right")]
    for x, y, text, side_of_x in notes:
        axes.text(x, y, text, ha=side_of_x, va="center", fontsize=9, color="0.35")
    for y, step, value in zip(np.arange(0.5, len(strips)) * side, run.steps, run.per_image, strict=True):
        axes.text(-8, y, f"{step.iteration}", ha="right", va="center", fontsize=11)
        axes.text(width + 8, y, f"{value:.1f}".replace("-", "−"), va="center", fontsize=11)
    for x, k in zip(np.arange(0.5, len(order)) * side, order, strict=True):
        axes.text(x, height + 14, f"{run.classes[k]}", ha="center", va="center", fontsize=11)
    return figure


def _ink(step: EMIteration) -> NDArray[np.float64]:
    """Return the prototypes as images (K, 24, 24), without a margin that is nearly always paper."""
    images: NDArray[np.float64] = step.model.probs.reshape(-1, 28, 28)
    return images[:, 2:-2, 2:-2]


def main() -> None:
    """Write all figures."""
    use_style()
    figure = draw_emergence(learn_digits())
    figure.savefig(STATIC / "digits-emerge.png", dpi=160, metadata={"Software": None})


if __name__ == "__main__":
    main()
