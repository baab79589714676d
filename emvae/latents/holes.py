"""Holes: where the prior sends samples and no code lies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emvae._records import Record
from emvae._validation import as_count, as_generator, as_positive
from emvae.latents.codes import Array
from emvae.latents.estimates import Proportion
from emvae.latents.plane import check_plane
from emvae.mixtures import GaussianMixture
from emvae.mixtures.mixture import Mixture


def log_density_ratio(aggregate: Mixture, z: ArrayLike, *, prior: Mixture | None = None) -> Array:
    """Return log q(z) - log p(z), (M,) in nats: negative where codes are rarer than the prior has it.

    Parameters
    ----------
    aggregate : q(z), what ``aggregate_posterior`` returned.
    z : (M, Z) points.
    prior : p(z), a mixture of the same dimension; None for N(0, I).

    Raises
    ------
    ValueError : points that are not finite or not of this dimension, or ``prior`` of another dimension.

    Notes
    -----
    Defined in {eq}`def-latent-holes`.
    """
    return aggregate.log_evidence(z) - as_prior(prior, aggregate).log_evidence(z)


@dataclass(frozen=True, eq=False)
class HoleMap(Record):
    """What ``hole_map`` returns."""

    axis: Array
    log_ratio: Array


def hole_map(
    aggregate: Mixture, *, half_width: float = 3.5, n_side: int = 150, prior: Mixture | None = None
) -> HoleMap:
    """Evaluate log q(z) - log p(z) over the square [-half_width, half_width]^2.

    Parameters
    ----------
    aggregate, prior : as in ``log_density_ratio``, with Z = 2.
    half_width : half the side of the square, in units of z.
    n_side : grid points along each side, the corners included.

    Returns
    -------
    A record: ``axis`` (n_side,), the coordinates at which both dimensions are cut, ascending; ``log_ratio``
    (n_side, n_side) in nats, in row i and column j at z = (axis[j], axis[i]), so rows go from bottom to top.

    Raises
    ------
    ValueError : ``aggregate`` or ``prior`` is not of the plane, a width that is not positive, or fewer than
        two points a side.

    Notes
    -----
    Defined in {eq}`def-latent-holes`.
    """
    check_plane(aggregate.n_features)
    n_side = as_count(n_side, name="n_side", minimum=2)
    half_width = as_positive(half_width, name="half_width")
    axis = np.linspace(-half_width, half_width, n_side)
    across, up = np.meshgrid(axis, axis)
    z = np.column_stack([across.ravel(), up.ravel()])
    return HoleMap(axis, log_density_ratio(aggregate, z, prior=prior).reshape(n_side, n_side))


@dataclass(frozen=True, eq=False)
class HoleMass(Record):
    """What ``hole_mass`` returns."""

    z: Array
    log_ratio: Array
    in_hole: NDArray[np.bool_]
    share: Proportion


def hole_mass(
    aggregate: Mixture,
    *,
    n_samples: int,
    rng: np.random.Generator,
    threshold: float = -2.302585092994046,
    prior: Mixture | None = None,
) -> HoleMass:
    """Estimate how much of the prior lies in holes, the probability that log q - log p is below a threshold.

    Parameters
    ----------
    aggregate, prior : as in ``log_density_ratio``.
    n_samples : number of draws M from the prior.
    rng : numpy Generator.
    threshold : in nats; the default, -log 10, calls a place a hole where codes are ten times rarer than the
        prior has it.

    Returns
    -------
    A record: ``z`` (M, Z), draws from p(z); ``log_ratio`` (M,), log q(z) - log p(z) there, in nats;
    ``in_hole`` (M,), whether that is below the threshold; ``share``, a ``Proportion``: the prior mass of the
    holes.

    Raises
    ------
    ValueError : ``n_samples`` is no positive integer, ``rng`` no Generator, ``threshold`` not finite, or
        ``prior`` of another dimension.

    Notes
    -----
    Defined in {eq}`def-latent-holes`.
    """
    n_samples, rng = as_count(n_samples, name="n_samples"), as_generator(rng)
    if not np.isfinite(threshold):
        raise ValueError(f"threshold = {threshold}: it should be finite, in nats")
    z = as_prior(prior, aggregate).sample(n_samples, rng=rng).x
    log_ratio = log_density_ratio(aggregate, z, prior=prior)
    in_hole = log_ratio < threshold
    return HoleMass(z, log_ratio, in_hole, Proportion.of(in_hole))


def as_prior(prior: Mixture | None, aggregate: Mixture) -> Mixture:
    """Return the prior as a mixture of the dimension of ``aggregate``: N(0, I) by default."""
    n_latent = aggregate.n_features
    if prior is None:
        return GaussianMixture(np.ones(1), np.zeros((1, n_latent)), np.ones((1, 1)))
    if prior.n_features != n_latent:
        raise ValueError(
            f"prior has {prior.n_features} dimensions, the codes have {n_latent}: pass a prior of theirs"
        )
    return prior
