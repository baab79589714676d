"""Do the chapters' claims hold for other seeds, threads and processors? python -m tests.seeds [--help].

Each run executes a chapter from its first cell to its last, in a kernel of its own, with another value in the
line ``SEED = 0`` of its first code cell, with one or two threads, or with the slowest of torch's code paths
(ATEN_CPU_CAPABILITY=default, what a processor without vector instructions would take). A chapter passes when

- no cell fails, which means that every ``checks.report`` holds,
- the same claims are reported as in the notebook that is stored,
- and what it prints as True or False is what is stored.

Digits may differ, which is why a chapter prints verdicts. Run by hand: some minutes a run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tools.notebooks import ThisPython  # noqa: E402

CHAPTERS = ("4-reparameterisation", "5-elbo-forms", "6-latent-space")
SEED_LINE = re.compile(r"^SEED = 0$", re.MULTILINE)
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Setting:
    """What is varied: the seed, the number of threads, torch's code path (None: the fastest there is)."""

    seed: int
    threads: int
    capability: str | None = None

    def environment(self) -> dict[str, str]:
        """Return the kernel's environment."""
        threads = {f"{name}_NUM_THREADS": str(self.threads) for name in ("OMP", "MKL", "OPENBLAS")}
        capability = {} if self.capability is None else {"ATEN_CPU_CAPABILITY": self.capability}
        return {**os.environ, **threads, **capability}

    def __str__(self) -> str:
        return f"seed {self.seed}, threads {self.threads}, {self.capability or 'all instructions'}"


class Kernel(AsyncKernelManager):
    """A kernel of the running interpreter, which its client ends and cleans up after."""

    def __init__(self, **options: Any) -> None:
        super().__init__(kernel_spec_manager=ThisPython(), **options)


def with_seed(notebook: nbformat.NotebookNode, seed: int) -> nbformat.NotebookNode:
    """Return a copy with another seed in the first code cell."""
    new = nbformat.from_dict(json.loads(json.dumps(notebook)))
    first = next(cell for cell in new.cells if cell.cell_type == "code")
    first.source, found = SEED_LINE.subn(f"SEED = {seed}", first.source)
    if found != 1:
        raise SystemExit(f"the first code cell has the line `SEED = 0` {found} times: it should have it once")
    return new


def run(notebook: nbformat.NotebookNode, setting: Setting, folder: Path) -> list[str]:
    """Execute a notebook under a setting; return what does not hold."""
    new = with_seed(notebook, setting.seed)
    client = NotebookClient(
        new,
        kernel_manager_class=Kernel,
        timeout=None,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=setting.environment())
    return list(differences(notebook, new))


def differences(stored: nbformat.NotebookNode, new: nbformat.NotebookNode) -> Iterator[str]:
    """Name the cells that fail, report other claims, or print other verdicts."""
    for number, (old, cell) in enumerate(zip(stored.cells, new.cells, strict=True)):
        if cell.cell_type != "code" or "raises-exception" in cell.metadata.get("tags", []):
            continue
        failed = [output for output in cell.outputs if output.output_type == "error"]
        for output in failed:
            yield f"cell {number}: {output.ename}: {ANSI.sub('', output.evalue)[:200]}"
        if not failed and claims(cell) != claims(old):
            yield f"cell {number}: reports {claims(cell)}, stored are {claims(old)}"
        if not failed and verdicts(cell) != verdicts(old):
            yield f"cell {number}: prints {verdicts(cell)}, stored are {verdicts(old)}"


def claims(cell: Any) -> list[tuple[str, str | None]]:
    """Return the claims that a cell has reported."""
    records = [output.get("metadata", {}).get("emvae") for output in cell.outputs]
    return [(record["label"], record["part"]) for record in records if record]


def verdicts(cell: Any) -> list[str]:
    """Return the words True and False that a cell has printed."""
    texts = [output.get("text", output.get("data", {}).get("text/plain", "")) for output in cell.outputs]
    return re.findall(r"\b(?:True|False)\b", "\n".join(texts))


def settings(seeds: list[int], threads: list[int], capabilities: list[str]) -> Iterator[Setting]:
    """Vary seeds and threads in full; the code path with the first seed and the most threads only."""
    for number in threads:
        for seed in seeds:
            yield Setting(seed, number)
    for capability in capabilities:
        yield Setting(seeds[0], max(threads), capability)


def main() -> int:
    """Run what is asked for; the exit status counts the runs that failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--chapters", nargs="*", default=CHAPTERS, help="names under book/, without .ipynb")
    parser.add_argument("--seeds", type=int, nargs="*", default=list(range(10)))
    parser.add_argument("--threads", type=int, nargs="*", default=[2, 1])
    parser.add_argument("--capabilities", nargs="*", default=["default"])
    options = parser.parse_args()
    failed = 0
    for chapter in options.chapters:
        path = ROOT / "book" / f"{chapter}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        for setting in settings(options.seeds, options.threads, options.capabilities):
            started = time.perf_counter()
            wrong = run(notebook, setting, path.parent)
            failed += bool(wrong)
            verdict = "holds" if not wrong else "FAILS"
            print(f"{chapter}, {setting}: {verdict} ({time.perf_counter() - started:.0f} s)", flush=True)
            for line in wrong:
                print(f"    {line}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
