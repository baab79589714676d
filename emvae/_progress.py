"""A progress bar for long work, shown only where a person watches."""

import os
import sys
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


class _Bar(tqdm):  # type: ignore[misc]  # tqdm carries no types
    monitor_interval = 0  # its monitor is a thread of its own, which a browser cannot start


def progress(steps: Iterable[T], *, description: str, total: int | None = None) -> "tqdm[T]":
    """Wrap an iterable; the bar appears after a second, on a terminal or in a live notebook."""
    return _Bar(steps, desc=description, total=total, delay=1.0, leave=False, disable=not _someone_watches())


def _someone_watches() -> bool:
    """Tell a terminal or a live notebook from a pipe, nbval or a build.

    A notebook server names the document it runs in ``JPY_SESSION_NAME``; kernels started by nbval
    and by nbconvert have no such name.
    """
    return sys.stderr.isatty() or "JPY_SESSION_NAME" in os.environ
