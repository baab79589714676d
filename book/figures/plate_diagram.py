"""Models as plate diagrams: what is drawn at random, what is seen, what is repeated."""

from collections.abc import Collection, Mapping, Sequence
from math import hypot

from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyBboxPatch

RADIUS = 0.42  # of a random quantity's circle
DOT = 0.09  # of a parameter's
SEEN = "#CFD6DC"
INK = "#333333"
GREY = "#777777"

Place = tuple[float, float]


def plot_plate_diagram(
    ax: Axes,
    positions: Mapping[str, Place],
    edges: Sequence[tuple[str, str]],
    *,
    observed: Collection[str] = (),
    parameters: Collection[str] = (),
    plates: Mapping[str, tuple[float, float, float, float]] | None = None,
) -> None:
    """Draw a directed graphical model.

    ``positions`` has x and y by label, in units of which a circle measures 0.84. What is drawn at random is a
    circle, shaded if it is observed; a parameter is a dot with its label above. An edge from a to b says that
    the distribution of b depends on a. ``plates`` has (left, right, bottom, top) by the text in the plate's
    lower right corner, which says how often what lies in it is repeated.
    """
    for text, (left, right, bottom, top) in (plates or {}).items():
        ax.add_patch(
            FancyBboxPatch(
                (left, bottom),
                right - left,
                top - bottom,
                boxstyle="round,pad=0,rounding_size=0.15",
                fill=False,
                edgecolor=GREY,
                linewidth=1.2,
            )
        )
        ax.text(right - 0.1, bottom + 0.09, text, ha="right", va="bottom", fontsize=10, color=INK)
    for label, place in positions.items():
        if label in parameters:
            ax.add_patch(Circle(place, DOT, facecolor=INK, edgecolor=INK, zorder=3))
            ax.text(place[0], place[1] + 0.2, label, ha="center", va="bottom", fontsize=13)
        else:
            face = SEEN if label in observed else "white"
            ax.add_patch(Circle(place, RADIUS, facecolor=face, edgecolor=INK, linewidth=1.4, zorder=3))
            ax.text(*place, label, ha="center", va="center", fontsize=14, zorder=4)
    for a, b in edges:
        radii = [DOT if label in parameters else RADIUS for label in (a, b)]
        start, end = _between(positions[a], positions[b], *radii)
        look = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.4, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", xy=end, xytext=start, arrowprops=look)
    ax.set(xticks=[], yticks=[], aspect="equal")
    ax.spines[:].set_visible(False)
    ax.margins(0.05)
    ax.autoscale_view()


def _between(a: Place, b: Place, from_a: float, from_b: float) -> tuple[Place, Place]:
    """Return the ends of an arrow that leaves the rim around ``a`` and stops at the rim around ``b``."""
    length = hypot(b[0] - a[0], b[1] - a[1])
    dx, dy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
    return (a[0] + from_a * dx, a[1] + from_a * dy), (b[0] - from_b * dx, b[1] - from_b * dy)
