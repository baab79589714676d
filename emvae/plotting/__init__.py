"""Figures in one style: each function draws on the Axes it is given, fits and shows nothing."""

from emvae.plotting.style import component_colours, mix_colours, use_style

__all__ = ["component_colours", "mix_colours", "use_style"]
