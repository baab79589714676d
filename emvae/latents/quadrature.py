"""Exact evidence of a model with a latent plane: the integral over z, on tiles refined where it matters."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emvae._records import Record
from emvae._validation import as_count, as_positive
from emvae.autoencoders import VAE
from emvae.autoencoders.data import check_data
from emvae.latents.codes import Array, as_numpy
from emvae.latents.plane import check_plane, latent_dimension, table_of

SIDE = 16
"""Points along each side of a tile."""
FIRST = 8
"""Tiles along each side of the square at the first level."""
TAIL = 12.0
"""What is this many nats below the largest value is kept as it is and not refined for its own sake."""
NARROWEST = 0.005
"""Standard deviation, in units of z, of the narrowest peak that may not hide between two points of a tile."""
RESOLVED = 0.2
"""Largest share of the integral that one point may have on a mesh that is fine enough."""


@dataclass(frozen=True, eq=False)
class Quadrature(Record):
    """What ``log_evidence_by_quadrature`` returns."""

    value: Array
    change: Array
    step: Array
    converged: NDArray[np.bool_]


@torch.no_grad()
def log_evidence_by_quadrature(
    vae: VAE,
    x: Tensor,
    *,
    tol: float = 1e-3,
    half_width: float = 6.0,
    max_levels: int = 8,
) -> Quadrature:
    """Integrate log p(x) = log int p(x | z) p(z) dz over a latent plane, without help from the encoder.

    A square is covered with an even mesh; its points are decoded once for all data. For each datum the
    tiles that matter are quartered, until two meshes agree. The encoder is not asked where to look, so a
    posterior that is narrow and far from where q has it is found all the same.

    Parameters
    ----------
    vae : a VAE with a latent of dimension 2.
    x : (N, D) data.
    tol : largest change, in nats, at which two meshes agree.
    half_width : the square is [-half_width, half_width]^2.
    max_levels : number of meshes at most, each with half the step of the one before.

    Returns
    -------
    A record of arrays (N,): ``value``, log p(x_n) in nats; ``change``, by how much the last refinement of the
    mesh changed it, in nats, infinite without any; ``step``, the distance of neighbouring points in the
    finest mesh, in units of z; ``converged``, whether two meshes agree within the tolerance, the peak is
    resolved, and nothing that counts lies at the edge of the square. Where it is False, ``value`` is not to
    be trusted.

    Raises
    ------
    ValueError : data that the model does not take, a latent of another dimension, a tolerance or width that
        is not positive, or fewer than two levels.

    Notes
    -----
    Derived in {eq}`eq-latent-quadrature`. With step h the point nearest to a Gaussian peak of standard
    deviation s is at most h^2 / (4 s^2) nats below it, whence the margin; and the midpoint rule's error falls
    like exp(-2 pi^2 s^2 / h^2), {eq}`eq-latent-midpoint`. The precision is the model's: about 1e-4 nats with
    float32.
    """
    check_plane(latent_dimension(vae))
    check_data(x, vae.encoder, vae.decoder)
    tol, half_width = as_positive(tol, name="tol"), as_positive(half_width, name="half_width")
    max_levels = as_count(max_levels, name="max_levels", minimum=2)

    mesh = _Mesh(vae, x, half_width)
    value = mesh.total
    change, step = torch.full_like(value, torch.inf), torch.full_like(value, mesh.step)
    todo = mesh.at_edge <= tol  # a finer mesh does not help where the square is too small
    converged = torch.zeros_like(todo)
    for _ in range(1, max_levels):
        mesh.refine(todo, margin=TAIL + mesh.step**2 / (4 * NARROWEST**2))
        change[todo] = (mesh.total - value).abs()[todo]
        value[todo], step[todo] = mesh.total[todo], mesh.step
        agree = todo & (change <= tol) & (mesh.largest_share <= RESOLVED)
        converged, todo = converged | agree, todo & ~agree
        if not todo.any():
            break
    return Quadrature(as_numpy(value), as_numpy(change), as_numpy(step), converged.cpu().numpy())


class _Mesh:
    """The midpoint rule on tiles; each datum has its own set, of which the finest are open to refinement.

    Attributes
    ----------
    step : distance of neighbouring points, h.
    total : (N,) log of the integral.
    peak : (N,) largest log p(x_n, z) at a point of the finest tiles.
    at_edge : (N,) share of the integral that the outermost points of the first mesh have.
    """

    def __init__(self, vae: VAE, x: Tensor, half_width: float) -> None:
        self.vae, self.x = vae, x
        self.side = 2 * half_width / FIRST
        corners = -half_width + self.side * torch.arange(FIRST, dtype=torch.float64)
        everyone = torch.arange(len(x), device=x.device)
        self.open = [(corner, everyone) for corner in torch.cartesian_prod(corners, corners)]
        self.settled = x.new_full((len(x),), -torch.inf, dtype=torch.float64)
        edge = half_width - self.step
        self.at_edge = torch.full_like(self.settled, -torch.inf)
        self._evaluate(edge)
        self.at_edge = (self.at_edge - self.total).exp()

    @property
    def step(self) -> float:
        return self.side / SIDE

    @property
    def largest_share(self) -> Tensor:
        """Share of the integral that the point with the largest value has, (N,)."""
        return (self.peak + 2 * np.log(self.step) - self.total).exp()

    def refine(self, wanted: Tensor, *, margin: float) -> None:
        """Halve the step on the tiles that matter to the data wanted; keep the sums of the others."""
        half = torch.tensor([0.0, self.side / 2], dtype=torch.float64)
        quarters = torch.cartesian_prod(half, half)
        children = []
        for (corner, data), log_sum, largest in zip(self.open, self.log_sums, self.largest, strict=True):
            matters = wanted[data] & (largest > self.peak[data] - margin)
            left = data[~matters]
            self.settled[left] = torch.logaddexp(self.settled[left], log_sum[~matters])
            if matters.any():
                children += [(child, data[matters]) for child in corner + quarters]
        self.open, self.side = children, self.side / 2
        self._evaluate()

    def _evaluate(self, edge: float = np.inf) -> None:
        """Sum p(x, z) over the points of the open tiles; beyond ``edge`` also separately."""
        self.total, self.peak = self.settled.clone(), torch.full_like(self.settled, -torch.inf)
        self.log_sums, self.largest = [], []
        for z, data in self._tiles():
            log_joint = table_of(self.vae, self.x[data], z).double() + self.vae.log_prior(z).double()
            log_sum = log_joint.logsumexp(1) + 2 * np.log(self.step)
            largest = log_joint.amax(1)
            self.total[data] = torch.logaddexp(self.total[data], log_sum)
            self.peak[data] = torch.maximum(self.peak[data], largest)
            self.log_sums.append(log_sum)
            self.largest.append(largest)
            outside = (z.abs() > edge).any(1)
            if outside.any():
                rim = log_joint[:, outside].logsumexp(1) + 2 * np.log(self.step)
                self.at_edge[data] = torch.logaddexp(self.at_edge[data], rim)

    def _tiles(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the points (SIDE^2, 2) of each open tile, and the data it is open for."""
        middles = self.step * (torch.arange(SIDE, dtype=torch.float64) + 0.5)
        offsets = torch.cartesian_prod(middles, middles)
        for corner, data in self.open:
            yield (corner + offsets).to(self.x), data
