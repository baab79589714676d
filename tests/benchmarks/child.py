"""A fit in a process of its own: peak memory beyond the data, and time per iteration.

    python -m tests.benchmarks.child FOLDER N_ITER REPETITIONS CONTENDER [--mapped] [--limit MB]

FOLDER holds ``x.npy`` and ``start.pickle``. One JSON object is printed.
"""

import argparse
import json
import pickle
import resource
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil

from tests.benchmarks.contenders import CONTENDERS, load_packages

MB = 1e6


def main() -> None:
    """Load, note the memory in use, fit, note the peak."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("n_iter", type=int)
    parser.add_argument("repetitions", type=int)
    parser.add_argument("contender", choices=CONTENDERS)
    parser.add_argument("--mapped", action="store_true", help="leave the data on the disk")
    parser.add_argument("--limit", type=float, help="allow so many MB of private memory beyond the data")
    arguments = parser.parse_args()
    model = pickle.loads((arguments.folder / "start.pickle").read_bytes())
    x = np.load(arguments.folder / "x.npy", mmap_mode="r" if arguments.mapped else None)
    fit = CONTENDERS[arguments.contender]
    load_packages(arguments.contender)  # their code is no memory of the fit
    told: dict[str, Any] = {"data_mb": x.nbytes / MB}
    if arguments.limit:
        told["copy_refused"] = limit_private_memory(x, arguments.limit)
    forget_peak()
    anonymous = PeakAnonymous()
    before = psutil.Process().memory_info().rss
    times = []
    for _ in range(arguments.repetitions):
        started = time.perf_counter()
        reached = fit(model, x, arguments.n_iter)
        times.append((time.perf_counter() - started) / arguments.n_iter)
    told["log_likelihood"] = reached
    told["seconds"] = median(times)
    told["all_seconds"] = times
    told["peak_mb"] = max(peak_resident() - before, 0) / MB
    told["peak_private_mb"] = anonymous.stop()
    json.dump(told, sys.stdout)


def forget_peak() -> None:
    """Let the system count the peak from now on, where it can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "ascii")


def peak_resident() -> int:
    """Return the largest resident size of this process, in bytes.

    ``ru_maxrss`` is for systems without ``/proc``: on Linux it holds the peak of the parent too.
    """
    if (peak := _status("VmHWM")) is not None:
        return int(peak)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def limit_private_memory(x: np.ndarray[Any, Any], megabytes: float) -> bool:
    """Forbid more private memory, and tell whether a copy of the data is indeed refused (Linux)."""
    used = int(_status("VmData") or 0)
    limit = used + int(megabytes * MB)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    try:
        np.array(x)
    except MemoryError:
        return True
    return False


class PeakAnonymous:
    """Sample the private memory of this process beside the work; pages of a mapped file are no part of it."""

    def __init__(self) -> None:
        self._first = self._peak = _status("RssAnon")
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        if self._first is not None:
            self._thread.start()

    def stop(self) -> float | None:
        """Return the growth at its largest in MB, None where the system does not tell."""
        if self._first is None:
            return None
        self._done.set()
        self._thread.join()
        return (self._peak - self._first) / MB

    def _watch(self) -> None:
        while not self._done.wait(0.005):
            self._peak = max(self._peak, _status("RssAnon"))


def _status(key: str) -> Any:
    """Return an entry of the kernel's account of this process in bytes, None where there is none."""
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(key + ":")), None)


if __name__ == "__main__":
    main()
