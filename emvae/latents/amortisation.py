"""Where the encoder is wrong: data whose best code lies far from where q has it."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emvae._records import Record
from emvae._validation import as_positive
from emvae.autoencoders import VAE
from emvae.autoencoders.data import check_data
from emvae.latents.codes import Array, Codes, as_numpy, encode
from emvae.latents.plane import check_plane, latent_dimension, table_of

FIRST_STEP = 0.1
"""Distance of neighbouring points in the mesh that is searched first, in units of z."""
ROUNDS, SHRINK = 16, 2.5
"""Rounds of the local search, and by what the step shrinks in one that found nothing better."""
BLOCK = 256
"""Data searched at a time."""


@dataclass(frozen=True, eq=False)
class AmortisationGaps(Record):
    """What ``amortisation_gaps`` returns."""

    best: Array
    codes: Codes
    distance: Array
    gain: Array

    @property
    def worst_first(self) -> NDArray[np.intp]:
        """Row numbers, the largest distance first, (N,)."""
        return np.argsort(-self.distance, kind="stable")


@torch.no_grad()
def amortisation_gaps(vae: VAE, x: Tensor, *, half_width: float = 6.0) -> AmortisationGaps:
    """Search the plane for the best code of each datum, and tell how far from q it lies.

    An even mesh over a square is searched first, for all data together; then the neighbourhood of the best
    point of each datum, in ever smaller steps. The mean of q is a candidate too, so ``gain`` is never
    negative.

    Parameters
    ----------
    vae : a VAE with a latent of dimension 2.
    x : (N, D) data.
    half_width : the square is [-half_width, half_width]^2.

    Returns
    -------
    A record with rows in the order of ``x``: ``best`` (N, 2), z of the largest log p(x_n, z) that was found,
    to some thousandths of a nat; ``codes``, the encoder's q(z | x_n); ``distance`` (N,) from the mean of q to
    ``best``, in standard deviations of q (Mahalanobis); ``gain`` (N,), log p(x_n, best) - log p(x_n, mean of
    q), in nats; ``worst_first`` (N,), row numbers by falling distance.

    Raises
    ------
    ValueError : data that the model does not take, a latent of another dimension, or a width that is not
        positive.

    Notes
    -----
    Defined in {eq}`def-latent-distance`. Source: Cremer, Li and Duvenaud (2018).
    """
    check_plane(latent_dimension(vae))
    check_data(x, vae.encoder, vae.decoder)
    half_width = as_positive(half_width, name="half_width")
    codes = encode(vae, x)
    means = torch.tensor(codes.means).to(x)
    n_side = int(np.ceil(2 * half_width / FIRST_STEP)) + 1
    axis = torch.linspace(-half_width, half_width, n_side, dtype=x.dtype, device=x.device)
    mesh = torch.cartesian_prod(axis, axis)
    best, gain = [], []
    for rows, mean in zip(torch.split(x, BLOCK), torch.split(means, BLOCK), strict=True):
        at_mean = vae.log_joint(rows, mean)
        found, value = _best_on(vae, rows, mesh)
        better = value > at_mean
        z, value = torch.where(better[:, None], found, mean), torch.maximum(value, at_mean)
        z, value = _climb(vae, rows, z, value, step=float(axis[1] - axis[0]))
        best.append(z)
        gain.append(value - at_mean)
    found_z = as_numpy(torch.cat(best))
    return AmortisationGaps(found_z, codes, _distance(found_z, codes), as_numpy(torch.cat(gain)))


def _best_on(vae: VAE, x: Tensor, mesh: Tensor) -> tuple[Tensor, Tensor]:
    """Return the best of common points for each datum, (B, 2), and its log joint, (B,)."""
    value = x.new_full((len(x),), -torch.inf)
    best = mesh.new_zeros(len(x), 2)
    for points in torch.split(mesh, 4096):
        log_joint = table_of(vae, x, points) + vae.log_prior(points)
        here, where = log_joint.max(1)
        better = here > value
        value[better], best[better] = here[better], points[where[better]]
    return best, value


def _climb(vae: VAE, x: Tensor, z: Tensor, value: Tensor, *, step: float) -> tuple[Tensor, Tensor]:
    """Move each datum's own z (B, 2) to the best of 25 points about it; where that is z, in smaller steps."""
    ticks = torch.arange(-2, 3, dtype=z.dtype, device=z.device)
    offsets = torch.cartesian_prod(ticks, ticks)[:, None]  # (25, 1, 2)
    steps = torch.full_like(value, step / SHRINK)
    for _ in range(ROUNDS):
        candidates = z + steps[:, None] * offsets
        here, where = vae.log_joint(x, candidates).max(0)
        better = here > value
        z = torch.where(better[:, None], candidates[where, torch.arange(len(z))], z)
        value, steps = torch.maximum(here, value), torch.where(better, steps, steps / SHRINK)
    return z, value


def _distance(z: Array, codes: Codes) -> Array:
    """Mahalanobis distance of each z from the mean of its q, (N,)."""
    offset = z - codes.means
    if codes.covariances.ndim == 2:
        return np.sqrt((offset**2 / codes.covariances).sum(axis=1))
    white = np.linalg.solve(np.linalg.cholesky(codes.covariances), offset[:, :, None])
    return np.sqrt((white**2).sum(axis=(1, 2)))
