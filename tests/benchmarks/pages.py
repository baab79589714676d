"""What reports have in common: under which conditions, tables, texts and figures in files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt


def conditions(study: dict[str, Any]) -> str:
    """Say with what, on what and when."""
    machine, versions = study["conditions"]["machine"], study["conditions"]["versions"]
    named = ", ".join(f"{name} {number}" for name, number in versions.items())
    dates = sorted({row["date"] for row in study["rows"]})
    busy = max((row["load_before"] or [0.0])[0] for row in study["rows"])
    return (
        f"Measured on {' to '.join(dict.fromkeys((dates[0], dates[-1])))}, two cores of a machine with "
        f"{machine['architecture']} processors ({machine['instruction_set']}, {machine['system']}), with "
        f"{named}. Before a row was measured the machine's load over one minute was at most {busy:.1f}. "
        f"Command: `{study['command']}`."
    )


def table(head: list[str], body: list[list[str]]) -> str:
    """Return a table in markdown."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write_text(path: Path, parts: list[str]) -> None:
    """Write paragraphs and tables."""
    path.write_text("\n\n".join(parts) + "\n", "utf-8")


def write_figure(path: Path, draw: Callable[[Any, Any], None], content: Any) -> None:
    """Draw a figure into a file, without a date, so that the same results give the same file."""
    figure, axes = plt.subplots()
    draw(axes, content)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
