"""The only log-sum-exp over a discrete latent: all that needs p(z | x) comes through here."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emvae._validation import as_array

__all__ = ["log_normalize", "normalize", "responsibilities"]

Array = NDArray[np.float64]

SMALLEST_LOG_RATIO = -700.0
"""Log ratio to the largest term below which a term counts nothing; exp of it is a normal number yet."""


def log_normalize(log_joint: ArrayLike) -> tuple[Array, Array]:
    """Split a log joint into log posterior and log evidence.

    ``log p(z | x) = log p(x, z) - log p(x)`` with ``log p(x) = log sum_z exp(log p(x, z))``. The
    largest entry of a row is subtracted before the exponential, so nothing overflows and at least
    one term does not underflow.

    Parameters
    ----------
    log_joint : (..., K) log p(x, z = k) in nats. Entries may be -inf, but not a whole row.

    Returns
    -------
    log_posterior : (..., K), each row normalised: ``exp(log_posterior).sum(-1) == 1``.
    log_evidence : (...), in nats.

    Raises
    ------
    ValueError : ``log_joint`` has no last axis, or a row holds NaN, +inf or nothing but -inf.

    Notes
    -----
    Derived in {eq}`eq-responsibility-log-sum-exp`. The row's largest entry is subtracted before
    the logarithm of the sum is, so a posterior keeps its digits however large the log joint is.
    Source: Blanchard, Higham and Higham (2021), section 3.
    """
    log_joint = _as_log_joint(log_joint)
    peak = _peak(log_joint)
    shifted = log_joint - peak
    log_total = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted - log_total, (peak + log_total)[..., 0]


def normalize(log_joint: ArrayLike, *, out: NDArray[np.floating[Any]] | None = None) -> tuple[Array, Array]:
    """Return the posterior itself and the log evidence, with one exponential per entry.

    The inner loop of EM wants probabilities, not their logarithms: this is ``log_normalize`` with
    the exponential shared. Probabilities below 1e-304 are 0, since processors compute with numbers that
    are not much smaller up to twenty times as slowly. Use ``log_normalize`` where they matter.

    Parameters
    ----------
    log_joint : (..., K) log p(x, z = k) in nats.
    out : float64 array that takes the posterior; ``log_joint`` itself may be it.

    Returns
    -------
    posterior : (..., K), rows that sum to one.
    log_evidence : (...), in nats.

    Raises
    ------
    ValueError : as ``log_normalize``.

    Notes
    -----
    Derived in {eq}`eq-responsibility-log-sum-exp`.
    """
    log_joint = _as_log_joint(log_joint)
    peak = _peak(log_joint)
    posterior = np.subtract(log_joint, peak, out=out)
    there = posterior >= SMALLEST_LOG_RATIO
    np.maximum(posterior, SMALLEST_LOG_RATIO, out=posterior)
    np.exp(posterior, out=posterior)
    if not there.all():
        posterior *= there
    total = posterior.sum(axis=-1, keepdims=True)
    posterior /= total
    return posterior, (peak + np.log(total))[..., 0]


def responsibilities(log_likelihood: ArrayLike, log_prior: ArrayLike | None = None) -> Array:
    """Assign responsibilities: the posterior over components of each datum.

    ``r_nk = p(x_n | k) p(k) / sum_j p(x_n | j) p(j)``. Without ``log_prior`` the components are
    equally probable a priori and 1/K cancels. A constant added to ``log_prior`` cancels as well,
    so it need not be normalised.

    Parameters
    ----------
    log_likelihood : (..., K) log p(x_n | z = k) in nats.
    log_prior : (K,) log p(z = k) in nats, or None for a uniform prior.

    Returns
    -------
    resp : (..., K), rows that sum to one.

    Raises
    ------
    ValueError : the shapes do not fit, or a datum is impossible under every component.

    Notes
    -----
    Derived in {eq}`eq-responsibility-uniform` and {eq}`eq-responsibility-bayes`.
    Source: Bishop (2006), equation 9.13.
    """
    log_joint = _as_log_joint(log_likelihood, "log_likelihood")
    if log_prior is not None:
        prior = as_array(log_prior, name="log_prior").astype(np.float64, copy=False)
        if prior.shape != log_joint.shape[-1:]:
            raise ValueError(
                f"log_prior has shape {prior.shape}, but log_likelihood has "
                f"{log_joint.shape[-1]} components: pass one log weight per component"
            )
        log_joint = log_joint + prior
    return normalize(log_joint)[0]


def _as_log_joint(values: ArrayLike, name: str = "log_joint") -> Array:
    array = as_array(values, name=name).astype(np.float64, copy=False)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(
            f"{name} has shape {array.shape}: pass one row per datum and one column per component"
        )
    return array


def _peak(log_joint: Array) -> Array:
    """Largest entry of each row, (..., 1); a row whose largest is not finite has no posterior."""
    peak = log_joint.max(axis=-1, keepdims=True)
    bad = ~np.isfinite(peak)
    if bad.any():
        row = np.argwhere(bad[..., 0])[0].tolist()
        if np.isneginf(peak[bad].ravel()[0]):
            problem = "is impossible under every component: drop it, or give the model a floor"
        else:
            problem = "holds NaN or +inf: pass log probabilities, finite or -inf"
        raise ValueError(f"row {row} of the log joint {problem}")
    return peak
