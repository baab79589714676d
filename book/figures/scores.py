"""What a mixture is judged by: criteria against the number of components, classes within each."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

MARKERS = "osD^vP*X"


def plot_model_selection(
    ax: Axes, n_components: Sequence[int], scores: Mapping[str, ArrayLike], *, best: Literal["min", "max"]
) -> None:
    """Draw scores, by name one for each K, and ring the best: the lowest (BIC, AIC) or the highest."""
    for (name, score), marker in zip(scores.items(), MARKERS, strict=False):
        values = np.asarray(score, dtype=float)
        winner = int(values.argmin() if best == "min" else values.argmax())
        (line,) = ax.plot(n_components, values, marker=marker, label=name)
        best_k, colour = n_components[winner], line.get_color()
        ax.plot(best_k, values[winner], "o", ms=13, mfc="none", mec=colour, mew=1.8, zorder=3)
    ax.set_xlabel("number of components K")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend()


def plot_confusion(ax: Axes, counts: NDArray[np.integer], row_labels: Sequence[str]) -> None:
    """Draw which component (row) holds how much of which class (column): shares of a row, in per cent."""
    shares = counts / counts.sum(axis=1, keepdims=True)
    ax.imshow(shares, vmin=0.0, vmax=1.0, cmap="Greys", aspect="auto")
    for (k, c), share in np.ndenumerate(shares):
        if share >= 0.005:
            shade = "white" if share > 0.5 else "black"
            ax.text(c, k, f"{100 * share:.0f}", ha="center", va="center", fontsize=8, color=shade)
    ax.set_xticks(range(counts.shape[1]), [str(c) for c in range(counts.shape[1])])
    ax.set_yticks(range(counts.shape[0]), row_labels)
    ax.tick_params(length=0)
