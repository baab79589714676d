"""Figures in one style: each function draws on the Axes it is given, fits and shows nothing."""

from emvae.plotting.ellipses import plot_ellipses, plot_prior_circles
from emvae.plotting.images import plot_images, plot_mosaic
from emvae.plotting.points import plot_codes, plot_data
from emvae.plotting.style import component_colours, mix_colours, use_style

__all__ = [
    "component_colours",
    "mix_colours",
    "plot_codes",
    "plot_data",
    "plot_ellipses",
    "plot_images",
    "plot_mosaic",
    "plot_prior_circles",
    "use_style",
]
