"""Data that travels with the package, and small synthetic sets that know their truth.

Real sets are files in ``emvae/data`` (sources, licences and checksums in its ``DATA.md``): nothing
is downloaded and nothing is written. Their arrays are cached and shared, so they are read-only;
copy one to change it. Synthetic sets are drawn afresh at each call, and their arrays belong to the
caller.
"""

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emvae._validation import as_count, as_generator, as_non_negative

__all__ = [
    "MNIST",
    "BernoulliSample",
    "GaussianSample",
    "OldFaithful",
    "RingsSample",
    "Split",
    "bernoulli_toy",
    "binarise",
    "blobs",
    "mnist",
    "old_faithful",
    "overlapping",
    "rings",
    "train_validation_split",
]

Array = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]

_DATA = resources.files("emvae") / "data"
_SHA256 = {  # of each file as it lies there
    "t10k-images-idx3-ubyte.gz": "1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be",
    "t10k-labels-idx1-ubyte.gz": "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
    "train-images-idx3-ubyte.gz": "0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971",
    "train-labels-idx1-ubyte.gz": "1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203",
    "old-faithful.csv": "d40b983752ab7ec0b15b740089c3ca7b7b59d0c7433a029a1714d134de1e8d14",
}
_INK = 255  # the grey level of full ink in a byte
_BLOCK = 2**22  # pixels binarised at a time, which bounds the memory of the draws


@dataclass(frozen=True, eq=False)
class MNIST:
    """The 70,000 handwritten digits of MNIST, split as their authors split them.

    Attributes
    ----------
    train_images : (60000, 28, 28) or flat (60000, 784), uint8 from 0, paper, to 255, ink.
    train_labels : (60000,) int64, the digits 0 to 9.
    test_images : as ``train_images``, with N = 10000.
    test_labels : as ``train_labels``, with N = 10000.
    """

    train_images: Bytes
    train_labels: Integers
    test_images: Bytes
    test_labels: Integers


@dataclass(frozen=True, eq=False)
class OldFaithful:
    """The 272 eruptions of the Old Faithful geyser.

    Attributes
    ----------
    x : (272, 2) float64, an eruption a row, both columns in minutes.
    columns : how long it erupted, and how long it was until the next eruption.
    unit : of both columns.
    """

    x: Array
    columns: tuple[str, str] = ("eruption time", "waiting time")
    unit: str = "min"


def mnist(*, flat: bool = False) -> MNIST:
    """Load MNIST from the files inside the package.

    The four files are verified and decoded at the first call. Later calls return the same memory,
    read-only, so that no caller spoils it for another; ``images.copy()`` may be written.

    Parameters
    ----------
    flat : give images as rows (N, 784) instead of (N, 28, 28); a view, no copy.

    Returns
    -------
    MNIST : 60,000 training and 10,000 test images with their labels.

    Raises
    ------
    OSError : a file is missing, truncated or altered; the message names it and the remedy.

    Notes
    -----
    Labels are int64, although the file holds bytes, because arithmetic on bytes wraps around.
    Source: LeCun, Cortes and Burges (1998).
    """
    train, test = (_read_idx(f"{part}-images-idx3-ubyte.gz") for part in ("train", "t10k"))
    train_labels, test_labels = (_read_labels(f"{part}-labels-idx1-ubyte.gz") for part in ("train", "t10k"))
    if flat:
        train, test = (images.reshape(len(images), -1) for images in (train, test))
    return MNIST(train, train_labels, test, test_labels)


@cache
def old_faithful() -> OldFaithful:
    """Load the eruptions of Old Faithful, in minutes.

    Returns
    -------
    OldFaithful : 272 rows (eruption time, waiting time to the next eruption), read-only; their
        means are 3.487783 and 70.8971 minutes.

    Raises
    ------
    OSError : the file is missing, truncated or altered; the message names it and the remedy.

    Notes
    -----
    Source: Azzalini and Bowman (1990); this selection of rows: Härdle (1991).
    """
    lines = _read_verified("old-faithful.csv").decode("ascii").splitlines()
    return OldFaithful(_frozen(np.loadtxt(lines, delimiter=",", skiprows=1)))


def _read_verified(name: str) -> bytes:
    """Return the bytes of a data file, unless they differ from those that were recorded."""
    path, remedy = _DATA / name, "reinstall emvae, or in a clone run `git checkout -- emvae/data`"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OSError(f"data file {path} cannot be read ({type(error).__name__}): {remedy}") from error
    if hashlib.sha256(content).hexdigest() != _SHA256[name]:
        raise OSError(
            f"data file {path} is truncated or altered, its {len(content)} bytes do not have the "
            f"SHA-256 {_SHA256[name]}: {remedy}"
        )
    return content


@cache
def _read_idx(name: str) -> Bytes:
    """Decode a gzipped IDX file: 0, 0, 8 for bytes, number of axes, big-endian shape, entries."""
    content = zlib.decompress(_read_verified(name), wbits=31)  # 31: expect a gzip header
    n_axes = content[3]
    shape = np.frombuffer(content, ">u4", count=n_axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n_axes).reshape(shape)


@cache
def _read_labels(name: str) -> Integers:
    return _frozen(_read_idx(name).astype(np.int64))


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Return a copy over immutable bytes, whose writeable flag cannot be set again."""
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)


def binarise(
    images: ArrayLike,
    *,
    method: Literal["threshold", "stochastic"] = "threshold",
    threshold: float | None = None,
    rng: np.random.Generator | None = None,
) -> Bytes:
    """Turn grey levels into bits, by a threshold or by one Bernoulli draw a pixel.

    With p = grey / 255 a pixel's bit is ``p > threshold``, or a draw from Bernoulli(p), whose mean
    is p. The draw is exact: for u uniform on the integers 0 to 254 it is ``u < grey``, so that
    grey 0 never gives a 1 and grey 255 always does.

    Parameters
    ----------
    images : (N, H, W) or (N, D). Integers are grey levels 0 to 255, floats are p itself, in [0, 1].
        Bits stored as integers are the grey levels 0 and 1, nearly paper: do not binarise twice.
    method : "threshold" or "stochastic".
    threshold : in [0, 1), for "threshold" only; None means 0.5.
    rng : for "stochastic" only, and required there. The same state and grey levels give the same
        bits.

    Returns
    -------
    bits : uint8 zeros and ones in a new array of the shape of ``images``.

    Raises
    ------
    ValueError : before any work, when images are empty, 1-d, neither integers nor floats, not
        finite or out of range; when the method is unknown, the threshold is outside [0, 1), the
        ``rng`` is missing or no Generator, or an argument is given that the method does not use.

    Notes
    -----
    Train and test are never mixed: a bit depends on its own pixel and its own draw, and nothing is
    learnt from the data. With ``train_rng, test_rng = rng.spawn(2)``, one for each set, the bits of
    the test set do not depend on how many training images were drawn before them either.
    Source: Salakhutdinov and Murray (2008), who draw the bits of MNIST so.
    """
    grey = _as_images(images)
    to_bits: Callable[[NDArray[Any]], NDArray[np.bool_]]
    if method == "threshold":
        if rng is not None:
            raise ValueError("rng is not used by method='threshold': leave it out")
        to_bits = partial(_exceeds, threshold=_as_threshold(threshold))
    elif method == "stochastic":
        if threshold is not None:
            raise ValueError("threshold is not used by method='stochastic': leave it out")
        to_bits = partial(_draw, rng=as_generator(rng))
    else:
        raise ValueError(f"method = {method!r}: pass 'threshold' or 'stochastic'")
    bits = np.empty(grey.shape, np.uint8)
    step = max(1, _BLOCK * len(grey) // grey.size)
    for start in range(0, len(grey), step):
        bits[start : start + step] = to_bits(grey[start : start + step])
    return bits


def _exceeds(grey: NDArray[Any], threshold: float) -> NDArray[np.bool_]:
    p: NDArray[Any] = grey if grey.dtype.kind == "f" else grey / _INK
    return p > threshold


def _draw(grey: NDArray[Any], rng: np.random.Generator) -> NDArray[np.bool_]:
    if grey.dtype.kind == "f":
        return rng.random(grey.shape) < grey
    return rng.integers(0, _INK, grey.shape, np.uint8) < grey


def _as_threshold(threshold: float | None) -> float:
    number = 0.5 if threshold is None else as_non_negative(threshold, name="threshold")
    if number >= 1:
        raise ValueError(f"threshold = {threshold!r}: it should be below 1, grey level g is g / 255")
    return number


def _as_images(images: ArrayLike) -> NDArray[Any]:
    """Return images as grey levels (integers) or probabilities (floats), without a copy."""
    try:
        grey = np.asarray(images)
    except ValueError as error:
        raise ValueError("images differ in shape: pass one array (N, H, W) or (N, D)") from error
    if grey.dtype.kind not in "iuf":
        raise ValueError(f"images have dtype {grey.dtype}: pass integers 0 to 255, or floats in [0, 1]")
    if grey.ndim < 2 or grey.size == 0:
        raise ValueError(f"images have shape {grey.shape}: pass (N, H, W) or (N, D), images[None] for one")
    top = 1 if grey.dtype.kind == "f" else _INK
    if not (grey.min() >= 0 and grey.max() <= top):
        raise ValueError(
            f"images of dtype {grey.dtype} should be finite and in [0, {top}]: "
            "pass grey levels as integers 0 to 255, or divided by 255 as floats"
        )
    return grey


@dataclass(frozen=True, eq=False)
class Split:
    """The row numbers of the two parts of a training set, disjoint and in order.

    Attributes
    ----------
    train : (N - V,) rows to fit on.
    validation : (V,) rows held out, to choose a model by.
    """

    train: Integers
    validation: Integers


def train_validation_split(n: int, *, n_validation: int, rng: np.random.Generator) -> Split:
    """Choose at random the rows of a training set to hold out for model selection.

    Every subset of V rows is equally likely. What is chosen by its score on the validation rows (K,
    a floor, a start) was not chosen on the test set, which stays untouched until the end.

    Parameters
    ----------
    n : rows N of the training set; test rows are not to be counted.
    n_validation : rows V to hold out, at least 1 and at most N - 1.
    rng : numpy Generator.

    Returns
    -------
    Split : row numbers, as in ``images[split.train]`` and ``labels[split.train]``.

    Raises
    ------
    ValueError : a count is no integer or out of range, or ``rng`` is no Generator.

    Notes
    -----
    Source: Bishop (2006), section 1.3.
    """
    n = as_count(n, name="n", minimum=2)
    n_validation = as_count(n_validation, name="n_validation", maximum=n - 1)
    order = as_generator(rng).permutation(n)
    return Split(np.sort(order[n_validation:]), np.sort(order[:n_validation]))


@dataclass(frozen=True, eq=False)
class GaussianSample:
    """Draws from a Gaussian mixture, and the mixture.

    Attributes
    ----------
    x : (N, D) float64.
    labels : (N,) the component that made each draw.
    weights : (K,).
    means : (K, D).
    covariances : (K, D, D).
    """

    x: Array
    labels: Integers
    weights: Array
    means: Array
    covariances: Array


@dataclass(frozen=True, eq=False)
class RingsSample:
    """Draws from two concentric noisy circles, and what made them.

    Attributes
    ----------
    x : (N, 2) float64.
    labels : (N,) 0 for the inner ring, 1 for the outer.
    weights : (2,).
    radii : (2,) mean distances from the origin.
    noise : standard deviation of the distance within a ring.
    """

    x: Array
    labels: Integers
    weights: Array
    radii: Array
    noise: float


@dataclass(frozen=True, eq=False)
class BernoulliSample:
    """Draws from a Bernoulli mixture, and the mixture.

    Attributes
    ----------
    x : (N, D) uint8 zeros and ones.
    labels : (N,) the component that made each draw.
    weights : (K,).
    probs : (K, D) probabilities of a one.
    """

    x: Bytes
    labels: Integers
    weights: Array
    probs: Array


def blobs(n: int = 500, *, rng: np.random.Generator) -> GaussianSample:
    """Draw from three Gaussians in the plane that hardly touch.

    z ~ Categorical(weights) and x given z = k ~ N(means_k, covariances_k), with K = 3 and D = 2.
    Even the classifier that knows the truth errs, but on fewer than 2 draws in 10,000.

    Parameters
    ----------
    n : number N of draws.
    rng : numpy Generator.

    Returns
    -------
    GaussianSample : the draws and the truth.

    Raises
    ------
    ValueError : ``n`` is no positive integer, or ``rng`` is no Generator.

    Notes
    -----
    The numbers are our own. Source of the model: McLachlan and Peel (2000), chapter 3.
    """
    covariances = [[[1.0, 0.6], [0.6, 1.0]], [[1.5, -0.5], [-0.5, 0.5]], [[0.5, 0.0], [0.0, 1.5]]]
    return _gaussian_sample(n, rng, [0.5, 0.3, 0.2], [[-5.0, -2.0], [4.0, -3.0], [0.0, 5.0]], covariances)


def overlapping(n: int = 500, *, rng: np.random.Generator) -> GaussianSample:
    """Draw from three Gaussians in the plane that overlap heavily.

    As ``blobs``, but with means about two standard deviations apart: the classifier that knows the
    truth errs on 24 draws in 100. EM is slow on such data.

    Parameters
    ----------
    n : number N of draws.
    rng : numpy Generator.

    Returns
    -------
    GaussianSample : the draws and the truth.

    Raises
    ------
    ValueError : ``n`` is no positive integer, or ``rng`` is no Generator.

    Notes
    -----
    The numbers are our own. Source of the slowness: Redner and Walker (1984).
    """
    covariances = [[[1.0, 0.3], [0.3, 0.8]], [[1.2, -0.4], [-0.4, 0.9]], [[0.7, 0.0], [0.0, 0.5]]]
    return _gaussian_sample(n, rng, [0.5, 0.3, 0.2], [[-1.0, 0.0], [1.0, 0.0], [0.0, 1.5]], covariances)


def _gaussian_sample(n: int, rng: np.random.Generator, *parameters: ArrayLike) -> GaussianSample:
    weights, means, covariances = (np.array(parameter, np.float64) for parameter in parameters)
    labels = _labels(n, rng, weights)
    standard = rng.standard_normal((len(labels), means.shape[1]))
    x = means[labels] + np.einsum("nij,nj->ni", np.linalg.cholesky(covariances)[labels], standard)
    return GaussianSample(x, labels, weights, means, covariances)


def rings(n: int = 500, *, rng: np.random.Generator) -> RingsSample:
    """Draw from two concentric rings, which two Gaussians cannot describe.

    x = r (cos a, sin a) with a uniform on the circle and r given z = k ~ N(radii_k, noise^2). Both
    rings have mean 0, and the covariance of ring k is (radii_k^2 + noise^2) / 2 times the identity.

    Parameters
    ----------
    n : number N of draws.
    rng : numpy Generator.

    Returns
    -------
    RingsSample : the draws and the truth.

    Raises
    ------
    ValueError : ``n`` is no positive integer, or ``rng`` is no Generator.

    Notes
    -----
    The set is our own, and has no source in the literature.
    """
    weights, radii, noise = np.array([0.4, 0.6]), np.array([1.0, 3.0]), 0.2
    labels = _labels(n, rng, weights)
    radius = radii[labels] + noise * rng.standard_normal(len(labels))
    angle = rng.uniform(0.0, 2.0 * np.pi, len(labels))
    x = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return RingsSample(x, labels, weights, radii, noise)


def bernoulli_toy(n: int = 500, *, rng: np.random.Generator) -> BernoulliSample:
    """Draw bits from a Bernoulli mixture small enough to enumerate.

    z ~ Categorical(weights) and x_d given z = k ~ Bernoulli(probs_kd), independently over d, with
    K = 3 and D = 6: a sum over {0, 1}^6 has 64 terms.

    Parameters
    ----------
    n : number N of draws.
    rng : numpy Generator.

    Returns
    -------
    BernoulliSample : the draws and the truth.

    Raises
    ------
    ValueError : ``n`` is no positive integer, or ``rng`` is no Generator.

    Notes
    -----
    The numbers are our own. Source of the model: Lazarsfeld and Henry (1968); Carreira-Perpiñán and
    Renals (2000) ask when its parameters can be identified.
    """
    weights = np.array([0.5, 0.3, 0.2])
    probs = np.array(
        [
            [0.9, 0.8, 0.9, 0.1, 0.2, 0.1],
            [0.1, 0.2, 0.1, 0.9, 0.8, 0.7],
            [0.9, 0.1, 0.8, 0.2, 0.9, 0.6],
        ]
    )
    labels = _labels(n, rng, weights)
    bits = rng.random((len(labels), probs.shape[1])) < probs[labels]
    return BernoulliSample(bits.astype(np.uint8), labels, weights, probs)


def _labels(n: int, rng: np.random.Generator, weights: Array) -> Integers:
    """Draw component labels, once the caller's ``n`` and ``rng`` are found in order."""
    return as_generator(rng).choice(len(weights), size=as_count(n, name="n"), p=weights)
