"""The latent space: codes against the prior, evidence by quadrature, where inference and samples fail."""

import emvae._torch  # noqa: F401  (first: it says how to get torch)
from emvae.latents.amortisation import AmortisationGaps, amortisation_gaps
from emvae.latents.classifier import DigitClassifier, digit_classifier
from emvae.latents.codes import Codes, aggregate_posterior, encode
from emvae.latents.estimates import Estimate, Proportion
from emvae.latents.holes import HoleMap, HoleMass, hole_map, hole_mass, log_density_ratio
from emvae.latents.plane import inverse_cdf_mesh, log_likelihood_table, to_unit_square
from emvae.latents.quadrature import Quadrature, log_evidence_by_quadrature
from emvae.latents.surgery import ELBOSurgery, elbo_surgery
from emvae.latents.trained import digit_vae
from emvae.latents.units import ActiveUnits, active_units

__all__ = [
    "ActiveUnits",
    "AmortisationGaps",
    "Codes",
    "DigitClassifier",
    "ELBOSurgery",
    "Estimate",
    "HoleMap",
    "HoleMass",
    "Proportion",
    "Quadrature",
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
