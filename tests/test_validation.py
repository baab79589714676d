"""Bad input meets one clear error before any work; odd but honest input meets none."""

import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch

from emvae.checks import report, standard_errors
from emvae.elbo import discrete_elbo
from emvae.em import em_steps, fit_em, fit_em_restarts
from emvae.mixtures import BernoulliMixture, GaussianMixture, initial_responsibilities
from emvae.responsibilities import log_normalize, normalize, responsibilities
from tests.models import COVARIANCE_TYPES, METHODS, PoissonMixture, random_gaussian_mixture

REMEDY = re.compile(r"\b(pass|drop|choose|should be|make|raise|lower|clip|binarise|divide|add)\b")

X = np.random.default_rng(0).normal(size=(20, 2))
BITS = (X > 0).astype(int)
RESP = np.full((20, 2), 0.5)
GAUSSIAN = GaussianMixture([0.5, 0.5], [[0, 0], [1, 1]], [np.eye(2), np.eye(2)])
BERNOULLI = BernoulliMixture([0.5, 0.5], [[0.3, 0.4], [0.6, 0.7]])


def rng():
    return np.random.default_rng(0)


def with_entry(array, value):
    changed = np.array(array, dtype=float)
    changed[13, 1] = value
    return changed


def frame(**columns):
    return pd.DataFrame({"a": [1] * 20} | columns)


try:  # the real one where it is installed; it is too large (170 MB) to ask for
    from polars import LazyFrame
except ModuleNotFoundError:

    class LazyFrame:
        """A stand-in for that of polars 2.1: numpy sees no numbers in it, collect() has them."""

        def __init__(self, rows):
            self._rows = rows

        def collect(self):
            return np.asarray(self._rows)


# --- bad data: every way in refuses it

WAYS_IN = {
    "gaussian.initialise": lambda x: GaussianMixture.initialise(x, 2, rng=rng()),
    "bernoulli.initialise": lambda x: BernoulliMixture.initialise(x, 2, rng=rng()),
    "initial_responsibilities": lambda x: initial_responsibilities(x, 2, rng=rng()),
    "random responsibilities": lambda x: initial_responsibilities(
        x, 2, rng=rng(), method="random-responsibilities"
    ),
    "gaussian.log_likelihood": GAUSSIAN.log_likelihood,
    "gaussian.log_joint": GAUSSIAN.log_joint,
    "gaussian.log_evidence": GAUSSIAN.log_evidence,
    "gaussian.log_posterior": GAUSSIAN.log_posterior,
    "gaussian.responsibilities": GAUSSIAN.responsibilities,
    "gaussian.statistics": lambda x: GAUSSIAN.statistics(x, RESP),
    "gaussian.bic": GAUSSIAN.bic,
    "gaussian.aic": GAUSSIAN.aic,
    "bernoulli.log_likelihood": BERNOULLI.log_likelihood,
    "bernoulli.responsibilities": BERNOULLI.responsibilities,
    "bernoulli.statistics": lambda x: BERNOULLI.statistics(x, RESP),
    "discrete_elbo": lambda x: discrete_elbo(GAUSSIAN, x, RESP),
    "expect": lambda x: GAUSSIAN.expect(x),
    "expect of four methods": lambda x: PoissonMixture(np.ones(1), np.ones((1, 2))).expect(x),
    "em_steps": lambda x: next(em_steps(GAUSSIAN, x)),
    "fit_em gaussian": lambda x: fit_em(GAUSSIAN, x),
    "fit_em bernoulli": lambda x: fit_em(BERNOULLI, x),
    "fit_em_restarts": lambda x: fit_em_restarts([GAUSSIAN], x),
}

BAD_DATA = {
    "NaN": (with_entry(BITS, np.nan), r"x holds nan in row 13, column 1: drop or impute"),
    "infinity": (with_entry(BITS, np.inf), r"x holds inf in row 13, column 1: drop or impute"),
    "minus infinity": (with_entry(BITS, -np.inf), r"x holds -inf in row 13, column 1: drop or impute"),
    "both infinities": (
        with_entry(np.where(np.arange(20)[:, None] == 15, -np.inf, BITS), np.inf),
        r"x holds inf in row 13, column 1: drop",
    ),
    "1-d": (np.zeros(20), r"x is 1-d: pass a 2-d array .* x\.reshape\(-1, 1\)"),
    "0-d": (np.float64(3.0), r"x is 0-d: pass a 2-d array"),
    "3-d": (np.zeros((20, 2, 2)), r"x is 3-d: pass a 2-d array"),
    "no rows": (np.zeros((0, 2)), r"x is empty with shape \(0, 2\): pass at least one datum"),
    "no columns": (np.zeros((20, 0)), r"x is empty with shape \(20, 0\): pass"),
    "strings": (np.array([["a", "b"]] * 20), r"x has dtype <U1: pass real numbers"),
    "objects": (np.array([[None, 1.0]] * 20), r"x has dtype object: pass real numbers"),
    "complex": (np.ones((20, 2), dtype=complex), r"x has dtype complex128: pass real numbers"),
    "dates": (np.zeros((20, 2), dtype="datetime64[D]"), r"x has dtype datetime64\[D\]: pass real numbers"),
    "a frame of strings": (frame(b=["x"] * 20), r"x has a column 'b' of dtype str: encode it as numbers"),
    "a frame of classes": (frame(b=pd.Categorical(["x"] * 20)), r"x has a column 'b' of dtype category: enc"),
    "a frame of dates": (frame(b=[pd.Timestamp(2026, 1, 1)] * 20), r"x has a column 'b' of dtype datetime64"),
    "missing integers": (
        frame(b=pd.array([*[1] * 13, None, *[1] * 6], dtype="Int64")),
        r"x holds nan in row 13, column 1: drop or impute",
    ),
    "missing bits": (
        frame(b=pd.array([*[True] * 13, None, *[True] * 6], dtype="boolean")),
        r"x holds nan in row 13, column 1: drop or impute",
    ),
    "a mask": (np.ma.masked_greater(BITS, 0), r"x has masked entries, which would be taken for data: drop"),
    "rows with a mask": (list(np.ma.masked_greater(BITS, 0)), r"x has masked entries, which would be taken"),
    "rows of unequal length": ([[1, 0]] * 19 + [[1]], r"x is not an array of real numbers: pass numbers, in"),
    "a sparse matrix": (
        scipy.sparse.csr_matrix(BITS),
        r"x \(a scipy csr_matrix\) is not an array of real numbers: pass x\.toarray\(\), if that fits",
    ),
    "a sparse array": (
        scipy.sparse.coo_array(BITS),
        r"x \(a scipy coo_array\) is not an array of real numbers: pass x\.toarray\(\), if that fits",
    ),
    "a tensor with a gradient": (
        torch.tensor(BITS, dtype=torch.float64, requires_grad=True),
        r"x \(a torch Tensor\) is not an array of real numbers: pass x\.detach\(\)\.cpu\(\)",
    ),
    "a tensor of half digits": (
        torch.tensor(BITS, dtype=torch.bfloat16),
        r"x \(a torch Tensor\) is not an array of real numbers: pass x\.detach\(\)\.cpu\(\)",
    ),
    "a generator": (iter(BITS.tolist()), r"x has dtype object: pass real numbers"),
    "times": (np.zeros((20, 2), dtype="timedelta64[s]"), r"x has dtype timedelta64\[s\]: pass real numbers"),
    "a lazy frame": (
        LazyFrame(BITS),
        r"x \(a \w+ LazyFrame\) is not an array of real numbers: pass x\.collect\(\)",
    ),
}


@pytest.mark.parametrize("way_in", WAYS_IN.values(), ids=WAYS_IN.keys())
@pytest.mark.parametrize(("x", "message"), BAD_DATA.values(), ids=BAD_DATA.keys())
def test_bad_data_are_refused_wherever_they_come_in(x, message, way_in):
    with pytest.raises(ValueError, match=f"^{message}"):
        way_in(x)


FITTED_WAYS_IN = [n for n in WAYS_IN if not ("initial" in n or "random" in n or "four" in n)]


@pytest.mark.parametrize("name", FITTED_WAYS_IN)
@pytest.mark.parametrize("n_features", [1, 3])
def test_data_of_another_dimension_are_refused(name, n_features):
    message = f"^x has {n_features} features, the model has 2: pass data of the dimension"
    with pytest.raises(ValueError, match=message):
        WAYS_IN[name](np.zeros((20, n_features)))


BERNOULLI_WAYS_IN = [name for name in WAYS_IN if "bernoulli" in name]


@pytest.mark.parametrize("name", BERNOULLI_WAYS_IN)
@pytest.mark.parametrize(
    "x",
    [
        BITS * 255,
        BITS * 2,
        BITS.astype(np.uint8) * 2,
        BITS * 0.5,
        BITS - 1,
        -BITS,
        with_entry(BITS, 1 + 1e-9),
    ],
    ids=["grey levels", "twos", "twos in bytes", "halves", "minus one", "minus one or zero", "one entry"],
)
def test_what_is_not_bits_is_refused(name, x):
    with pytest.raises(ValueError, match=r"^x holds values other than 0 and 1: binarise grey levels first"):
        WAYS_IN[name](x)


def test_the_row_named_is_the_row_of_the_data_not_of_its_block(monkeypatch):
    monkeypatch.setattr(GaussianMixture, "block_rows", 5)
    with pytest.raises(ValueError, match=r"^x holds nan in row 13, column 1"):
        fit_em(GAUSSIAN, with_entry(X, np.nan))
    monkeypatch.setattr(PoissonMixture, "block_rows", 5)
    with pytest.raises(ValueError, match=r"^x holds nan in row 13, column 1"):
        fit_em(PoissonMixture(np.ones(1), np.ones((1, 2))), with_entry(BITS, np.nan))


# --- bad arguments

COUNT = r"n_components = {}: it should be at least 1 and at most 20"
WHOLE = r"n_components = {} is not an integer: pass a whole number"


def gaussian(**changes):
    parameters = {"weights": [0.5, 0.5], "means": np.zeros((2, 2)), "covariances": np.ones((2, 1))} | changes
    return GaussianMixture(**parameters)


def bernoulli(**changes):
    return BernoulliMixture(**({"weights": [0.5, 0.5], "probs": np.full((2, 3), 0.5)} | changes))


def start(x=X, k=2, **options):
    return GaussianMixture.initialise(x, k, **({"rng": rng()} | options))


def start_bits(x=BITS, k=2, **options):
    return BernoulliMixture.initialise(x, k, **({"rng": rng()} | options))


def indefinite(d=2):
    return np.array([np.eye(d), 1 - 2 * np.eye(d)])


BAD_ARGUMENTS = {
    # how many components
    "K = 0": (lambda: start(k=0), COUNT.format(0)),
    "K negative": (lambda: start(k=-3), COUNT.format(-3)),
    "K > N": (lambda: start(k=21), COUNT.format(21)),
    "K float": (lambda: start(k=2.0), WHOLE.format(r"2\.0")),
    "K bool": (lambda: start(k=True), WHOLE.format("True")),
    "K numpy bool": (lambda: start(k=np.True_), WHOLE.format(r"np\.True_")),
    "K string": (lambda: start(k="2"), WHOLE.format("'2'")),
    "K None": (lambda: start(k=None), WHOLE.format("None")),
    "bits: K = 0": (lambda: start_bits(k=0), COUNT.format(0)),
    "bits: K > N": (lambda: start_bits(k=21), COUNT.format(21)),
    "bits: K float": (lambda: start_bits(k=1.5), WHOLE.format(r"1\.5")),
    "labels: K > N": (lambda: initial_responsibilities(X, 21, rng=rng()), COUNT.format(21)),
    # weights
    "weights sum": (lambda: gaussian(weights=[0.5, 0.6]), r"weights is not a distribution: .* divide"),
    "weights sum a little off": (
        lambda: gaussian(weights=[0.5, 0.5 + 1e-7]),
        r"weights is not a distribution",
    ),
    "weights negative": (lambda: gaussian(weights=[1.5, -0.5]), r"weights is not a distribution: .* divide"),
    "weights empty": (lambda: gaussian(weights=[]), r"weights is not a distribution: .* divide"),
    "weights 2-d": (
        lambda: gaussian(weights=[[0.5, 0.5]]),
        r"weights has shape \(1, 2\): it should be \(any\)",
    ),
    "weights NaN": (lambda: gaussian(weights=[np.nan, 1]), r"weights holds NaN or infinity: pass finite"),
    "weights masked": (
        lambda: gaussian(weights=np.ma.masked_equal([0.5, 0.5], 0.5)),
        r"weights has masked entries, which would be taken for data: drop their rows, or pass",
    ),
    "means with a gradient": (
        lambda: gaussian(means=torch.zeros(2, 2, requires_grad=True)),
        r"means \(a torch Tensor\) is not an array of real numbers: pass means\.detach\(\)",
    ),
    "weights strings": (lambda: gaussian(weights=["a", "b"]), r"weights has dtype <U1: pass real numbers"),
    "bits: weights sum": (lambda: bernoulli(weights=[0.3, 0.3]), r"weights is not a distribution"),
    # shapes
    "means K": (
        lambda: gaussian(means=np.zeros((3, 2))),
        r"means has shape \(3, 2\): it should be \(2, any\)",
    ),
    "means 1-d": (lambda: gaussian(means=np.zeros(2)), r"means has shape \(2\,\): it should be \(2, any\)"),
    "means without features": (
        lambda: gaussian(means=np.zeros((2, 0))),
        r"means has no features: pass an array of shape \(K, D\)",
    ),
    "means infinite": (lambda: gaussian(means=[[0, np.inf], [0, 0]]), r"means holds NaN or infinity: pass"),
    "means ragged": (lambda: gaussian(means=[[0, 0], [1]]), r"means is not an array of real numbers"),
    "covariances shape": (
        lambda: gaussian(covariances=np.ones((2, 3))),
        r"covariances has shape \(2, 3\): pass one of \(2, 2, 2\) full, \(1, 2, 2\) tied, "
        r"\(2, 2\) diagonal, \(2, 1\) spherical",
    ),
    "covariances scalar": (lambda: gaussian(covariances=1.0), r"covariances has shape \(\): pass one of"),
    "probs K": (
        lambda: bernoulli(probs=np.full((3, 2), 0.5)),
        r"probs has shape \(3, 2\): it should be \(2, a",
    ),
    "probs 1-d": (lambda: bernoulli(probs=[0.5, 0.5]), r"probs has shape \(2,\): it should be \(2, any\)"),
    # covariances
    "not symmetric": (
        lambda: gaussian(covariances=[np.eye(2), [[1, 0.1], [0.1 + 1e-8, 1]]]),
        r"covariances are not symmetric: pass \(C \+ C\^T\) / 2",
    ),
    "indefinite": (lambda: gaussian(covariances=indefinite()), r"covariances are not positive definite: add"),
    "singular": (
        lambda: gaussian(covariances=[np.ones((2, 2))]),
        r"covariances are not positive definite: add",
    ),
    "zero variance": (
        lambda: gaussian(covariances=[[1], [0]]),
        r"covariances are not positive definite: add",
    ),
    "negative variance": (
        lambda: gaussian(covariances=[[1, 1], [1, -1]]),
        r"covariances are not positive definite: add",
    ),
    "NaN variance": (
        lambda: gaussian(covariances=[[1], [np.nan]]),
        r"covariances holds NaN or infinity: pass",
    ),
    # floors
    "floor above": (
        lambda: gaussian(min_variance=1.001),
        r"covariances lie below min_variance: raise them or lower min_variance",
    ),
    "floor above one feature": (
        lambda: gaussian(covariances=[np.eye(2)], min_variance=[0.5, 1.001]),
        r"covariances lie below min_variance: raise them",
    ),
    "floor above diagonal": (
        lambda: gaussian(covariances=[[1, 2], [1, 2]], min_variance=[1.001, 0.5]),
        r"covariances lie below min_variance: raise them",
    ),
    "floor negative": (
        lambda: gaussian(min_variance=-1e-9),
        r"min_variance should be one non-negative number",
    ),
    "floor shape": (lambda: gaussian(min_variance=[1, 1, 1]), r"min_variance should be .* \(3,\) for D = 2"),
    "floor NaN": (lambda: gaussian(min_variance=np.nan), r"min_variance holds NaN or infinity: pass"),
    "floor 0 for some": (
        lambda: gaussian(min_variance=[0.0, 0.1]),
        r"min_variance is 0 for some features alone: make all positive or all 0",
    ),
    "initialise floor": (lambda: start(min_variance=[1, 2, 3]), r"min_variance should be one non-negative"),
    "min_prob negative": (
        lambda: bernoulli(min_prob=-0.1),
        r"min_prob = -0\.1: it should be finite and not neg",
    ),
    "min_prob half": (lambda: bernoulli(min_prob=0.5), r"min_prob = 0\.5: it should be below 0\.5"),
    "min_prob NaN": (lambda: bernoulli(min_prob=np.nan), r"min_prob = nan: it should be finite"),
    "min_prob string": (lambda: bernoulli(min_prob="x"), r"min_prob = 'x' is not a number"),
    "initialise min_prob": (lambda: start_bits(min_prob=0.5), r"min_prob = 0\.5: it should be below 0\.5"),
    "probs above 1": (
        lambda: bernoulli(probs=[[0.5], [1.1]]),
        r"probs lie outside \[0\.0, 1\.0\]: clip them",
    ),
    "probs below 0": (
        lambda: bernoulli(probs=[[0.5], [-0.1]]),
        r"probs lie outside \[0\.0, 1\.0\]: clip them",
    ),
    "probs below floor": (
        lambda: bernoulli(probs=[[0.5], [0.05]], min_prob=0.1),
        r"probs lie outside \[0\.1, 0\.9\]: clip them",
    ),
    "probs above floor": (
        lambda: bernoulli(probs=[[0.5], [0.95]], min_prob=0.1),
        r"probs lie outside \[0\.1, 0\.9\]: clip them",
    ),
    "dtype": (lambda: bernoulli(dtype=np.int64), r"dtype = .*: choose numpy\.float64 or numpy\.float32"),
    # choices
    "covariance_type": (
        lambda: start(covariance_type="diag"),
        r"covariance_type = 'diag': choose one of full, tied, diagonal, spherical",
    ),
    "method": (
        lambda: start(method="k-means"),
        r"method = 'k-means': choose one of k-means\+\+, random-points, random-responsibilities",
    ),
    "bits: method": (lambda: start_bits(method="best"), r"method = 'best': choose one of"),
    # randomness
    "seed": (
        lambda: start(rng=0),
        r"rng is a int: pass a numpy Generator, such as numpy\.random\.default_rng",
    ),
    "legacy RandomState": (
        lambda: start(rng=np.random.RandomState(0)),
        r"rng is a RandomState: pass a numpy",
    ),
    "legacy module": (lambda: start(rng=np.random), r"rng is a module: pass a numpy Generator"),
    "no rng": (lambda: start(rng=None), r"rng is a NoneType: pass a numpy Generator"),
    "bits: seed": (lambda: start_bits(rng=1), r"rng is a int: pass a numpy Generator"),
    "labels: seed": (lambda: initial_responsibilities(X, 2, rng=1), r"rng is a int: pass a numpy Generator"),
    "sample: seed": (lambda: GAUSSIAN.sample(3, rng=1), r"rng is a int: pass a numpy Generator"),
    "sample: none": (lambda: GAUSSIAN.sample(0, rng=rng()), r"n = 0: it should be at least 1"),
    "sample: float": (lambda: GAUSSIAN.sample(3.0, rng=rng()), r"n = 3\.0 is not an integer: pass a whole"),
    # responsibilities
    "resp shape": (
        lambda: GAUSSIAN.statistics(X, RESP[:-1]),
        r"resp has shape \(19, 2\): pass one row per datum and one column per component, \(20, 2\)",
    ),
    "resp K": (lambda: GAUSSIAN.statistics(X, np.ones((20, 3))), r"resp has shape \(20, 3\): pass one row"),
    "bits: resp": (lambda: BERNOULLI.statistics(BITS, RESP.T), r"resp has shape \(2, 20\): pass one row"),
    "elbo: resp shape": (
        lambda: discrete_elbo(GAUSSIAN, X, RESP[:1]),
        r"resp has shape \(1, 2\): .*\(20, 2\)",
    ),
    "elbo: rows": (lambda: discrete_elbo(GAUSSIAN, X, RESP * 1.1), r"resp is not a distribution: make rows"),
    "elbo: rows a little off": (
        lambda: discrete_elbo(GAUSSIAN, X, RESP * (1 + 1e-7)),
        r"resp is not a distribution",
    ),
    "elbo: negative": (
        lambda: discrete_elbo(GAUSSIAN, X, RESP + np.array([0.6, -0.6])),
        r"resp is not a distribution: make rows",
    ),
    "elbo: NaN": (
        lambda: discrete_elbo(GAUSSIAN, X, with_entry(RESP, np.nan)),
        r"resp is not a distribution",
    ),
    # the loop
    "tol negative": (
        lambda: fit_em(GAUSSIAN, X, tol=-1e-9),
        r"tol = -1e-09: it should be finite and not neg",
    ),
    "tol NaN": (lambda: fit_em(GAUSSIAN, X, tol=np.nan), r"tol = nan: it should be finite"),
    "tol infinite": (lambda: fit_em(GAUSSIAN, X, tol=np.inf), r"tol = inf: it should be finite"),
    "tol None": (lambda: fit_em(GAUSSIAN, X, tol=None), r"tol = None is not a number"),
    "max_iter negative": (
        lambda: fit_em(GAUSSIAN, X, max_iter=-1),
        r"max_iter = -1: it should be at least 0",
    ),
    "max_iter float": (
        lambda: fit_em(GAUSSIAN, X, max_iter=1e3),
        r"max_iter = 1000\.0 is not an integer: pass",
    ),
    "restarts: tol": (lambda: fit_em_restarts([GAUSSIAN], X, tol=-1), r"tol = -1: it should be"),
    "restarts: none": (lambda: fit_em_restarts([], X), r"starts is empty: pass at least one model"),
    # log joints
    "log joint NaN": (
        lambda: log_normalize([[0, 0], [0, np.nan]]),
        r"row \[1\] of the log joint holds NaN or \+inf",
    ),
    "log joint +inf": (lambda: normalize([[np.inf, 0]]), r"row \[0\] of the log joint holds NaN or \+inf"),
    "impossible datum": (
        lambda: normalize([[0, 0], [-np.inf, -np.inf]]),
        r"row \[1\] of the log joint is impossible under every component: drop it",
    ),
    "log joint 0-d": (lambda: log_normalize(3.0), r"log_joint has shape \(\): pass one row per datum"),
    "log joint empty": (
        lambda: log_normalize(np.zeros((3, 0))),
        r"log_joint has shape \(3, 0\): pass one row",
    ),
    "log joint strings": (
        lambda: log_normalize([["a"]]),
        r"log_joint has dtype <U1: pass real numbers",
    ),
    "log likelihood strings": (lambda: responsibilities([["a"]]), r"log_likelihood has dtype <U1: pass"),
    "log prior shape": (
        lambda: responsibilities([[0, 0]], [0, 0, 0]),
        r"log_prior has shape \(3,\), but log_likelihood has 2 components: pass one log weight per component",
    ),
    # checks
    "report: tol": (lambda: report("eq-x", 0, -1), r"tol = -1: it should be a number that is not negative"),
    "report: tol NaN": (lambda: report("eq-x", 0, np.nan), r"tol = nan: it should be a number"),
    "standard errors of one": (lambda: standard_errors([1.0], 1), r"samples holds fewer than two samples"),
    "standard errors of a number": (lambda: standard_errors(1.0, 1), r"samples holds fewer than two samples"),
}


@pytest.mark.parametrize(("call", "message"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS.keys())
def test_bad_arguments_are_refused_with_their_name_and_a_remedy(call, message):
    with pytest.raises(ValueError, match=f"^{message}") as caught:
        call()
    assert REMEDY.search(str(caught.value)), f"no remedy in: {caught.value}"


@dataclass(frozen=True)
class NeverAsked(PoissonMixture):
    """Fails when any work is done."""

    def log_likelihood(self, x):
        raise AssertionError("work was done before the check")

    log_prior = maximise = log_likelihood


@pytest.mark.parametrize(
    "bad", [{"tol": -1}, {"max_iter": -1}, {"x": X[0]}, {"x": X[:0]}, {"x": X.astype(str)}, {"tol": "?"}]
)
def test_checks_come_before_any_work(bad):
    model = NeverAsked(np.ones(1), np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"^(tol|max_iter|x) "):
        fit_em(model, **({"x": X} | bad))


# --- odd but honest input


def wholes(n=60, d=3):
    """Small whole numbers, the same in every dtype."""
    return np.random.default_rng(1).integers(0, 9, size=(n, d)).astype(float)


def reversed_view(x):
    return np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]


def strided_view(x):
    wide = np.full((2 * x.shape[0], 2 * x.shape[1]), np.nan)
    wide[::2, ::2] = x
    return wide[::2, ::2]


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def integers(x, dtype):
    return x.astype(dtype)


GUISES = {
    "list": lambda x: x.tolist(),
    "int64": lambda x: x.astype(np.int64),
    "int8": lambda x: x.astype(np.int8),
    "uint8": lambda x: x.astype(np.uint8),
    "float32": lambda x: x.astype(np.float32),
    "float16": lambda x: x.astype(np.float16),
    "longdouble": lambda x: x.astype(np.longdouble),
    "big-endian": lambda x: x.astype(">f8"),
    "Fortran order": np.asfortranarray,
    "negative strides": reversed_view,
    "gaps between entries": strided_view,
    "read-only": read_only,
    "frame": pd.DataFrame,
    "frame of integers": lambda x: pd.DataFrame(x.astype(int)),
    "matrix": lambda x: x.view(np.matrix),
    "frame of nullable integers": lambda x: pd.DataFrame(x).astype("Int64"),
    "frame of nullable floats": lambda x: pd.DataFrame(x).astype("Float64"),
    "frame of mixed columns": lambda x: pd.DataFrame(x).astype({0: "Int64", 1: "int8", 2: "float32"}),
    "tensor": torch.tensor,
    "a mask that hides nothing": np.ma.MaskedArray,
}


def fits(x, k=2):
    """The same four things with every family: start, fit, posterior, sample size kept."""
    for kind in COVARIANCE_TYPES:
        model = GaussianMixture.initialise(x, k, rng=rng(), covariance_type=kind)
        yield fit_em(model, x, max_iter=10, tol=0)


def as_numbers(fit):
    parameters = fit.model.probs if isinstance(fit.model, BernoulliMixture) else fit.model.means
    return np.r_[fit.log_evidences, fit.model.weights, parameters.ravel()]


@pytest.mark.parametrize("guise", GUISES.values(), ids=GUISES.keys())
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_the_same_numbers_in_another_guise_give_the_same_fit(guise):
    x = wholes()
    disguised = guise(x)
    for fit, plain in zip(fits(disguised), fits(x), strict=True):
        np.testing.assert_allclose(as_numbers(fit), as_numbers(plain), rtol=1e-12)
        np.testing.assert_allclose(
            fit.model.log_posterior(disguised), plain.model.log_posterior(x), rtol=1e-10, atol=1e-10
        )
    np.testing.assert_array_equal(np.asarray(disguised, dtype=float), x)


BOOLEANS = {
    "bool": lambda x: x.astype(bool),
    "frame of nullable booleans": lambda x: pd.DataFrame(x).astype("boolean"),
    "frame of booleans and integers": lambda x: pd.DataFrame(x).astype({0: bool, 1: int, 2: "Int64"}),
}


@pytest.mark.parametrize("guise", [*GUISES.values(), *BOOLEANS.values()], ids=[*GUISES, *BOOLEANS])
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_the_same_bits_in_another_guise_give_the_same_fit(guise):
    x = (wholes() > 4).astype(float)
    disguised = guise(x)
    fit, plain = (
        fit_em(BernoulliMixture.initialise(data, 2, rng=rng()), data, max_iter=10, tol=0)
        for data in (disguised, x)
    )
    np.testing.assert_allclose(as_numbers(fit), as_numbers(plain), rtol=1e-12)
    np.testing.assert_array_equal(np.asarray(disguised, dtype=float), x)


def cauchy():
    return np.random.default_rng(2).standard_cauchy(size=(300, 2))


ODD = {
    "heavy tails": (cauchy(), 3),
    "a constant feature": (np.column_stack([wholes()[:, 0], np.full(60, 7.0)]), 2),
    "a constant feature far off": (np.column_stack([wholes()[:, 0], np.full(60, 0.1 + 1e8)]), 2),
    "all features constant": (np.full((10, 3), 4.0), 2),
    "duplicated rows": (np.repeat(wholes(6), 10, axis=0), 3),
    "fewer distinct points than components": (np.repeat([[0.0, 1], [5, 2]], 8, axis=0), 5),
    "one distinct point": (np.ones((9, 2)), 4),
    "one feature": (wholes()[:, :1], 3),
    "one component": (wholes(), 1),
    "one point": (np.array([[3.0, -4.0]]), 1),
    "one point, one feature": (np.array([[3.0]]), 1),
    "as many components as points": (wholes(5), 5),
    "collinear features": (wholes()[:, :1] * [1.0, 2.0, -1.0], 2),
    "an outlier": (np.r_[wholes(), [[1e9, 0, 0]]], 2),
    "tiny": (1e-150 * wholes(), 2),
    "huge": (1e150 * wholes(), 2),
    "zero": (np.zeros((4, 2)), 2),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
@pytest.mark.parametrize(("x", "k"), ODD.values(), ids=ODD.keys())
def test_odd_data_are_fitted_without_complaint(x, k, kind, method):
    """No error, no warning; finite parameters, a rising likelihood, means among the data."""
    kept = x.copy()
    start = GaussianMixture.initialise(x, k, rng=rng(), covariance_type=kind, method=method)
    fit = fit_em(start, x, max_iter=30)
    model = fit.model
    assert np.isfinite(fit.log_evidences).all()
    assert np.diff(fit.log_evidences).min(initial=0) >= -1e-10 * abs(fit.log_evidences).max()
    assert abs(model.weights.sum() - 1) <= 1e-12
    slack = 1e-9 * np.ptp(x, axis=0) + 1e-12 * abs(x).max()
    assert (model.means >= x.min(axis=0) - slack).all()
    assert (model.means <= x.max(axis=0) + slack).all()
    assert np.isfinite(model.covariances).all()
    np.testing.assert_allclose(model.responsibilities(x).sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(x, kept)


ODD_BITS = {
    "all zero": (np.zeros((12, 5), dtype=int), 3),
    "all one": (np.ones((12, 5), dtype=int), 3),
    "a constant pixel": (np.column_stack([BITS, np.zeros(20, dtype=int)]), 2),
    "one datum": (np.array([[1, 0, 1]]), 1),
    "one pixel": (BITS[:, :1], 2),
    "one component": (BITS, 1),
    "as many components as data": (BITS[:4], 4),
    "more components than patterns": (BITS, 7),
}


@pytest.mark.parametrize("min_prob", [0.0, 1e-4, 0.2])
@pytest.mark.parametrize(("x", "k"), ODD_BITS.values(), ids=ODD_BITS.keys())
def test_odd_bits_are_fitted_without_complaint(x, k, min_prob):
    fit = fit_em(BernoulliMixture.initialise(x, k, rng=rng(), min_prob=min_prob), x, max_iter=50)
    assert np.isfinite(fit.log_evidences).all()
    assert np.diff(fit.log_evidences).min(initial=0) >= -1e-10 * abs(fit.log_evidences).max()
    overall = np.clip(x.mean(axis=0), min_prob, 1 - min_prob)
    if min_prob < 1e-3:  # a mixture's mean is the data's, unless a floor forbids it
        np.testing.assert_allclose(fit.model.weights @ fit.model.probs, overall, atol=2e-4)
    assert fit.log_evidence <= 1e-12


# --- a component that nothing belongs to


@pytest.mark.parametrize("learn_weights", [True, False])
@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
def test_an_emptied_component_keeps_its_parameters(kind, learn_weights):
    """A Gaussian a million standard deviations from all data: responsibilities of exactly 0."""
    model = random_gaussian_mixture(rng(), 3, 2, kind, learn_weights=learn_weights)
    model = replace(model, means=model.means + np.array([[0, 0], [1e6, 0], [0, 0]]))
    x = np.random.default_rng(5).normal(size=(30, 2))
    fit = fit_em(model, x, max_iter=5, tol=0)
    np.testing.assert_array_equal(fit.model.means[1], model.means[1])
    if kind != "tied":
        np.testing.assert_array_equal(fit.model.covariances[1], model.covariances[1])
        assert (fit.model.covariances[0] != model.covariances[0]).any()
    if learn_weights:
        assert fit.model.weights[1] == 0
        assert fit.model.weights.sum() == pytest.approx(1, abs=1e-15)
        assert fit.model.log_prior()[1] == -np.inf
    else:
        np.testing.assert_array_equal(fit.model.weights, model.weights)
    assert np.isfinite(fit.log_evidences).all()
    assert (np.diff(fit.log_evidences) >= -1e-10).all()
    assert (fit.model.responsibilities(x)[:, 1] == 0).all()


def test_an_emptied_bernoulli_component_keeps_its_parameters():
    x = np.array([[0, 0], [0, 1], [0, 0]])
    model = BernoulliMixture([0.5, 0.5], [[1.0, 0.3], [0.1, 0.2]])  # component 0 forbids x_0 = 0
    fit = fit_em(model, x, max_iter=3, tol=0)
    assert fit.model.weights.tolist() == [0, 1]
    assert fit.model.probs[0].tolist() == [1.0, 0.3]
    np.testing.assert_allclose(fit.model.probs[1], [0, 1 / 3], rtol=1e-15)


def test_a_component_switched_off_stays_off():
    model = GaussianMixture([1.0, 0.0], [[0.0], [1.0]], [[1.0], [1.0]])
    x = np.array([[0.0], [1.0], [5.0]])
    assert model.log_prior().tolist() == [0, -np.inf]
    fit = fit_em(model, x, max_iter=3)
    assert fit.model.weights.tolist() == [1, 0]
    np.testing.assert_allclose(fit.model.means, [[2], [1]], rtol=1e-15)
    assert (model.sample(50, rng=rng()).z == 0).all()


def test_responsibilities_of_almost_nothing_count_as_nothing():
    """Below 1e-290 in total the moments would be denormal; above it they have their digits."""
    model = GaussianMixture([0.5, 0.5], [[0.0], [1.0]], [[1.0], [1.0]], min_variance=0.1)
    x = np.array([[0.0], [3.0]])
    for share, mean, weight in ((1e-291, 1.0, 0.0), (1e-289, 3.0, 5e-290)):
        resp = np.array([[1, 0], [1, share]])
        new = model.maximise(model.statistics(x, resp))
        assert new.means[1, 0] == pytest.approx(mean, rel=1e-12)
        assert new.weights[1] == pytest.approx(weight, rel=1e-9)
    bits = BernoulliMixture([0.5, 0.5], [[0.5], [0.25]])
    for share, prob, weight in ((1e-291, 0.25, 0.0), (1e-289, 1.0, 5e-290)):
        resp = np.array([[1, 0], [1, share]])
        new = bits.maximise(bits.statistics([[0], [1]], resp))
        assert new.probs[1, 0] == pytest.approx(prob, rel=1e-12)
        assert new.weights[1] == pytest.approx(weight, rel=1e-9)


# --- nothing is modified, nothing is shared


def test_parameters_are_copies_that_cannot_be_written():
    weights, means, covariances = np.array([0.5, 0.5]), np.zeros((2, 2)), np.ones((2, 2))
    model = GaussianMixture(weights, means, covariances, min_variance=0.1)
    weights[0], means[0], covariances[0] = 9, 9, 9
    assert (model.weights[0], model.means[0, 0], model.covariances[0, 0]) == (0.5, 0, 1)
    for array in (model.weights, model.means, model.covariances, model.min_variance):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    probs = np.full((2, 2), 0.5)
    bits = BernoulliMixture([0.5, 0.5], probs)
    probs[0] = 0
    assert bits.probs.min() == 0.5
    with pytest.raises(ValueError, match="read-only"):
        bits.probs[0] = 0
    with pytest.raises(AttributeError):
        bits.probs = probs


def test_no_call_writes_into_its_arguments():
    x, bits, resp = read_only(X), read_only(BITS), read_only(RESP)
    log_joint = read_only(GAUSSIAN.log_joint(x))
    kept = [a.copy() for a in (x, bits, resp, log_joint)]
    for model, data in ((GAUSSIAN, x), (BERNOULLI, bits)):
        for method in (
            "log_likelihood",
            "log_joint",
            "log_evidence",
            "log_posterior",
            "responsibilities",
            "bic",
        ):
            getattr(model, method)(data)
        model.maximise(model.statistics(data, resp))
        discrete_elbo(model, data, resp)
        fit_em(model, data, max_iter=2)
    normalize(log_joint)
    log_normalize(log_joint)
    responsibilities(log_joint, read_only(np.zeros(2)))
    for array, before in zip((x, bits, resp, log_joint), kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_one_column_of_data_is_not_written_through_a_view():
    """With one feature x.T is contiguous: the easiest array to spoil by working in place."""
    x = np.linspace(-1, 1, 9)[:, None]
    kept = x.copy()
    model = GaussianMixture.initialise(x, 2, rng=rng())
    fit_em(model, x, max_iter=3)
    np.testing.assert_array_equal(x, kept)


def test_out_of_core_data_are_fitted_where_they_lie(tmp_path):
    x = np.random.default_rng(6).normal(size=(40_000, 3)).astype(np.float32)
    x[: len(x) // 2] += 4
    path = tmp_path / "x.npy"
    np.save(path, x)
    on_disk = np.load(path, mmap_mode="r")
    assert isinstance(on_disk, np.memmap)
    start = GaussianMixture.initialise(on_disk, 2, rng=rng())
    again = GaussianMixture.initialise(x, 2, rng=rng())
    np.testing.assert_array_equal(start.means, again.means)
    one, two = fit_em(start, on_disk, max_iter=5), fit_em(start, x, max_iter=5)
    np.testing.assert_array_equal(one.log_evidences, two.log_evidences)
    np.testing.assert_array_equal(one.model.means, two.model.means)
    np.testing.assert_array_equal(np.load(path), x)
