"""What the latent space and the bounds return are values: fixed, equal by content, the same after a copy."""

import copy
import dataclasses
import pickle

import joblib
import numpy as np
import pytest
import torch

from emvae.bounds import elbo_analytic_kl, importance_weighted_bound
from emvae.latents import (
    active_units,
    aggregate_posterior,
    amortisation_gaps,
    elbo_surgery,
    encode,
    hole_map,
    hole_mass,
    log_evidence_by_quadrature,
)
from tests.latents.models import bernoulli_vae, bits, generator

VAE, X = bernoulli_vae(), bits(6)


def rng():
    return np.random.default_rng(0)


MAKERS = {
    "Codes": lambda x: encode(VAE, x),
    "ActiveUnits": lambda x: active_units(VAE, x),
    "AmortisationGaps": lambda x: amortisation_gaps(VAE, x),
    "ELBOSurgery": lambda x: elbo_surgery(aggregate_posterior(VAE, x), n_samples=9, rng=rng()),
    "HoleMap": lambda x: hole_map(aggregate_posterior(VAE, x), n_side=5),
    "HoleMass": lambda x: hole_mass(aggregate_posterior(VAE, x), n_samples=9, rng=rng()),
    "Quadrature": lambda x: log_evidence_by_quadrature(VAE, x),
    "ImportanceWeightedBound": lambda x: importance_weighted_bound(
        VAE, x, n_samples=3, generator=generator()
    ),
    "DivergenceForm": torch.no_grad()(lambda x: elbo_analytic_kl(VAE, x, generator=generator())),
}


def through_joblib(record, path):
    joblib.dump(record, path / "record")
    return joblib.load(path / "record")


COPIES = {
    "copy": lambda record, path: copy.copy(record),
    "deepcopy": lambda record, path: copy.deepcopy(record),
    "pickle": lambda record, path: pickle.loads(pickle.dumps(record)),
    "joblib": through_joblib,
}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("kind", MAKERS)
def test_a_copy_is_the_same_value_and_as_fixed(kind, way, tmp_path):
    record = MAKERS[kind](X)
    assert type(record).__name__ == kind
    for value in (record, COPIES[way](record, tmp_path)):
        assert value == record
        for field in dataclasses.fields(value):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(value, field.name, None)
            if isinstance(array := getattr(value, field.name), np.ndarray):
                with pytest.raises(ValueError, match="read-only"):
                    array[...] = 0


@pytest.mark.parametrize("kind", MAKERS)
def test_records_are_equal_by_content(kind):
    record = MAKERS[kind](X)
    assert record == MAKERS[kind](X)
    assert record != MAKERS[kind](1 - X)
