"""Small synthetic sets, drawn afresh at each call, that come with their truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emvae._validation import as_count, as_generator

Array = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]


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
    labels = as_generator(rng).choice(len(weights), size=as_count(n, name="n"), p=weights)
    return labels.astype(np.int64, copy=False)  # where an index has 32 bits, too
