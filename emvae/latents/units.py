"""Which dimensions of the latent carry anything at all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from emvae._records import Record
from emvae._validation import as_non_negative
from emvae.autoencoders import VAE
from emvae.latents.codes import Array, encode


@dataclass(frozen=True, eq=False)
class ActiveUnits(Record):
    """What ``active_units`` returns."""

    variances: Array
    active: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """Number of active dimensions; 0 is posterior collapse."""
        return int(self.active.sum())


def active_units(vae: VAE, x: Tensor, *, threshold: float = 0.01) -> ActiveUnits:
    """Tell the dimensions of the latent that depend on the data from those that collapsed.

    Dimension u is active if ``Var_x(E_q[z_u]) > threshold``.

    Parameters
    ----------
    vae, x : as in ``encode``; at least two data.
    threshold : in squared units of z.

    Returns
    -------
    A record: ``variances`` (Z,), variance over the data of the mean of q(z_u | x); ``active`` (Z,), whether
    that is above the threshold; ``count``, how many are.

    Raises
    ------
    ValueError : as ``encode``, a single datum, or a threshold that is negative or not finite.

    Notes
    -----
    Defined in {eq}`def-latent-active`. Source: Burda, Grosse and Salakhutdinov (2016), section 5.2.
    """
    threshold = as_non_negative(threshold, name="threshold")
    means = encode(vae, x).means
    if len(means) < 2:
        raise ValueError("x holds one datum: pass at least two, one has no variance")
    variances = means.var(axis=0, ddof=1)
    return ActiveUnits(variances, variances > threshold)
