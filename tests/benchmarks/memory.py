"""Peak memory beyond the data, a fresh process per row and contender."""

import json
import os
import pickle
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks import store
from tests.benchmarks.contenders import favourite_format
from tests.benchmarks.problems import PROBLEMS, Model, data, smaller, start

LIMIT_MB = 200.0
ROOT = Path(__file__).parents[2]


def run(results: Path, *, quick: bool) -> None:
    """Measure all rows, store each as soon as it is there."""
    path = results / "memory.json"
    study = store.read(path)
    study["command"] = "python -m tests.benchmarks memory" + (" --quick" if quick else "")
    study["conditions"] = store.conditions(["numpy", "scikit-learn", "stepmix"])
    study["limit_mb"] = LIMIT_MB
    for problem in PROBLEMS[:1] if quick else PROBLEMS:
        problem = smaller(problem) if quick else problem
        x = data(problem)
        model = start(problem, x)
        ours = in_child(x, model, "emvae", n_iter=2)
        theirs = in_child(favourite_format(problem.peer, x), model, problem.peer, n_iter=2)
        row = {
            **{key: getattr(problem, key) for key in ("name", "n", "d", "k", "family", "dtype", "peer")},
            "data_mb": ours["data_mb"],
            "peak_mb": ours["peak_mb"],
            "peer_data_mb": theirs["data_mb"],
            "peer_peak_mb": theirs["peak_mb"],
            "date": date.today().isoformat(),
        }
        store.put_row(path, study, row)
        print(
            f"{row['name']:32s} data {row['data_mb']:6.1f} MB   beyond it: emvae {row['peak_mb']:7.1f} MB   "
            f"{row['peer']} {row['peer_peak_mb']:7.1f} MB",
            flush=True,
        )


def in_child(
    x: NDArray[Any], model: Model, contender: str, *, n_iter: int, repetitions: int = 1
) -> dict[str, Any]:
    """Fit in a fresh process and return what it tells."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "x.npy", x)
        return fit_folder(Path(folder), model, contender, str(n_iter), str(repetitions))


def fit_folder(
    folder: Path, model: Model, contender: str, n_iter: str, repetitions: str, *options: str
) -> dict[str, Any]:
    """Fit the ``x.npy`` of a folder in a fresh process and return what it tells."""
    (folder / "start.pickle").write_bytes(pickle.dumps(model))
    command = [sys.executable, "-m", "tests.benchmarks.child", str(folder), n_iter, repetitions, contender]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, *options], cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout)
