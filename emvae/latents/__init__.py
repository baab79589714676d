"""The latent space: codes against the prior, evidence by quadrature, where inference and samples fail."""

import emvae._torch  # noqa: F401  (first: it says how to get torch)
from emvae.latents.amortisation import amortisation_gaps
from emvae.latents.classifier import digit_classifier
from emvae.latents.codes import Codes, aggregate_posterior, encode
from emvae.latents.estimates import Estimate, Proportion
from emvae.latents.holes import hole_map, hole_mass, log_density_ratio
from emvae.latents.plane import inverse_cdf_mesh, log_likelihood_table, to_unit_square
from emvae.latents.quadrature import log_evidence_by_quadrature
from emvae.latents.surgery import ELBOSurgery, elbo_surgery
from emvae.latents.trained import digit_vae
from emvae.latents.units import active_units

__all__ = [
    "Codes",
    "ELBOSurgery",
    "Estimate",
    "Proportion",
    "active_units",
    "aggregate_posterior",
    "amortisation_gaps",
    "digit_classifier",
    "digit_vae",
    "elbo_surgery",
    "encode",
    "hole_map",
    "hole_mass",
    "inverse_cdf_mesh",
    "log_density_ratio",
    "log_evidence_by_quadrature",
    "log_likelihood_table",
    "to_unit_square",
]
