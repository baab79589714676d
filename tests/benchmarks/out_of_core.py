"""Ten million data on the disk, fitted by a process that may not hold them."""

import os
import shutil
import tempfile
from datetime import date
from pathlib import Path

import numpy as np

from tests.benchmarks import store
from tests.benchmarks.memory import fit_folder
from tests.benchmarks.problems import Problem, gaussian_data, start

N, D, K, N_ITER = 10_000_000, 8, 4, 3
LIMIT_MB = 200.0
CHUNK = 500_000


def run(results: Path, *, quick: bool) -> None:
    """Write the file, fit it twice (mapped under a limit, and loaded without), remove it."""
    n = 400_000 if quick else N
    path = results / "out_of_core.json"
    limited = hasattr(os, "posix_fadvise") and Path("/proc/self/status").exists()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if shutil.disk_usage(folder).free < 2 * 8 * n * D:
            raise SystemExit(f"{folder} has less than {16 * n * D / 1e6:.0f} MB free: set TMPDIR elsewhere")
        write_file(folder / "x.npy", n)
        first = np.load(folder / "x.npy", mmap_mode="r")[:CHUNK]
        model = start(Problem("", n, D, K, "gaussian", "scikit-learn", None, 1), np.array(first))
        if limited:
            forget_cached(folder / "x.npy")
        limit = ("--limit", str(LIMIT_MB)) if limited else ()
        mapped = fit_folder(folder, model, "emvae", str(N_ITER), "1", "--mapped", *limit)
        loaded = fit_folder(folder, model, "emvae", str(N_ITER), "1")
    row = {
        "name": f"gaussian-{n}x{D}-k{K}",
        "n": n,
        "d": D,
        "k": K,
        "file_mb": 8e-6 * n * D,
        "limit_mb": float(limit[1]) if limited else None,
        "copy_refused": mapped.get("copy_refused"),
        "peak_private_mb": mapped["peak_private_mb"],
        "peak_resident_mb": mapped["peak_mb"],
        "seconds": mapped["seconds"],
        "loaded_seconds": loaded["seconds"],
        "relative_disagreement": abs(mapped["log_likelihood"] / loaded["log_likelihood"] - 1),
        "date": date.today().isoformat(),
    }
    study = store.read(path)
    study["command"] = "python -m tests.benchmarks out-of-core" + (" --quick" if quick else "")
    study["conditions"] = store.conditions(["numpy"])
    store.put_row(path, study, row)
    print(row, flush=True)


def write_file(path: Path, n: int) -> None:
    """Write n draws chunk by chunk, so that this process never holds them all either."""
    x = np.lib.format.open_memmap(path, mode="w+", dtype=np.float64, shape=(n, D))
    for first in range(0, n, CHUNK):
        rows = slice(first, min(first + CHUNK, n))
        chunk = gaussian_data(rows.stop - rows.start, D, K)
        x[rows] = chunk + np.random.default_rng([first]).normal(0.0, 0.1, chunk.shape)
    x.flush()


def forget_cached(path: Path) -> None:
    """Ask the system to drop its copy of the file, so that the first pass comes from the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
