"""One style: a sheet of matplotlib settings, and colours that most eyes tell apart."""

from collections.abc import Sequence
from importlib.resources import as_file, files

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import ArrayLike, NDArray

COLOURS: Sequence[str] = (
    "#0072B2",  # blue
    "#D55E00",  # vermillion
    "#009E73",  # bluish green
    "#9B30E8",  # violet
    "#6B3A00",  # brown
    "#CC6FA6",  # pink
    "#000000",  # black
    "#900060",  # wine
    "#102090",  # navy
    "#F00050",  # crimson
)
"""Three of Okabe and Ito's, then others: of a contrast of 3 with white, and apart for colour-blind eyes."""


def use_style() -> None:
    """Set matplotlib to the style of the book."""
    with as_file(files("emvae.plotting") / "emvae.mplstyle") as sheet:
        plt.style.use(str(sheet))


def component_colours(n_components: int) -> NDArray[np.float64]:
    """Return one colour per component, (K, 3) RGB in [0, 1]: of ten, or of viridis where there are more.

    Each stands out from white paper with a contrast of at least 3, and most eyes tell the ten apart,
    colour-blind ones too.

    Parameters
    ----------
    n_components : K.

    Notes
    -----
    Source: Wong (2011), Points of view: color blindness, for the first three; the others were searched for
    with the model of Machado, Oliveira and Fernandes (2009).
    """
    if n_components <= len(COLOURS):
        return np.array([to_rgb(colour) for colour in COLOURS[:n_components]])
    return plt.get_cmap("viridis")(np.linspace(0, 0.6, n_components))[:, :3]


def mix_colours(resp: ArrayLike) -> NDArray[np.float64]:
    """Mix component colours by responsibility: ``sum_k r_nk colour_k``.

    Parameters
    ----------
    resp : (..., K) responsibilities, rows that sum to one.

    Returns
    -------
    colours : (..., 3) RGB in [0, 1].
    """
    resp = np.asarray(resp, dtype=float)
    return np.clip(resp @ component_colours(resp.shape[-1]), 0.0, 1.0)
