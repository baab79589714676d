"""Importance weights: log p(x) from samples of q, and how many of them count."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from emvae._random import drawing_from
from emvae._records import Record
from emvae._validation import as_count
from emvae.autoencoders.data import check_draws

if TYPE_CHECKING:
    from emvae.autoencoders.vae import VAE


@dataclass(frozen=True, eq=False)
class ImportanceWeightedBound(Record):
    """A bound on log p(x) from S weighted samples, and how many of them count.

    Attributes
    ----------
    value : (N,) log (1/S) sum_s w_s with w_s = p(x, z_s) / q(z_s | x), in nats.
    effective_sample_size : (N,) (sum_s w_s)^2 / sum_s w_s^2, from 1 to S: near 1 one sample says it all, and
        the value is not to be trusted.
    """

    value: Tensor
    effective_sample_size: Tensor


@torch.no_grad()
def importance_weighted_bound(
    vae: "VAE", x: Tensor, *, n_samples: int, generator: torch.Generator, block_size: int = 1024
) -> ImportanceWeightedBound:
    """Estimate the importance-weighted bound, log (1/S) sum_s p(x, z_s) / q(z_s | x) with z_s from q.

    Its expectation is the ELBO for S = 1, rises with S and tends to log p(x).

    Parameters
    ----------
    vae : a prior, an encoder and a decoder.
    x : (N, D) data.
    n_samples : S.
    generator : torch Generator of the draws; which numbers a datum gets depends on ``block_size``.
    block_size : how many z are decoded at a time, which bounds the memory, whatever S and N are.

    Returns
    -------
    ImportanceWeightedBound with fields of shape (N,). No gradients flow; to train on it see
    ``NegativeIWBound``.

    Raises
    ------
    ValueError : data that the model does not take, counts that are no positive integers, ``generator`` no
        Generator.

    Notes
    -----
    Defined in {eq}`def-forms-iw`; the effective sample size in {eq}`def-forms-ess`.
    Source: Burda, Grosse and Salakhutdinov (2016), equation 8.
    """
    n_samples = check_draws(vae, x, n_samples, generator)
    block_size = as_count(block_size, name="block_size")
    with drawing_from(generator):
        parts = [_weigh(vae, rows, n_samples, block_size) for rows in torch.split(x, block_size)]
    log_sum, log_square_sum = torch.cat(parts, dim=1)
    value, effective_sample_size = log_sum - math.log(n_samples), (2 * log_sum - log_square_sum).exp()
    return ImportanceWeightedBound(value.to(x.dtype), effective_sample_size.to(x.dtype))


def _weigh(vae: "VAE", x: Tensor, n_samples: int, block_size: int) -> Tensor:
    """Return log sum_s w_s and log sum_s w_s^2 of S weights, (2, N), over draws in blocks."""
    q = vae.encoder(x)
    step = max(1, block_size // len(x))
    precise = torch.float32 if x.device.type == "mps" else torch.float64  # mps has no float64
    sums = x.new_full((2, len(x)), -torch.inf, dtype=precise)
    for start in range(0, n_samples, step):
        z = q.sample((min(step, n_samples - start),))
        log_weights = (vae.log_joint(x, z) - q.log_prob(z)).to(precise)
        sums = torch.logaddexp(sums, torch.stack([log_weights, 2 * log_weights]).logsumexp(1))
    return sums
