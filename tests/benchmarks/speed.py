"""The speed table: contenders in turn in one process, from one start, for the same iterations."""

import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

from emvae.mixtures import product_form
from tests.benchmarks import store
from tests.benchmarks.contenders import CONTENDERS, contender_version, favourite_format
from tests.benchmarks.machine import bare_work, peak_rates, seconds
from tests.benchmarks.problems import PROBLEMS, Problem, data, smaller, start

REPETITIONS = 5
SECONDS = 20.0  # a row repeats until so much time is spent, but not more often than MOST
MOST = 15
PACKAGES = ("numpy", "scikit-learn", "stepmix", "threadpoolctl")


def measure(
    problem: Problem, *, repetitions: int = REPETITIONS, enough_seconds: float = SECONDS
) -> dict[str, Any]:
    """Time a row: a warm-up each, then in turn; medians, and the log likelihoods that both reached."""
    load = store.load()
    x = data(problem)
    model = start(problem, x)
    inputs = {name: favourite_format(name, x) for name in ("emvae", problem.peer)}

    def fit(name: str, n_iter: int) -> float:
        return CONTENDERS[name](model, inputs[name], n_iter)

    reached = {name: fit(name, problem.n_iter) for name in inputs}
    work = {name: partial(fit, name) for name in inputs}
    work |= {name: partial(repeat, bare) for name, bare in bare_work(model, x).items()}
    times = in_turn(work, problem.n_iter, repetitions, enough_seconds)
    middle = {name: median(times[name]) for name in times}
    row = {
        **{key: getattr(problem, key) for key in ("name", "n", "d", "k", "family", "dtype", "n_iter")},
        "peer": problem.peer,
        "peer_version": contender_version(problem.peer),
        "emvae_version": contender_version("emvae"),
        "seconds": middle["emvae"],
        "peer_seconds": middle[problem.peer],
        "ratio": middle[problem.peer] / middle["emvae"],
        "at_least": problem.at_least,
        "products_seconds": middle["products"],
        "exponentials_seconds": middle["exponentials"],
        "product_share": middle["products"] / middle["emvae"],
        "bound_share": (middle["products"] + middle["exponentials"]) / middle["emvae"],
        "least_product_share": problem.least_product_share,
        "relative_disagreement": abs(reached["emvae"] / reached[problem.peer] - 1),
        "all_seconds": times,
        "block_rows": model.block_rows,
        "date": date.today().isoformat(),
        "load_before": load,
    }
    if problem.family == "gaussian":
        with patch.object(product_form, "MAX_ERROR", -1.0):  # the guard is shut
            accurate = in_turn({"emvae": work["emvae"]}, problem.n_iter, 3 if repetitions > 1 else 1, 0.0)
        row["accurate_seconds"] = median(accurate["emvae"])
    return row


def in_turn(
    work: dict[str, Callable[[int], Any]], n_iter: int, repetitions: int, enough_seconds: float
) -> dict[str, list[float]]:
    """Return seconds per iteration of all pieces of work, timed in turn so that none has the quiet hour."""
    times: dict[str, list[float]] = {name: [] for name in work}
    started = time.perf_counter()
    for turn in range(1, MOST + 1):
        for name, function in work.items():
            times[name].append(seconds(partial(function, n_iter)) / n_iter)
        if turn >= repetitions and time.perf_counter() - started > enough_seconds:
            break
    return times


def repeat(work: Callable[[], Any], n_iter: int) -> None:
    """Do it as often as a fit of n_iter iterations takes E-steps."""
    for _ in range(n_iter + 1):
        work()


def run(results: Path, *, quick: bool) -> None:
    """Measure all rows, store each as soon as it is there."""
    path = results / "speed.json"
    study = store.read(path)
    study["command"] = "python -m tests.benchmarks speed" + (" --quick" if quick else "")
    study["conditions"] = store.conditions(PACKAGES)
    study["peak_rates"] = peak_rates(200 if quick else 2_000)
    for problem in PROBLEMS[::4] if quick else PROBLEMS:
        row = measure(smaller(problem), repetitions=1, enough_seconds=0.0) if quick else measure(problem)
        store.put_row(path, study, row)
        print(
            f"{row['name']:30s} emvae {1e3 * row['seconds']:8.2f} ms  {row['peer']:12s} "
            f"{1e3 * row['peer_seconds']:8.2f} ms  {row['ratio']:5.1f}x (at least {row['at_least'] or '-'})  "
            f"products {row['product_share']:4.0%}  bound {row['bound_share']:4.0%}  "
            f"load {row['load_before']}",
            flush=True,
        )
