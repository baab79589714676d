"""Where the live figures' files lie and how they are written: the same bytes at every run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

LIVE = Path(__file__).resolve().parents[2] / "book" / "_static" / "live"


def script(name: str, data: dict[str, Any]) -> str:
    """Return a classic script that assigns ``data`` to ``emvaeLive.data.<name>``.

    A script, as a page read from file:// may fetch nothing. Floats are written so that they are read
    back to the last bit.

    Parameters
    ----------
    name : of the figure.
    data : numbers, texts, and lists and dictionaries of them.

    Raises
    ------
    ValueError : a number is not finite.
    """
    text = json.dumps(data, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    return (
        "// Made from the package by `make widgets`.\n"
        '(function (live) {\n  "use strict";\n'
        f"  (live.data ??= {{}}).{name} = {text};\n"
        "})((globalThis.emvaeLive ??= {}));\n"
    )


def save_data(name: str, data: dict[str, Any]) -> None:
    """Write ``<name>-data.js``; parameters and errors as ``script``."""
    (LIVE / f"{name}-data.js").write_text(script(name, data), encoding="utf-8")


def save_picture(name: str, figure: Figure) -> None:
    """Write ``<name>.png``, what stands where no script runs; without matplotlib's version in it."""
    figure.savefig(LIVE / f"{name}.png", dpi=200, metadata={"Software": None})
