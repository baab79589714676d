"""How time and memory grow with the number of data, and time with the number of components.

Times are the shortest of several: a law of growth is no comparison, and the shortest is disturbed least.
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks import store
from tests.benchmarks.memory import in_child
from tests.benchmarks.problems import Problem, gaussian_data, start

D, K, N = 2, 8, 100_000
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
PEER_SIZES = SIZES[:-2]  # at 1e7 scikit-learn would take gigabytes
COMPONENTS = (1, 2, 4, 8, 16, 32, 64, 128)
WORK = 20_000_000  # data times iterations of a timed fit, about


def run(results: Path, *, quick: bool) -> None:
    """Measure all sizes in fresh processes, store each as soon as it is there."""
    path = results / "growth.json"
    study = store.read(path)
    study["command"] = "python -m tests.benchmarks growth" + (" --quick" if quick else "")
    study["conditions"] = store.conditions(["numpy", "scikit-learn"])
    study["d"] = D
    for contender, sizes in (("emvae", SIZES), ("scikit-learn", PEER_SIZES)):
        for n in sizes[:2] if quick and contender == "emvae" else sizes[:1] if quick else sizes:
            _measure(path, study, contender, n, K, "n", quick)
    for k in COMPONENTS[:2] if quick else COMPONENTS:
        _measure(path, study, "emvae", 1_000 if quick else N, k, "k", quick)
    ours = [row for row in study["rows"] if row["contender"] == "emvae"]
    study["fits"] = {axis: linear_fit(row for row in ours if row["axis"] == axis) for axis in ("n", "k")}
    store.write(path, study)


def _measure(
    path: Path, study: dict[str, Any], contender: str, n: int, k: int, axis: str, quick: bool
) -> None:
    load = store.load()
    x = gaussian_data(n, D, k)
    model = start(Problem("", n, D, k, "gaussian", "scikit-learn", None, 1), x)
    work = WORK if contender == "emvae" else WORK // 10
    n_iter = 2 if quick else int(np.clip(work * K // (n * k), 2, 500))
    if axis == "k":
        n_iter = min(n_iter, 20)  # enough for a steady mean; few components would be given hundreds
    told = in_child(x, model, contender, n_iter=n_iter, repetitions=5 if n * k <= 8e6 else 3)
    row = {
        "name": f"{contender} {axis} n={n} k={k}",
        "contender": contender,
        "axis": axis,
        "n": n,
        "k": k,
        "n_iter": n_iter,
        "seconds": min(told["all_seconds"]),
        "peak_mb": told["peak_mb"],
        "data_mb": told["data_mb"],
        "date": date.today().isoformat(),
        "load_before": load,
    }
    store.put_row(path, study, row)
    milliseconds = 1e3 * row["seconds"]
    print(f"{row['name']:36s} {milliseconds:10.3f} ms {told['peak_mb']:8.1f} MB beyond data", flush=True)


def linear_fit(rows: Iterable[dict[str, Any]]) -> dict[str, float]:
    """Fit seconds = a + b size with equal relative weights; tell the largest relative deviation.

    The exponent is the slope of log seconds against log size over the upper half of the sizes (in
    logarithms), where the constant part no longer counts.
    """
    rows = sorted(rows, key=lambda row: (row["n"], row["k"]))
    axis = rows[0]["axis"]
    size = np.array([row[axis] for row in rows], dtype=float)
    seconds = np.array([row["seconds"] for row in rows])
    design = np.column_stack([np.ones_like(size), size]) / seconds[:, None]
    (constant, slope), *_ = np.linalg.lstsq(design, np.ones_like(size), rcond=None)
    upper = size >= np.sqrt(size[0] * size[-1])
    exponent = np.polyfit(np.log(size[upper]), np.log(seconds[upper]), 1)[0] if upper.sum() > 1 else np.nan
    deviation = np.abs((constant + slope * size) / seconds - 1).max()
    return {
        "constant_seconds": float(constant),
        "seconds_per_unit": float(slope),
        "largest_relative_deviation": float(deviation),
        "exponent": float(np.nan_to_num(exponent)),
    }
