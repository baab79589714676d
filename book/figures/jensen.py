"""Jensen's inequality, drawn: a chord of the logarithm lies below it."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from emvae.plotting.style import COLOURS

BLUE, VERMILLION = COLOURS[:2]
GREY = "#777777"


def plot_jensen(ax: Axes, joint: ArrayLike, q: ArrayLike) -> float:
    """Draw the bound of one datum with two components as a point on a chord; return what it falls short by.

    The chord joins the points of the logarithm at ``joint[k] / q[k]``. Their mean under ``q`` is p(x): there
    the logarithm is ln p(x), and the chord is the ELBO. Both arguments have shape (2,). Derived in
    {eq}`eq-em-jensen`.
    """
    ratios, q = np.asarray(joint, dtype=float) / np.asarray(q, dtype=float), np.asarray(q, dtype=float)
    evidence, bound = float(q @ ratios), float(q @ np.log(ratios))
    grid = np.linspace(0.35, 1.9, 200) * evidence
    ax.plot(grid, np.log(grid), color="black", label="logarithm")
    ax.plot(ratios, np.log(ratios), "o-", color=BLUE, label="chord", zorder=3)
    ax.plot([evidence] * 2, [bound, np.log(evidence)], color=VERMILLION, linewidth=3, zorder=4)
    ax.plot(evidence, np.log(evidence), "o", color="black", zorder=5)
    ax.plot(evidence, bound, "D", color=VERMILLION, ms=7, mec="white", zorder=6)
    away: dict[str, Any] = {"textcoords": "offset points", "fontsize": 10}
    ax.annotate(r"$\ln p(x)$", (evidence, np.log(evidence)), (-6, 7), ha="right", **away)
    gap = float(np.log(evidence) - bound)
    text = f"ELBO, {gap:.3f} below" if gap > 1e-9 else "ELBO"
    ax.annotate(text, (evidence, bound), (10, -7), color=VERMILLION, ha="left", va="top", **away)
    low = np.log(grid[0])
    ax.plot([evidence] * 2, [low, bound], color=GREY, linewidth=0.8, linestyle=":", zorder=1)
    ax.set(xlim=(grid[0], grid[-1]), ylim=(low, np.log(grid[-1]) + 0.12))
    return gap
