"""The plane of a two-dimensional latent: its mesh of equal prior mass, the decoder's table over points."""

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn.functional import softplus

from emvae._validation import as_count, as_floats
from emvae.autoencoders import VAE, IndependentBernoulli
from emvae.autoencoders.data import check_data
from emvae.latents.codes import Array

TABLE_NUMBERS = 2**24
"""Numbers in a table of points, data and features that is held at a time where no product will do."""


def inverse_cdf_mesh(n_side: int) -> Array:
    """Return points of the plane that stand for equal prior mass, as a grid.

    ``z_ij = (Phi^-1((j + 1/2) / n), Phi^-1(1 - (i + 1/2) / n))``: the midpoints of an even mesh of the unit
    square, sent through the inverse of the standard Gaussian's distribution function.

    Parameters
    ----------
    n_side : n.

    Returns
    -------
    z : (n, n, 2), row 0 on top as images are drawn: z_1 grows to the right, z_2 upwards.

    Raises
    ------
    ValueError : ``n_side`` is no positive integer.

    Notes
    -----
    Defined in {eq}`def-latent-mesh`.
    """
    n_side = as_count(n_side, name="n_side")
    u = (torch.arange(n_side, dtype=torch.float64) + 0.5) / n_side
    axis = torch.special.ndtri(u).numpy()
    return np.stack(np.meshgrid(axis, axis[::-1]), axis=-1)


def to_unit_square(z: ArrayLike) -> Array:
    """Map points of the plane into the unit square, u = Phi(z) in each dimension.

    Draws from N(0, I) become uniform, and only those: what is not uniform in u is not N(0, I) in z.

    Parameters
    ----------
    z : (M, 2) points.

    Returns
    -------
    u : (M, 2), in [0, 1].

    Raises
    ------
    ValueError : ``z`` is not of shape (M, 2), or not finite.

    Notes
    -----
    Derived in {eq}`eq-latent-uniform`. Source: Rosenblatt (1952).
    """
    points = as_floats(z, name="z", shape=(None, 2))
    return torch.special.ndtr(torch.tensor(points)).numpy()


@torch.no_grad()
def log_likelihood_table(vae: VAE, x: Tensor, z: Tensor) -> Tensor:
    """Return log p(x_n | z_m) of all data at all points, (N, M) in nats.

    Each point is decoded once, whatever N is; for a Bernoulli decoder the rest is one matrix product.

    Parameters
    ----------
    vae : a VAE.
    x : (N, D) data.
    z : (M, Z) points, in the precision of the model.

    Raises
    ------
    ValueError : data that the model does not take, or points of another shape.

    Notes
    -----
    Defined in {eq}`def-forms-bernoulli`.
    """
    check_data(x, vae.encoder, vae.decoder)
    if z.ndim != 2 or z.shape[1] != latent_dimension(vae):
        raise ValueError(
            f"z has shape {tuple(z.shape)}: pass points of shape (M, {latent_dimension(vae)}), one a row"
        )
    return table_of(vae, x, z)


def table_of(vae: VAE, x: Tensor, z: Tensor) -> Tensor:
    """``log_likelihood_table`` without checks, for many small tables of one set of data."""
    p = vae.decoder(z)
    if isinstance(p, IndependentBernoulli):
        logits = p.base_dist.logits
        return torch.addmm(softplus(logits).sum(-1), x, logits.T, beta=-1.0)
    rows = max(1, TABLE_NUMBERS // x.numel())
    return torch.cat([vae.decoder(part[:, None]).log_prob(x) for part in torch.split(z, rows)]).T


def latent_dimension(vae: VAE) -> int:
    """Return Z, from the shape of the prior's events."""
    return int(vae.prior().event_shape[0])


def check_plane(n_latent: int) -> None:
    """Raise where the latent has another dimension than two."""
    if n_latent != 2:
        raise ValueError(
            f"the latent has {n_latent} dimension{'s' * (n_latent != 1)}: pass a model with a latent of "
            "dimension 2, this tool works on the plane"
        )
