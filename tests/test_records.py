"""Public records are the values they look like: ==, hash, copies and pickles of real instances.

Every public dataclass is tried, found by walking the modules. Each is filled by its fields' types, or, where
it checks what it is given, by the function of the package that makes it.
"""

import copy
import importlib
import inspect
import pickle
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
import torch

from emvae import mixtures
from emvae.elbo import discrete_elbo
from emvae.em import EStep, em_steps, fit_em
from emvae.latents import Estimate, Proportion
from emvae.mixtures import BernoulliMixture, GaussianMixture
from tests.signatures import MODULES, compares_by_value


def public_records():
    modules = [importlib.import_module(f"emvae.{name}") for name in MODULES]
    values = {getattr(module, name) for module in modules for name in module.__all__}
    records = [v for v in values if inspect.isclass(v) and is_dataclass(v) and not inspect.isabstract(v)]
    return sorted(records, key=lambda record: record.__name__)


def gaussian(rng):
    covariances = np.eye(2) + rng.uniform(size=(2, 1, 1))
    return GaussianMixture(rng.dirichlet([5.0, 5.0]), rng.normal(size=(2, 2)), covariances)


def bernoulli(rng):
    return BernoulliMixture(rng.dirichlet([5.0, 5.0]), rng.uniform(0.2, 0.8, size=(2, 3)))


def data(rng):
    return rng.normal(size=(12, 2))


def bits(rng):
    return rng.integers(0, 2, size=(12, 3))


HALVES = np.full((12, 2), 0.5)
MAKERS = {  # of one random state, so that equal states give equal content
    "GaussianMixture": gaussian,
    "BernoulliMixture": bernoulli,
    "EStep": lambda rng: EStep(gaussian(rng).statistics(data(rng), HALVES), rng.normal()),
    "EMIteration": lambda rng: next(em_steps(gaussian(rng), data(rng))),
    "EMFit": lambda rng: fit_em(gaussian(rng), data(rng), max_iter=3),
    "GaussianStatistics": lambda rng: gaussian(rng).statistics(data(rng), HALVES),
    "BernoulliStatistics": lambda rng: bernoulli(rng).statistics(bits(rng), HALVES),
    "Dirichlet": lambda rng: mixtures.Dirichlet(1 + rng.uniform(size=2)),
    "Beta": lambda rng: mixtures.Beta(1 + rng.uniform(), 2.0),
    "InverseWishart": lambda rng: mixtures.InverseWishart(np.eye(2) * (1 + rng.uniform()), 5.0),
    "ELBO": lambda rng: discrete_elbo(gaussian(rng), data(rng), HALVES),
    "Estimate": lambda rng: Estimate.of(rng.normal(size=9)),
    "Proportion": lambda rng: Proportion.of(rng.normal(size=(9 + rng.integers(90))) > 0),
}
ABSTRACT = {"Mixture"}  # a family inherits from it; it has no log_likelihood of its own
BY_TYPE = {
    "Array": lambda rng: rng.uniform(size=(3, 2)),
    "Tensor": lambda rng: torch.tensor(rng.uniform(size=(3, 2))),
    "float": lambda rng: float(rng.uniform(0.1, 0.4)),
    "int": lambda rng: int(rng.integers(2, 10**6)),
    "bool": lambda rng: True,
    "str": lambda rng: f"reason {rng.integers(10**6)}",
}
GUESSES = [(("Tensor",), "Tensor"), (("Array", "Bytes", "Integers", "NDArray", "array"), "Array")]
RECORDS = [record for record in public_records() if record.__name__ not in ABSTRACT]


def make(record, seed):
    """A record whose content follows from the seed."""
    rng = np.random.default_rng(seed)
    if maker := MAKERS.get(record.__name__):
        return maker(rng)
    return record(**{field.name: fill(field, rng) for field in fields(record) if field.init})


def fill(field, rng):
    kind = getattr(field.type, "__name__", None) if isinstance(field.type, type) else str(field.type)
    for words, choice in GUESSES:
        if "Callable" not in kind and any(word in kind for word in words):
            return BY_TYPE[choice](rng)
    if kind in BY_TYPE:
        return BY_TYPE[kind](rng)
    return field.default  # a choice, such as the form of a bound


def arrays(record):
    return {f.name: v for f in fields(record) if isinstance(v := getattr(record, f.name), np.ndarray)}


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda record: pickle.loads(pickle.dumps(record)),
}


def test_there_are_records_to_try():
    assert len(RECORDS) >= 25
    assert {record.__name__ for record in RECORDS} >= MAKERS.keys()


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_records_compare_as_the_list_of_signatures_says(record):
    one, twin, other = make(record, 0), make(record, 0), make(record, 1)
    assert one == one
    assert one != other or not fields(record) or record.__name__ in SAME_FOR_EVERY_SEED
    if compares_by_value(record):
        assert (one == twin) is True
        assert (one != twin) is False
        assert one != "another thing"
        if record.__hash__ is not None and not arrays(one):
            assert hash(one) == hash(twin)
    else:
        assert one != twin


SAME_FOR_EVERY_SEED = {"ReconstructionError"}  # its one field is a truth value


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
@pytest.mark.parametrize("way", COPIES.values(), ids=COPIES.keys())
def test_a_copy_has_the_content_of_its_original_and_is_as_frozen(record, way):
    one = make(record, 0)
    other = way(one)
    if compares_by_value(record):
        assert one == other
    assert arrays(one).keys() == arrays(other).keys()
    for name, array in arrays(one).items():
        np.testing.assert_array_equal(array, arrays(other)[name])
        assert arrays(other)[name].flags.writeable == array.flags.writeable, name


@pytest.mark.parametrize("model", [gaussian, bernoulli])
@pytest.mark.parametrize("way", COPIES.values(), ids=COPIES.keys())
def test_a_copied_model_can_not_be_changed_and_derives_its_own_numbers(model, way):
    """Once a copy could be written to and went on with the factors of its original."""
    one = model(np.random.default_rng(0))
    x = (data if model is gaussian else bits)(np.random.default_rng(1))
    before = one.log_evidence(x)
    other = way(one)
    np.testing.assert_array_equal(other.log_evidence(x), before)
    for array in arrays(other).values():
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.25
