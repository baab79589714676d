"""The book's own figures: what one notebook alone draws, kept out of its cells and out of the package.

They lie beside the notebooks, so that ``import figures`` works wherever a notebook runs in its own folder:
under nbval and ``make notebooks``, in Jupyter, on Binder, in the course that a reader has downloaded. Each
function draws on the Axes it is given. It is called by a cell of the book that is tested, with arrays of
known shapes, so it checks none: what users draw of their own data is in ``emvae.plotting``.
"""

from figures.bit_images import plot_coins, plot_hand_step, plot_image_rows
from figures.bound_parts import plot_atoms, plot_density, plot_variance_pairs
from figures.gradient_noise import (
    plot_bell,
    plot_computation_graph,
    plot_gradient_clouds,
    plot_scaling,
)
from figures.plane_maps import plot_hole_map, plot_misplaced_code, plot_unit_square
from figures.responsibility_planes import plot_responsibility_plane
from figures.scores import plot_confusion, plot_model_selection
from figures.staircases import plot_elbo_staircase

__all__ = [
    "plot_atoms",
    "plot_bell",
    "plot_coins",
    "plot_computation_graph",
    "plot_confusion",
    "plot_density",
    "plot_elbo_staircase",
    "plot_gradient_clouds",
    "plot_hand_step",
    "plot_hole_map",
    "plot_image_rows",
    "plot_misplaced_code",
    "plot_model_selection",
    "plot_responsibility_plane",
    "plot_scaling",
    "plot_unit_square",
    "plot_variance_pairs",
]
