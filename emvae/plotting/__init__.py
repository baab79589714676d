"""Figures in one style: each function draws on the Axes it is given, fits and shows nothing."""

from emvae.plotting.bounds import (
    plot_atoms,
    plot_bounds_against_samples,
    plot_density,
    plot_variance_pairs,
)
from emvae.plotting.codes import plot_misplaced_code, plot_prior_circles
from emvae.plotting.ellipses import plot_data, plot_ellipses
from emvae.plotting.gradients import (
    plot_bell,
    plot_computation_graph,
    plot_gradient_clouds,
    plot_scaling,
)
from emvae.plotting.images import plot_confusion, plot_images
from emvae.plotting.latents import (
    plot_codes,
    plot_hole_map,
    plot_mosaic,
    plot_unit_square,
)
from emvae.plotting.planes import plot_responsibility_plane
from emvae.plotting.style import component_colours, mix_colours, use_style
from emvae.plotting.traces import plot_convergence, plot_elbo_staircase, plot_model_selection

__all__ = [
    "component_colours",
    "mix_colours",
    "plot_atoms",
    "plot_bell",
    "plot_bounds_against_samples",
    "plot_codes",
    "plot_computation_graph",
    "plot_confusion",
    "plot_convergence",
    "plot_data",
    "plot_density",
    "plot_elbo_staircase",
    "plot_ellipses",
    "plot_gradient_clouds",
    "plot_hole_map",
    "plot_images",
    "plot_misplaced_code",
    "plot_model_selection",
    "plot_mosaic",
    "plot_prior_circles",
    "plot_responsibility_plane",
    "plot_scaling",
    "plot_unit_square",
    "plot_variance_pairs",
    "use_style",
]
