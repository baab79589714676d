"""ELBO surgery: the average divergence from the prior, cut into what is useful and what is not."""

from dataclasses import dataclass

import numpy as np

from emvae._records import Record
from emvae._validation import as_count, as_generator
from emvae.latents.codes import Array
from emvae.latents.estimates import Estimate
from emvae.latents.holes import as_prior
from emvae.mixtures import GaussianMixture
from emvae.mixtures.mixture import Mixture


@dataclass(frozen=True, eq=False)
class ELBOSurgery(Record):
    """Log densities at M draws: a datum n from the mixture's weights, then z from q(z | x_n).

    Attributes
    ----------
    log_component : (M,) log q(z | x_n) under the datum that z came from.
    log_aggregate : (M,) log q(z).
    log_prior : (M,) log p(z).
    """

    log_component: Array
    log_aggregate: Array
    log_prior: Array

    @property
    def average_kl(self) -> Estimate:
        """(1/N) sum_n KL(q(z | x_n) || p(z)): the regulariser of the ELBO."""
        return Estimate.of(self.log_component - self.log_prior)

    @property
    def mutual_information(self) -> Estimate:
        """I(n; z): how much a code tells of its datum, never more than log N."""
        return Estimate.of(self.log_component - self.log_aggregate)

    @property
    def kl_to_prior(self) -> Estimate:
        """KL(q(z) || p(z)): how far the codes as a whole are from the prior."""
        return Estimate.of(self.log_aggregate - self.log_prior)


def elbo_surgery(
    aggregate: GaussianMixture, *, n_samples: int, rng: np.random.Generator, prior: Mixture | None = None
) -> ELBOSurgery:
    """Split the average divergence from the prior into mutual information and the divergence of q(z).

    ``(1/N) sum_n KL(q(z | x_n) || p(z)) = I(n; z) + KL(q(z) || p(z))``. Each term is a mean over the same
    draws, so the identity holds draw by draw.

    Parameters
    ----------
    aggregate : what ``aggregate_posterior`` returned.
    n_samples : number of draws M; each is evaluated under all N components.
    rng : numpy Generator.
    prior : p(z), a mixture of the dimension of ``aggregate``; None for N(0, I).

    Returns
    -------
    ELBOSurgery with three properties, each an ``Estimate`` in nats.

    Raises
    ------
    ValueError : ``n_samples`` is no integer above 1, ``rng`` no Generator, or ``prior`` of another dimension.

    Notes
    -----
    Derived in {eq}`eq-latent-surgery`. As log q(z | x_n) - log q(z) = log r_n(z) + log N, the mutual
    information is log N plus a mean of log responsibilities, {eq}`eq-latent-information`.
    Source: Hoffman and Johnson (2016).
    """
    n_samples, rng = as_count(n_samples, name="n_samples", minimum=2), as_generator(rng)
    prior = as_prior(prior, aggregate)
    rows = rng.choice(aggregate.n_components, size=n_samples, p=aggregate.weights)
    noise = rng.standard_normal((n_samples, aggregate.n_features))
    z, log_component = _draw(aggregate, rows, noise)
    return ELBOSurgery(log_component, aggregate.log_evidence(z), prior.log_evidence(z))


def _draw(mixture: GaussianMixture, rows: np.ndarray, noise: Array) -> tuple[Array, Array]:
    """Return z = mu + L noise of the components in ``rows``, and log N(z | mu, L L^T)."""
    covariances = mixture.covariances[rows]
    if covariances.ndim == 2:
        scales = np.broadcast_to(np.sqrt(covariances), noise.shape)
        shift = scales * noise
    else:
        factors = np.linalg.cholesky(covariances)
        scales = np.diagonal(factors, axis1=1, axis2=2)
        shift = np.einsum("mij,mj->mi", factors, noise)
    log_density = -np.log(scales).sum(axis=1) - 0.5 * (noise**2 + np.log(2 * np.pi)).sum(axis=1)
    return mixture.means[rows] + shift, log_density
