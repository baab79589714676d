"""Stored results: one JSON file a study, rewritten whole after each row, with what they were made by."""

import json
import os
import platform
from collections.abc import Iterable
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import emvae

RESULTS = Path(__file__).parent / "results"

INSTRUCTION_SETS = ("avx512f", "avx2", "avx", "asimd", "sse4_2")


def read(path: Path) -> dict[str, Any]:
    """Return the stored study, or an empty one."""
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def write(path: Path, study: dict[str, Any]) -> None:
    """Replace the file in one step, so that whatever interrupts leaves the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(study, indent=1, ensure_ascii=False, allow_nan=False)
    new = path.with_suffix(".tmp")
    new.write_text(text + "\n", "utf-8")
    os.replace(new, path)


def put_row(path: Path, study: dict[str, Any], row: dict[str, Any]) -> None:
    """Store a row in place of the one of the same name, so that a later interruption cannot lose it."""
    rows = study.setdefault("rows", [])
    for i, old in enumerate(rows):
        if old["name"] == row["name"]:
            rows[i] = row
            break
    else:
        rows.append(row)
    write(path, study)


def load() -> list[float] | None:
    """Return how busy the machine was over 1, 5 and 15 minutes, None where it does not tell."""
    return [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else None


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of Python, of emvae and of other installed packages."""
    installed = {name: version(name) for name in packages}
    return {"python": platform.python_version(), "emvae": emvae.__version__, **installed}


def conditions(packages: Iterable[str]) -> dict[str, Any]:
    """Return what a measurement depends on besides the code: date, machine in generic words, versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "date": date.today().isoformat(),
        "machine": {
            "architecture": platform.machine(),
            "instruction_set": _instruction_set(),
            "cores": cores,
            "system": platform.system(),
        },
        "versions": versions(*packages),
    }


def _instruction_set() -> str:
    """Name the widest vector instructions that the system tells of, or say that it does not."""
    try:
        flags = set(Path("/proc/cpuinfo").read_text("utf-8").split())
    except OSError:
        return "not told"
    return next((name for name in INSTRUCTION_SETS if name in flags), "not told")
