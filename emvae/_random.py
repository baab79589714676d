"""Randomness from an explicit generator, for torch's distributions, which take none."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


def as_torch_generator(generator: Any) -> torch.Generator:
    """Return generator if it is torch's; seeds and numpy's are refused."""
    if not isinstance(generator, torch.Generator):
        raise ValueError(
            f"generator is a {type(generator).__name__}: pass a torch.Generator, "
            "such as torch.Generator().manual_seed(0)"
        )
    return generator


@contextmanager
def drawing_from(generator: torch.Generator) -> Iterator[torch.Generator]:
    """Let ``sample`` and ``rsample`` of torch.distributions draw from ``generator`` within.

    They know the global stream of their device only. It takes the state of ``generator`` on entry, hands
    it back on exit, advanced by what was drawn, and is then as it was: nothing outside notices. That stream
    is what ``with`` hands on.

    Raises
    ------
    ValueError : ``generator`` is not a torch.Generator.
    """
    stream = _global_stream(as_torch_generator(generator).device)
    if generator is stream:
        yield stream
        return
    outside = stream.get_state()
    stream.set_state(generator.get_state())
    try:
        yield stream
    finally:
        generator.set_state(stream.get_state())
        stream.set_state(outside)


def _global_stream(device: torch.device) -> torch.Generator:
    """Return the generator from which torch draws on a device when it is given none."""
    if device.type == "cuda":
        torch.cuda.init()  # type: ignore[no-untyped-call]  # fills the list
        return torch.cuda._get_generator(device)  # Generator("cuda") names no GPU: the current one
    if device.type == "mps":
        return torch.mps._get_default_mps_generator()
    return torch.default_generator
