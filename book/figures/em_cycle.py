"""The cycle of EM: parameters, responsibilities, and the two half-steps that lead from one to the other."""

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch

from emvae.plotting.style import COLOURS

BLUE, VERMILLION = COLOURS[:2]
THETA, RESPONSIBILITIES = (0.2, 0.5), (0.8, 0.5)


def plot_em_cycle(ax: Axes, *, parameters: str, responsibilities: str, e_step: str, m_step: str) -> None:
    """Draw two boxes and the arrows between them, the E-step over the top, the M-step back below.

    The texts stand in the boxes and at the arrows; each may hold several lines.
    """
    box = {"boxstyle": "round,pad=0.9", "facecolor": "white", "edgecolor": "#444444", "linewidth": 1.4}
    for place, text in ((THETA, parameters), (RESPONSIBILITIES, responsibilities)):
        ax.text(*place, text, ha="center", va="center", fontsize=11, bbox=box, zorder=3, linespacing=1.5)
    above, below = 0.2, -0.2  # where the arrows leave and enter, about the middle of a box
    for start, end, side, colour in (
        (THETA, RESPONSIBILITIES, above, BLUE),
        (RESPONSIBILITIES, THETA, below, VERMILLION),
    ):
        arrow = FancyArrowPatch(
            (start[0], start[1] + side),
            (end[0], end[1] + side),
            connectionstyle="arc3,rad=-0.16",
            arrowstyle="-|>",
            mutation_scale=20,
            linewidth=2.2,
            color=colour,
        )
        ax.add_patch(arrow)
    middle = (THETA[0] + RESPONSIBILITIES[0]) / 2
    ax.text(middle, 0.94, e_step, ha="center", va="bottom", color=BLUE, fontsize=10, linespacing=1.4)
    ax.text(middle, 0.06, m_step, ha="center", va="top", color=VERMILLION, fontsize=10, linespacing=1.4)
    ax.set(xlim=(0, 1), ylim=(-0.22, 1.22), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
