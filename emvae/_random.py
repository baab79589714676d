"""Randomness from an explicit generator, for torch's distributions, which take none."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["drawing_from"]


@contextmanager
def drawing_from(generator: torch.Generator) -> Iterator[None]:
    """Let ``sample`` and ``rsample`` of torch.distributions draw from ``generator`` within.

    They know the global stream only. It is seeded from ``generator`` on entry and put back on exit, so
    nothing outside notices, and the state of ``generator`` alone decides what is drawn.
    """
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    devices = [] if generator.device.type == "cpu" else [generator.device]
    with torch.random.fork_rng(devices, device_type="cuda" if not devices else devices[0].type):
        torch.manual_seed(seed)
        yield
