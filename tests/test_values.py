"""Records are values: equal by content, read-only, and anew after every kind of copy."""

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, replace
from io import BytesIO
from typing import Any

import joblib
import numpy as np
import pytest

from emvae._records import Record
from emvae.em import fit_em
from emvae.mixtures import BernoulliMixture, Beta, Dirichlet, GaussianMixture, InverseWishart


def by_joblib(value):
    file = BytesIO()
    joblib.dump(value, file)
    file.seek(0)
    return joblib.load(file)


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "joblib": by_joblib,
    "replace": replace,
}
X = np.random.default_rng(0).normal(size=(30, 2))
GAUSSIAN = GaussianMixture([0.5, 0.5], X[[0, 2]], np.array([np.eye(2)] * 2))
RECORDS = {
    "Gaussian": GAUSSIAN,
    "spherical": GaussianMixture([1.0], [[1.0, 2.0]], [[3.0]], min_variance=0.1, learn_weights=False),
    "tied, one component": GaussianMixture([1.0], [[1.0]], [[[3.0]]], covariance_type="tied"),
    "Bernoulli": BernoulliMixture([1.0], [[0.25, 0.5]], min_prob=0.1, dtype=np.float32),
    "statistics": GAUSSIAN.expect(X).statistics,
    "E-step": GAUSSIAN.expect(X),
    "fit": fit_em(GAUSSIAN, X, max_iter=2),
    "prior": InverseWishart([[2.0, 1.0], [1.0, 3.0]], 4.0),
    "product": Beta([1.0, 2.0], 3.0) * Dirichlet(2.0),
}


def arrays(value):
    """All arrays in a record, also in the records in it."""
    if isinstance(value, np.ndarray):
        yield value
    for name in getattr(value, "__dataclass_fields__", ()):
        yield from arrays(getattr(value, name))


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("name", RECORDS)
def test_a_copy_is_equal_and_as_frozen_as_its_original(name, how):
    record = RECORDS[name]
    other = COPIES[how](record)
    assert other == record
    assert not other != record
    assert type(other) is type(record)
    for array in (*arrays(record), *arrays(other)):
        assert not array.flags.writeable
    with pytest.raises(FrozenInstanceError):
        other.__setattr__(next(iter(record.__dataclass_fields__)), None)


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_computes_from_its_own_parameters(how):
    """What a model has cached is not handed on."""
    before = GAUSSIAN.log_evidence(X)
    other = COPIES[how](GAUSSIAN)
    with pytest.raises(ValueError, match="read-only"):
        other.means[0, 0] = 100.0
    moved = replace(other, means=other.means + 3.0)
    np.testing.assert_allclose(moved.log_evidence(X + 3.0), before, rtol=1e-12)
    np.testing.assert_array_equal(other.log_evidence(X), before)


def test_records_differ_where_any_entry_does():
    assert replace(GAUSSIAN, means=np.nextafter(GAUSSIAN.means, 9)) != GAUSSIAN
    assert replace(GAUSSIAN, learn_weights=False) != GAUSSIAN
    assert RECORDS["spherical"] != GAUSSIAN
    assert GaussianMixture([1.0], [[1.0]], [[[3.0]]]) != RECORDS["tied, one component"]
    assert RECORDS["Bernoulli"] != GAUSSIAN
    assert GAUSSIAN != "a mixture"


@dataclass(frozen=True, eq=False)
class Pair(Record):
    left: Any
    right: Any = None


def test_content_is_compared_entry_by_entry():
    assert Pair(np.array([1.0, np.nan])) == Pair(np.array([1.0, np.nan]))
    assert Pair(np.array([1.0, np.nan])) != Pair(np.array([1.0, 2.0]))
    assert Pair(np.ones(2)) != Pair(np.ones(3))
    assert Pair(np.ones(2)) != Pair(np.ones((1, 2)))
    assert Pair((1, np.ones(2))) == Pair((1, np.ones(2)))
    assert Pair((1, np.ones(2))) != Pair([1, np.ones(2)])
    assert Pair("a", float("nan")) == Pair("a", float("nan"))
    assert Pair("a") != Pair("b")
    assert Pair(None) != Pair(0.0)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Pair(1))


def test_the_callers_array_stays_the_callers():
    array = np.ones(3)
    record = Pair(array)
    array[0] = 5.0
    assert record.left[0] == 5.0
    assert record.left.base is array
