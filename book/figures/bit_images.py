"""Images of few bits and of many: a step of EM with a pencil, rows of digits, the coin of an M-step."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from emvae.plotting import component_colours, plot_images

FRAME = "#999999"


def plot_hand_step(
    ax: Axes, images: NDArray[np.integer], probs: NDArray[np.floating], resp: NDArray[np.floating]
) -> None:
    """Draw two prototypes with their numbers, and below each image its responsibilities as a bar."""
    colours = component_colours(2)
    n_pixels = images.shape[1]
    width, wide = 2.0 * n_pixels + 2.2, (2.0 * n_pixels + 2.2) / n_pixels
    for k, prototype in enumerate(probs):
        top = 1.6 * k
        _draw_strip(ax, prototype, top=top, wide=wide, tall=1.25)
        for d, value in enumerate(prototype):
            shade = "white" if value > 0.5 else "black"
            number = f"{round(value + 1e-9, 3):g}"  # halves go up
            ax.text((d + 0.5) * wide, top + 0.66, number, ha="center", va="center", color=shade)
        ax.add_patch(Rectangle((0, top), width, 1.25, fill=False, edgecolor=colours[k], linewidth=2.5))
    for n, (image, share) in enumerate(zip(images, resp, strict=True)):
        top, left = 3.9 + 1.25 * n, n_pixels + 0.4
        _draw_strip(ax, image, top=top)
        for colour, part in zip(colours, share * n_pixels, strict=True):
            ax.add_patch(Rectangle((left, top + 0.2), part, 0.6, facecolor=colour, linewidth=0))
            left += part
        ax.text(width, top + 0.53, f"{share[0]:.2f}", ha="right", va="center")
    ax.set(xlim=(-0.1, width + 0.1), ylim=(3.9 + 1.25 * len(images), -0.2), aspect="equal")
    ax.axis("off")


def _draw_strip(ax: Axes, values: ArrayLike, *, top: float, wide: float = 1.0, tall: float = 1.0) -> None:
    """Draw one row of pixels, 0 as paper and 1 as ink."""
    for d, value in enumerate(np.asarray(values, dtype=float)):
        box = Rectangle((d * wide, top), wide, tall, facecolor=str(1 - value), edgecolor=FRAME, linewidth=0.8)
        ax.add_patch(box)


def plot_image_rows(axes: Sequence[Axes], rows: Mapping[str, ArrayLike]) -> None:
    """Draw one row of images on each of the Axes, its name to the left."""
    for ax, (name, images) in zip(axes, rows.items(), strict=True):
        plot_images(ax, images, n_columns=len(np.asarray(images)))
        ax.set_ylabel(name, rotation=0, ha="right", va="center")


def plot_coins(ax: Axes, shares: Sequence[float]) -> None:
    """Draw s ln(theta) + (1 - s) ln(1 - theta) on [0, 1] for each share s of heads, with its maximum."""
    theta = (1 - np.cos(np.linspace(0, np.pi, 1001))) / 2  # dense at both ends, where the curves are steep
    for share in shares:
        value = _weighted_log(share, theta) + _weighted_log(1 - share, 1 - theta)
        (line,) = ax.plot(theta, value, label=f"$S_{{kd}}/N_k = {share:g}$")
        best = _weighted_log(share, share) + _weighted_log(1 - share, 1 - share)
        ax.plot(share, best, "o", ms=8, color=line.get_color(), clip_on=False, zorder=3)
    ax.set(xlim=(0, 1), ylim=(-3, 0.15), xlabel=r"$\theta$", ylabel="log likelihood a throw, in nats")
    ax.legend()


def _weighted_log(weight: float, x: ArrayLike) -> NDArray[np.float64]:
    """Return weight * ln(x), with 0 ln 0 = 0."""
    with np.errstate(divide="ignore"):
        return np.zeros_like(x, dtype=float) if weight == 0 else weight * np.log(np.asarray(x, dtype=float))
