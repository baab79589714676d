"""What is measured: the rows of the speed table, their data and their common starts."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emvae.datasets import binarise, mnist
from emvae.mixtures import BernoulliMixture, GaussianMixture

Model = GaussianMixture | BernoulliMixture


@dataclass(frozen=True)
class Problem:
    """One row of the table.

    Attributes
    ----------
    name : key under which results are stored.
    n, d, k : size.
    family : "gaussian" (full covariances, synthetic data) or "bernoulli" (binarised MNIST).
    peer : whom emvae is compared with.
    at_least : how many times faster emvae has to be; None in a quick run.
    n_iter : M-steps of a timed fit.
    dtype : precision of emvae's matrix products; the peer always works in float64.
    least_product_share : share of emvae's time that the bare matrix products have to be.
    """

    name: str
    n: int
    d: int
    k: int
    family: Literal["gaussian", "bernoulli"]
    peer: Literal["scikit-learn", "stepmix"]
    at_least: float | None
    n_iter: int
    dtype: str = "float64"
    least_product_share: float = 0.0


PROBLEMS = (
    Problem("gaussian-10000x2-k5", 10_000, 2, 5, "gaussian", "scikit-learn", 4.0, 100),
    Problem("gaussian-100000x8-k16", 100_000, 8, 16, "gaussian", "scikit-learn", 5.0, 10),
    Problem(
        "gaussian-60000x50-k20", 60_000, 50, 20, "gaussian", "scikit-learn", 2.5, 10, least_product_share=0.5
    ),
    Problem("gaussian-1000000x2-k8", 1_000_000, 2, 8, "gaussian", "scikit-learn", 8.0, 10),
    Problem("bernoulli-mnist-k10", 60_000, 784, 10, "bernoulli", "stepmix", 3.0, 10),
    Problem("bernoulli-mnist-k100", 60_000, 784, 100, "bernoulli", "stepmix", 4.0, 10),
    Problem("bernoulli-mnist-k10-float32", 60_000, 784, 10, "bernoulli", "stepmix", 3.0, 10, "float32"),
    Problem("bernoulli-mnist-k100-float32", 60_000, 784, 100, "bernoulli", "stepmix", 4.0, 10, "float32"),
)


def data(problem: Problem) -> NDArray[Any]:
    """Return the data of a row: float64 draws from K random Gaussians, or uint8 bits of MNIST."""
    if problem.family == "bernoulli":
        return binarise(mnist(flat=True).train_images[: problem.n], method="threshold")
    return gaussian_data(problem.n, problem.d, problem.k)


def gaussian_data(n: int, d: int, k: int) -> NDArray[np.float64]:
    """Draw from K overlapping Gaussians with full covariances, standard deviations from 0.5 to 1.5."""
    rng = np.random.default_rng([n, d, k])
    means = rng.normal(0.0, 3.0, (k, d))
    turns, _ = np.linalg.qr(rng.standard_normal((k, d, d)))
    factors = turns * rng.uniform(0.5, 1.5, (k, 1, d))
    x, z = rng.standard_normal((n, d)), rng.integers(k, size=n)
    for component in range(k):
        mine = z == component
        x[mine] = means[component] + x[mine] @ factors[component].T
    return x


def start(problem: Problem, x: NDArray[Any]) -> Model:
    """Return the common start of all contenders; no floor is active, as the peers have none."""
    rng = np.random.default_rng(problem.k)
    if problem.family == "gaussian":
        return replace(GaussianMixture.initialise(x, problem.k, rng=rng), min_variance=0.0)
    model = BernoulliMixture.initialise(x, problem.k, rng=rng, dtype=np.dtype(problem.dtype))
    return replace(model, min_prob=1e-15)  # where stepmix clips


def smaller(problem: Problem) -> Problem:
    """Return a row of the same kind that takes no time, to try the benchmark itself."""
    return replace(problem, n=1_000, k=min(problem.k, 5), n_iter=2, at_least=None, least_product_share=0.0)
