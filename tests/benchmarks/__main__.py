"""Measure speed and memory, store the results, write the tables and figures of the book.

    python -m tests.benchmarks [speed memory growth out-of-core speed-vae report] [--quick]

All by default, under twenty minutes on two idle cores. Results go to tests/benchmarks/results row by
row: an interruption loses nothing that was measured. ``--quick`` tries it all on tiny data in a few
seconds, and stores nothing. Two studies take longer and are commands of their own: K = 10, 100, 500 on
MNIST, ``python -m tests.benchmarks.bernoulli_k500``, and nats against seconds for the VAE,
``python -m tests.benchmarks.vae_quality``.
"""

import os

# "On two cores": for every contender, and before numpy is imported.
for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_variable, "2")
if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 2:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])

import argparse  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402

from tests.benchmarks import (  # noqa: E402
    growth,
    memory,
    out_of_core,
    report,
    speed,
    store,
    vae_speed,
)

STUDIES = {
    "speed": speed,
    "memory": memory,
    "growth": growth,
    "out-of-core": out_of_core,
    "speed-vae": vae_speed,
}


def main() -> None:
    """Run the studies asked for, then write the report."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", nargs="*", help="which of: " + " ".join([*STUDIES, "report"]))
    parser.add_argument("--quick", action="store_true", help="tiny data, nothing stored")
    arguments = parser.parse_args()
    if unknown := set(arguments.studies) - {*STUDIES, "report"}:
        parser.error(f"no study {' '.join(sorted(unknown))}: choose of {' '.join(STUDIES)} report")
    chosen = [name for name in STUDIES if name in arguments.studies or not arguments.studies]
    if not arguments.quick:
        run(chosen, store.RESULTS, report.PICTURES, quick=False)
        return
    with tempfile.TemporaryDirectory() as folder:
        run(chosen, Path(folder), Path(folder), quick=True)


def run(studies: list[str], results: Path, pictures: Path, *, quick: bool) -> None:
    """Run studies in order; the report is written even when Ctrl-C ends them early."""
    try:
        for name in studies:
            print(f"-- {name}", flush=True)
            STUDIES[name].run(results, quick=quick)
    except KeyboardInterrupt:
        print("interrupted: what was measured is stored", flush=True)
    report.write(results, pictures)


if __name__ == "__main__":
    main()
