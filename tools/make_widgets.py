"""Export from emvae what the live figures of the book need: data and static pictures.

`make widgets` writes into book/_static/live; run by hand, result committed. Each figure is a module of
tools/widgets with a function ``data`` and, but for what all figures share, one that draws its ``picture``.
Names as arguments make those figures alone.
"""

from __future__ import annotations

import sys
from types import ModuleType

import matplotlib as mpl

from emvae.latents import digit_vae
from tools.widgets import (
    bits_figure,
    em_figure,
    gradients_figure,
    latent_figure,
    quantised_networks,
    responsibilities_figure,
    shared_constants,
)
from tools.widgets.live_files import save_data, save_picture

FIGURES: dict[str, ModuleType] = {
    "shared": shared_constants,
    "responsibilities": responsibilities_figure,
    "em": em_figure,
    "bits": bits_figure,
    "gradients": gradients_figure,
    "latent": latent_figure,
}


def main(names: list[str]) -> None:
    """Write the files of the figures of these names, or of all.

    Raises
    ------
    ValueError : there is no figure of a name.
    """
    if unknown := sorted(set(names) - set(FIGURES)):
        raise ValueError(f"no live figure {unknown}: choose among {', '.join(FIGURES)}")
    mpl.use("Agg")
    for name in names or FIGURES:
        if name == "latent":
            quantised_networks.save(digit_vae())  # with these its map is computed
        save_data(name, FIGURES[name].data())
        if hasattr(FIGURES[name], "picture"):
            save_picture(name, FIGURES[name].picture())


if __name__ == "__main__":
    main(sys.argv[1:])
