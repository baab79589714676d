"""The speed table of the second half: training, the importance-weighted bound, the aggregate posterior.

Contenders in turn in one process, medians. What a number is a share of (bare matrix products, softplus) is
timed beside it, in the same turns.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from emvae.bounds import importance_weighted_bound
from emvae.datasets import binarise, mnist
from emvae.mixtures import GaussianMixture
from tests.benchmarks import store
from tests.benchmarks.child import MB, forget_peak, peak_resident
from tests.benchmarks.machine import seconds
from tests.benchmarks.vae_contenders import (
    bare_step,
    emvae_epoch,
    emvae_network,
    jax_elsewhere,
    least_loop_epoch,
    plain_loop_epoch,
    tutorial_epoch,
)

ROOT = Path(__file__).parents[2]
BATCHES = {128: 2.5, 512: 4.0}  # how many times as fast as the tutorial's loop
IW_WIDTHS = (784, 400, 2)
IW = {"n": 1_000, "n_samples": 5_000, "least_share": 0.70}
AGGREGATE = {"n": 10_000, "k": 60_000, "at_least": 10.0, "limit_mb": 1_000.0}
PEER_ROWS = 50  # points at a time for MixtureSameFamily, which holds a table of points and components


def in_turn(work: dict[str, Callable[[], Any]], repetitions: int) -> dict[str, list[float]]:
    """Return the seconds of all pieces of work, each called once in every turn, after one turn to warm up."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(repetitions + 1):
        for name, function in work.items():
            taken = seconds(function)
            if turn:
                times[name].append(taken)
    return times


def training(batch_size: int, images: NDArray[np.uint8], repetitions: int) -> dict[str, Any]:
    """Time a pass over the data by emvae, by JAX, by plain loops, by the least loop and by the bare products.

    What a compiler takes is what the first pass takes longer than the later ones.
    """
    load = store.load()
    grey, n_bytes = torch.tensor(images) / 255, torch.tensor(images)
    step, steps = bare_step(batch_size), -(-len(images) // batch_size)
    ours = {
        "emvae": partial(emvae_epoch, grey, batch_size, binarise=False),
        "emvae, bits drawn anew": partial(emvae_epoch, n_bytes, batch_size, binarise=True),
        "emvae, compile=True": partial(emvae_epoch, grey, batch_size, binarise=False, compile=True),
    }
    loops = {
        "tutorial": partial(tutorial_epoch, images, batch_size, workers=0),
        "tutorial, one worker process": partial(tutorial_epoch, images, batch_size, workers=1),
        "plain loop, emvae's network": partial(plain_loop_epoch, images, batch_size),
        "least loop, emvae's network": partial(least_loop_epoch, grey, batch_size),
        "bare": lambda: [step() for _ in range(steps)],
    }
    with ExitStack() as stack:
        jax = {"JAX": stack.enter_context(jax_elsewhere(images))} if find_spec("optax") else {}
        work = {**ours, **{name: partial(epoch, batch_size) for name, epoch in jax.items()}, **loops}
        first = {name: seconds(work[name]) for name in ("emvae, compile=True", "JAX") if name in work}
        times = in_turn(work, repetitions)
    middle = {name: median(times[name]) for name in times}
    return {
        "name": f"training-{batch_size}",
        "batch_size": batch_size,
        "n": len(images),
        "at_least": BATCHES[batch_size],
        "compile_seconds": {name: first[name] - middle[name] for name in first},
        "images_per_second": {name: len(images) / middle[name] for name in middle if name != "bare"},
        "ratio": middle["tutorial, one worker process"] / middle["emvae"],
        "ratio_without_worker": middle["tutorial"] / middle["emvae"],
        "share": middle["bare"] / middle["emvae"],
        "share_of_least_loop": middle["bare"] / middle["least loop, emvae's network"],
        "seconds": middle,
        "all_seconds": times,
        "date": date.today().isoformat(),
        "load_before": load,
    }


def subnormal_moments(repetitions: int) -> dict[str, Any]:
    """Time Adam's step where moments have decayed to 0, and where they are stuck at subnormal numbers."""
    load = store.load()
    work = {"zero": _steps_of_adam(0.0), "subnormal": _steps_of_adam(1e-40)}
    times = in_turn(work, repetitions)
    middle = {name: median(times[name]) for name in times}
    return {
        "name": "subnormal-moments",
        "ratio": middle["subnormal"] / middle["zero"],
        "seconds": middle,
        "all_seconds": times,
        "date": date.today().isoformat(),
        "load_before": load,
    }


def _steps_of_adam(moment: float) -> Callable[[], None]:
    """Return ten steps of Adam without gradient, from first moments that are all of one size."""
    weights = list(emvae_network().parameters())
    optimiser = torch.optim.Adam(weights, fused=True)
    for weight in weights:
        weight.grad = torch.zeros_like(weight)
    optimiser.step()

    def steps() -> None:
        for state in optimiser.state.values():
            state["exp_avg"].fill_(moment)
        for _ in range(10):
            optimiser.step()

    return steps


def importance_weighting(n: int, n_samples: int, repetitions: int) -> dict[str, Any]:
    """Time the importance-weighted bound, and the products and the softplus that it cannot do without."""
    load = store.load()
    images = mnist(flat=True).test_images[:n]
    bits = binarise(images, method="stochastic", rng=np.random.default_rng(0))
    x, vae = torch.tensor(bits, dtype=torch.float32), emvae_network(IW_WIDTHS, grey_levels=False)
    rows = 1024  # as importance_weighted_bound decodes them
    z, hidden, logits = torch.rand(rows, IW_WIDTHS[2]), torch.rand(rows, IW_WIDTHS[1]), torch.rand(rows, 784)
    first, last = torch.rand(IW_WIDTHS[1], IW_WIDTHS[2]), torch.rand(784, IW_WIDTHS[1])
    blocks = n * n_samples // rows

    def bound() -> None:
        importance_weighted_bound(vae, x, n_samples=n_samples, generator=torch.Generator().manual_seed(0))

    def products() -> None:
        for _ in range(blocks):
            torch.mm(z, first.T)
            torch.mm(hidden, last.T)

    def softplus() -> None:
        for _ in range(blocks):
            torch.nn.functional.softplus(logits)

    times = in_turn({"emvae": bound, "products": products, "softplus": softplus}, repetitions)
    middle = {name: median(times[name]) for name in times}
    return {
        "name": "importance-weighted-bound",
        "n": n,
        "n_samples": n_samples,
        "widths": list(IW_WIDTHS),
        "least_share": IW["least_share"],
        "share": (middle["products"] + middle["softplus"]) / middle["emvae"],
        "seconds": middle,
        "all_seconds": times,
        "date": date.today().isoformat(),
        "load_before": load,
    }


def aggregate(n: int, k: int, repetitions: int) -> dict[str, Any]:
    """Time log q(z) of an aggregate posterior against torch's MixtureSameFamily, and tell the peak memory."""
    load = store.load()
    mixture, z = blobs(k), points(n)
    few = z[: max(n // 20, 1)]
    peer_points = torch.tensor(few)

    def peer() -> torch.Tensor:
        q = as_torch(mixture)
        return torch.cat([q.log_prob(part) for part in torch.split(peer_points, PEER_ROWS)])

    work = {"emvae": lambda: mixture.log_evidence(z), "a twentieth by MixtureSameFamily": peer}
    times = in_turn(work, repetitions)
    middle = {name: median(times[name]) for name in times}
    theirs = middle["a twentieth by MixtureSameFamily"] * n / len(few)
    command = [sys.executable, "-m", "tests.benchmarks.vae_speed", "peak", str(n), str(k)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return {
        "name": "aggregate-log-density",
        "n": n,
        "k": k,
        "at_least": AGGREGATE["at_least"],
        "limit_mb": AGGREGATE["limit_mb"],
        "seconds": middle["emvae"],
        "peer_seconds": theirs,
        "ratio": theirs / middle["emvae"],
        "disagreement": float(np.abs(mixture.log_evidence(few) - peer().numpy()).max()),
        "peak_mb": json.loads(told.stdout)["peak_mb"],
        "all_seconds": times,
        "date": date.today().isoformat(),
        "load_before": load,
    }


def blobs(k: int) -> GaussianMixture:
    """Return K narrow Gaussians in the plane, as a trained encoder makes them of K images."""
    rng = np.random.default_rng(0)
    variances = np.exp(rng.normal(np.log(0.05**2), 0.7, (k, 2)))
    return GaussianMixture(np.full(k, 1 / k), rng.standard_normal((k, 2)), variances, learn_weights=False)


def points(n: int) -> NDArray[np.float64]:
    """Return draws from the prior."""
    return np.random.default_rng(1).standard_normal((n, 2))


def as_torch(mixture: GaussianMixture) -> MixtureSameFamily:
    """Return the same mixture in torch."""
    components = Normal(
        torch.tensor(mixture.means), torch.tensor(mixture.covariances).sqrt(), validate_args=False
    )
    weights = Categorical(probs=torch.tensor(mixture.weights), validate_args=False)
    return MixtureSameFamily(weights, Independent(components, 1), validate_args=False)


def peak(n: int, k: int) -> dict[str, float]:
    """Return the peak memory of this process beyond the mixture and the points, in MB."""
    mixture, z = blobs(k), points(n)
    forget_peak()
    before = peak_resident()
    mixture.log_evidence(z)
    return {"peak_mb": max(peak_resident() - before, 0) / MB}


def run(results: Path, *, quick: bool) -> None:
    """Measure all rows, store each as soon as it is there."""
    path = results / "vae_speed.json"
    study = store.read(path)
    study["command"] = "python -m tests.benchmarks speed-vae" + (" --quick" if quick else "")
    study["conditions"] = store.conditions(
        ("numpy", "torch", *(("jax", "optax") if find_spec("optax") else ()))
    )
    study["threads"] = torch.get_num_threads()
    images, repetitions = mnist(flat=True).train_images, 1 if quick else 5
    for batch_size in BATCHES:
        row = training(batch_size, images[:512] if quick else images, repetitions)
        store.put_row(path, study, row)
        print(f"{row['name']:26s} {row['ratio']:5.1f}x  bare work {row['share']:4.0%}", flush=True)
        if "JAX" not in row["seconds"]:
            print("JAX is absent, so is its row: pip install '.[jax]'", flush=True)
    row = subnormal_moments(1 if quick else 5)
    store.put_row(path, study, row)
    print(f"{row['name']:26s} {row['ratio']:5.1f}x", flush=True)
    n, n_samples = (10, 500) if quick else (IW["n"], IW["n_samples"])
    row = importance_weighting(int(n), int(n_samples), 1 if quick else 3)
    store.put_row(path, study, row)
    print(f"{row['name']:26s} {row['seconds']['emvae']:6.2f} s  bare work {row['share']:4.0%}", flush=True)
    n, k = (100, 1_000) if quick else (AGGREGATE["n"], AGGREGATE["k"])
    row = aggregate(int(n), int(k), 1 if quick else 3)
    store.put_row(path, study, row)
    print(f"{row['name']:26s} {row['ratio']:5.1f}x  peak {row['peak_mb']:.0f} MB", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Tell the peak memory of log q(z).")
    parser.add_argument("what", choices=["peak"])
    parser.add_argument("n", type=int)
    parser.add_argument("k", type=int)
    arguments = parser.parse_args()
    json.dump(peak(arguments.n, arguments.k), sys.stdout)
