"""What the command says: how far it is, and in one line why it ends early."""

from __future__ import annotations

import time
from typing import NoReturn

STARTED = time.perf_counter()


def tell(text: str) -> None:
    """Say how far the printing is, and after how many seconds."""
    print(f"{time.perf_counter() - STARTED:4.0f} s  {text}", flush=True)


def give_up(reason: str) -> NoReturn:
    """End with one line that says why."""
    raise SystemExit(f"emvae: the book was not printed: {reason}")
