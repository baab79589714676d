"""Bad input meets one clear error with its remedy, before any work."""

import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Independent, Laplace, LogNormal, MultivariateNormal, Normal

from emvae.autoencoders import VAE
from emvae.latents import (
    Estimate,
    Proportion,
    active_units,
    aggregate_posterior,
    amortisation_gaps,
    elbo_surgery,
    encode,
    hole_map,
    hole_mass,
    inverse_cdf_mesh,
    log_density_ratio,
    log_evidence_by_quadrature,
    log_likelihood_table,
    to_unit_square,
)
from emvae.mixtures import GaussianMixture
from tests.latents.models import bernoulli_vae, bits

REMEDY = re.compile(r"\b(pass|drop|choose|should|make|raise|lower|divide|binarise)\b")
VAE_2D, X = bernoulli_vae(), bits(4)
Z = torch.zeros(3, 2, dtype=torch.float64)
AGGREGATE = aggregate_posterior(VAE_2D, X)
LINE = GaussianMixture([1.0], [[0.0]], [[1.0]])


def rng():
    return np.random.default_rng(0)


WAYS_IN = {
    "encode": lambda vae, x: encode(vae, x),
    "aggregate_posterior": lambda vae, x: aggregate_posterior(vae, x),
    "active_units": lambda vae, x: active_units(vae, x),
    "log_likelihood_table": lambda vae, x: log_likelihood_table(vae, x, Z),
    "log_evidence_by_quadrature": lambda vae, x: log_evidence_by_quadrature(vae, x),
    "amortisation_gaps": lambda vae, x: amortisation_gaps(vae, x),
}
BAD_DATA = {
    "an array": (X.numpy(), "x is a ndarray: pass a torch.Tensor"),
    "one datum without its axis": (X[0], "x is 1-d: pass"),
    "no data": (X[:0], r"x is empty with shape \(0, 6\): pass"),
    "too few features": (X[:, :5], "x has 5 features, the model has 6: pass"),
    "integers": (X.long(), "x has dtype torch.int64: pass floats"),
    "NaN": (torch.full_like(X, torch.nan), "x holds nan in row 0, column 0: drop"),
    "twos": (2 * torch.ones_like(X), "x holds 2 in row 0, column 0, the decoder models bits: binarise"),
}


@pytest.mark.parametrize("way_in", WAYS_IN.values(), ids=WAYS_IN)
@pytest.mark.parametrize(("x", "message"), BAD_DATA.values(), ids=BAD_DATA)
def test_bad_data_are_refused_wherever_they_come_in(way_in, x, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        way_in(VAE_2D, x)


@pytest.mark.parametrize("n_latent", [1, 3])
@pytest.mark.parametrize("name", ["log_evidence_by_quadrature", "amortisation_gaps"])
def test_the_tools_of_the_plane_want_a_plane(name, n_latent):
    plural = "s" if n_latent > 1 else ""
    message = f"^the latent has {n_latent} dimension{plural}: pass a model with a latent of dimension 2"
    with pytest.raises(ValueError, match=message):
        WAYS_IN[name](bernoulli_vae(n_latent), X)


class Returns(nn.Module):
    """An encoder that returns a distribution made of x and its width."""

    def __init__(self, make):
        super().__init__()
        self.make = make

    def forward(self, x):
        return self.make(x[:, :2], torch.ones_like(x[:, :2]))


NOT_GAUSSIAN = {
    "Laplace": lambda loc, scale: Independent(Laplace(loc, scale), 1),  # it has mean and variance, too
    "LogNormal": lambda loc, scale: Independent(LogNormal(loc, scale), 1),
    "Normal": Normal,  # one event an entry, not one a row
    "MultivariateNormal": lambda loc, scale: MultivariateNormal(loc[0], torch.diag(scale[0])),  # one for all
}


@pytest.mark.parametrize("kind", NOT_GAUSSIAN)
@pytest.mark.parametrize("name", ["encode", "aggregate_posterior", "active_units", "amortisation_gaps"])
def test_a_q_that_is_no_gaussian_for_each_row_is_refused(name, kind):
    vae = VAE(VAE_2D.prior, Returns(NOT_GAUSSIAN[kind]), VAE_2D.decoder)
    with pytest.raises(
        ValueError, match=rf"^q\(z \| x\) is a {kind} with batch shape .*: pass a model whose"
    ):
        WAYS_IN[name](vae, X)


NOT_WHOLE, NOT_POSITIVE = "is not an integer: pass a whole number", "it should be at least 1"
CALLS = {
    "active_units of one": (lambda: active_units(VAE_2D, X[:1]), "x holds one datum: pass at least two"),
    "negative threshold": (
        lambda: active_units(VAE_2D, X, threshold=-1),
        "threshold = -1: it should be finite",
    ),
    "surgery with no draws": (
        lambda: elbo_surgery(AGGREGATE, n_samples=0, rng=rng()),
        "n_samples = 0: it should be at least 2",
    ),
    "surgery with one draw": (
        lambda: elbo_surgery(AGGREGATE, n_samples=1, rng=rng()),
        "n_samples = 1: it should be at least 2",
    ),
    "surgery with a seed": (
        lambda: elbo_surgery(AGGREGATE, n_samples=9, rng=0),
        "rng is a int: pass a numpy Generator",
    ),
    "surgery with a torch generator": (
        lambda: elbo_surgery(AGGREGATE, n_samples=9, rng=torch.Generator()),
        "rng is a Generator: pass a numpy Generator",
    ),
    "surgery with a prior of another dimension": (
        lambda: elbo_surgery(AGGREGATE, n_samples=9, rng=rng(), prior=LINE),
        "prior has 1 dimensions, the codes have 2: pass",
    ),
    "ratio with a prior of another dimension": (
        lambda: log_density_ratio(AGGREGATE, np.zeros((1, 2)), prior=LINE),
        "prior has 1 dimensions, the codes have 2: pass",
    ),
    "ratio at points of another dimension": (
        lambda: log_density_ratio(AGGREGATE, np.zeros((1, 3))),
        "x has 3 features, the model has 2: pass",
    ),
    "map of a line": (lambda: hole_map(LINE), "the latent has 1 dimension: pass a model"),
    "map of no width": (lambda: hole_map(AGGREGATE, half_width=0), "half_width = 0: it should be positive"),
    "map of negative width": (lambda: hole_map(AGGREGATE, half_width=-1), "half_width = -1: it should be"),
    "map of one point": (lambda: hole_map(AGGREGATE, n_side=1), "n_side = 1: it should be at least 2"),
    "mass with no draws": (
        lambda: hole_mass(AGGREGATE, n_samples=0, rng=rng()),
        f"n_samples = 0: {NOT_POSITIVE}",
    ),
    "mass with a seed": (lambda: hole_mass(AGGREGATE, n_samples=9, rng=1), "rng is a int: pass"),
    "mass below NaN": (
        lambda: hole_mass(AGGREGATE, n_samples=9, rng=rng(), threshold=np.nan),
        "threshold = nan: it should be finite",
    ),
    "mass of another dimension": (
        lambda: hole_mass(AGGREGATE, n_samples=9, rng=rng(), prior=LINE),
        "prior has 1 dimensions",
    ),
    "mesh of no points": (lambda: inverse_cdf_mesh(0), f"n_side = 0: {NOT_POSITIVE}"),
    "mesh of 2.5 points": (lambda: inverse_cdf_mesh(2.5), f"n_side = 2.5 {NOT_WHOLE}"),
    "unit square of space": (
        lambda: to_unit_square(np.zeros((4, 3))),
        r"z has shape \(4, 3\): it should be \(any, 2\)",
    ),
    "unit square of NaN": (lambda: to_unit_square(np.full((4, 2), np.nan)), "z holds NaN or infinity: pass"),
    "table at points in space": (
        lambda: log_likelihood_table(VAE_2D, X, Z[:, :1]),
        r"z has shape \(3, 1\): pass points of shape \(M, 2\)",
    ),
    "table with samples first": (
        lambda: log_likelihood_table(VAE_2D, X, Z[None]),
        r"z has shape \(1, 3, 2\): pass points",
    ),
    "quadrature without tolerance": (
        lambda: log_evidence_by_quadrature(VAE_2D, X, tol=0),
        "tol = 0: it should be positive",
    ),
    "quadrature with a negative tolerance": (
        lambda: log_evidence_by_quadrature(VAE_2D, X, tol=-1e-3),
        "tol = -0.001: it should be finite and not negative",
    ),
    "quadrature on nothing": (
        lambda: log_evidence_by_quadrature(VAE_2D, X, half_width=0),
        "half_width = 0: it should be positive",
    ),
    "quadrature on one mesh": (
        lambda: log_evidence_by_quadrature(VAE_2D, X, max_levels=1),
        "max_levels = 1: it should be at least 2",
    ),
    "search on nothing": (
        lambda: amortisation_gaps(VAE_2D, X, half_width=0),
        "half_width = 0: it should be positive",
    ),
    "an estimate of one": (lambda: Estimate.of([1.0]), r"samples have shape \(1,\): pass at least two"),
    "an estimate of a table": (lambda: Estimate.of(np.ones((3, 2))), r"samples have shape \(3, 2\): pass"),
    "a share of numbers": (lambda: Proportion.of([0, 1]), "events have dtype int64 .* pass a row of truth"),
    "a share of nothing": (
        lambda: Proportion.of(np.zeros(0, dtype=bool)),
        r"events have dtype bool and shape \(0,\): pass",
    ),
    "a share of a table": (lambda: Proportion.of(np.ones((2, 2), dtype=bool)), "events have dtype bool and"),
}


@pytest.mark.parametrize(("call", "message"), CALLS.values(), ids=CALLS)
def test_a_bad_argument_is_named_with_its_remedy(call, message):
    with pytest.raises(ValueError, match=f"^{message}") as caught:
        call()
    assert REMEDY.search(str(caught.value)) is not None
