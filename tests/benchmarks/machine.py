"""What the machine can do at best: the bare matrix products and exponentials of one iteration."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emvae._parallel import map_blocks
from emvae.mixtures import BernoulliMixture
from tests.benchmarks.problems import Model


def best_time(work: Callable[[], Any], repetitions: int = 3) -> float:
    """Return the shortest time of several, in seconds."""
    return min(seconds(work) for _ in range(repetitions))


def seconds(work: Callable[[], Any]) -> float:
    """Time one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def bare_work(model: Model, x: NDArray[Any]) -> dict[str, Callable[[], Any]]:
    """Return what no implementation of this form can do without in an iteration, to be timed.

    ``products`` are the two matrix products, parameters with features and responsibilities with
    features, of the sizes that emvae uses and in whichever orientation is faster on this machine;
    ``exponentials`` are N K calls of exp. Nothing is converted, normalised or reduced.
    """
    n, rows, features = len(x), min(model.block_rows, len(x)), n_features(model, x)
    dtype = model.dtype if isinstance(model, BernoulliMixture) else np.float64
    rng = np.random.default_rng(0)
    table = rng.random((features, rows)).astype(dtype)
    if isinstance(model, BernoulliMixture):
        table = np.asfortranarray(table)  # images lie in rows
    small = rng.random((model.n_components, features)).astype(dtype)
    resp = rng.random((model.n_components, rows)).astype(dtype)
    logs = -rng.random((model.n_components, rows))
    whole, rest = divmod(n, rows)
    sizes = [rows] * whole + [rest] * (rest > 0)

    def on_blocks(work: Callable[[int], Any]) -> Callable[[], Any]:
        return lambda: list(map_blocks(work, sizes))

    def faster(*choices: Callable[[int], Any]) -> Callable[[int], Any]:
        return min(choices, key=lambda work: best_time(on_blocks(work), 1))

    score = faster(lambda b: small @ table[:, :b], lambda b: table[:, :b].T @ small.T)
    gather = faster(lambda b: resp[:, :b] @ table[:, :b].T, lambda b: table[:, :b] @ resp[:, :b].T)
    return {
        "products": on_blocks(lambda b: (score(b), gather(b))),
        "exponentials": on_blocks(lambda b: np.exp(logs[:, :b])),
    }


def n_features(model: Model, x: NDArray[Any]) -> int:
    """Return how many features parameters are multiplied with, on average over the blocks."""
    d = model.n_features
    if isinstance(model, BernoulliMixture):
        return d
    return d * (d + 1) // 2 + d + 1


def peak_rates(side: int = 2_000) -> dict[str, float]:
    """Measure GFLOP/s of large square products and exponentials per second, on the cores used."""
    square: NDArray[np.float64] = np.random.default_rng(0).random((side, side))
    single = square.astype(np.float32)
    logs = -np.random.default_rng(0).random(2**17)

    def rate(work: Callable[[], Any], amount: float) -> float:
        return 4 * amount / best_time(lambda: list(map_blocks(lambda _: work(), range(4))))

    return {
        "float64_gflops": rate(lambda: square @ square, 2e-9 * side**3),
        "float32_gflops": rate(lambda: single @ single, 2e-9 * side**3),
        "exponentials_per_second": rate(lambda: [np.exp(logs) for _ in range(16)], 16.0 * len(logs)),
    }
