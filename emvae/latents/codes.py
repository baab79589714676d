"""What an encoder makes of data: a Gaussian for each datum, and the mixture of them all."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import (
    Distribution,
    Independent,
    LowRankMultivariateNormal,
    MultivariateNormal,
    Normal,
)

from emvae._records import Record
from emvae.autoencoders import VAE, Autoencoder
from emvae.autoencoders.data import check_data
from emvae.mixtures import GaussianMixture

Array = NDArray[np.floating[Any]]
GAUSSIANS = (Normal, MultivariateNormal, LowRankMultivariateNormal)
"""What q may be, or what torch's ``Independent`` may be around."""
BLOCK = 4096
"""Data encoded at a time, which bounds the memory."""


@dataclass(frozen=True, eq=False)
class Codes(Record):
    """The posteriors q(z | x_n) = N(means[n], covariances[n]).

    Attributes
    ----------
    means : (N, Z).
    covariances : (N, Z) variances, where q has independent dimensions, else (N, Z, Z).
    """

    means: Array
    covariances: Array


@torch.no_grad()
def encode(vae: VAE | Autoencoder, x: Tensor) -> Codes:
    """Encode data: the mean and covariance of q(z | x_n) for each row.

    Parameters
    ----------
    vae : a VAE whose encoder returns a Gaussian of torch's: a Normal within ``Independent``, such as
        ``DiagonalNormal``, a MultivariateNormal or a LowRankMultivariateNormal. The type decides: a Laplace
        has mean and variance too, and is refused. Of an ``Autoencoder`` the means are the codes, and nothing
        else is used.
    x : (N, D) data, encoded block by block.

    Returns
    -------
    Codes : in float64, on the CPU.

    Raises
    ------
    ValueError : data that the model does not take, or a q that is not Gaussian.
    """
    check_data(x, vae.encoder, vae.decoder)
    parts = [_moments(vae.encoder(rows)) for rows in torch.split(x, BLOCK)]
    means, covariances = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Codes(means, covariances)


def aggregate_posterior(vae: VAE, x: Tensor) -> GaussianMixture:
    """Return the aggregate posterior, the average of all q(z | x_n): a mixture of N Gaussians.

    ``q(z) = (1 / N) sum_n q(z | x_n)``. Its ``log_evidence`` is log q(z), and its ``log_posterior`` tells
    which datum a code came from.

    Parameters
    ----------
    vae, x : as in ``encode``.

    Returns
    -------
    GaussianMixture with K = N equal weights.

    Raises
    ------
    ValueError : as ``encode``.

    Notes
    -----
    Defined in {eq}`def-latent-aggregate`. Source: Makhzani et al. (2015), who named it.
    """
    codes = encode(vae, x)
    n = len(codes.means)
    return GaussianMixture(np.full(n, 1 / n), codes.means, codes.covariances, learn_weights=False)


def _moments(q: Distribution) -> tuple[Array, Array]:
    base = q
    while isinstance(base, Independent):
        base = base.base_dist
    if len(q.batch_shape) != 1 or len(q.event_shape) != 1 or not isinstance(base, GAUSSIANS):
        shapes = f"batch shape {tuple(q.batch_shape)} and event shape {tuple(q.event_shape)}"
        raise ValueError(
            f"q(z | x) is a {type(base).__name__} with {shapes}: pass a model whose encoder returns a "
            "Gaussian of shapes (N,) and (Z,), as Independent(Normal(loc, scale), 1) or MultivariateNormal"
        )
    if isinstance(base, Normal):
        return as_numpy(base.loc), as_numpy(base.scale) ** 2
    covariances = base.covariance_matrix.expand(*q.batch_shape, -1, -1)
    return as_numpy(q.mean), as_numpy((covariances + covariances.mT) / 2)


def as_numpy(tensor: Tensor) -> NDArray[Any]:
    """Return a tensor's numbers in float64, on the CPU."""
    return tensor.detach().to("cpu", torch.float64).numpy()
