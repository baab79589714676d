"""Weights as whole numbers of few bits: rounded so that a layer's outputs change little, packed as text."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float32]

CLIPS = np.linspace(0.4, 1.0, 25)  # largest representable weight, relative to the largest of its row
DAMPING = 0.01  # added to the inputs' second moments, relative to their mean


def pack(numbers: NDArray[np.integer[Any]], bits: int) -> str:
    """Write whole numbers in [-2^(bits-1), 2^(bits-1)) as base64, so many bits each, the lowest bit first."""
    unsigned = (numbers.ravel().astype(np.int64) + 2 ** (bits - 1))[:, None]
    if unsigned.size and not (unsigned.min() >= 0 and unsigned.max() < 2**bits):
        raise ValueError(f"numbers do not fit into {bits} bits: choose more bits")
    flags = ((unsigned >> np.arange(bits)) & 1).astype(np.uint8)
    return b64encode(np.packbits(flags, bitorder="little").tobytes()).decode()


def unpack(text: str, bits: int, count: int) -> Integers:
    """Read what ``pack`` wrote, (count,)."""
    flags = np.unpackbits(np.frombuffer(b64decode(text), np.uint8), bitorder="little")[: bits * count]
    numbers: Integers = flags.reshape(count, bits) @ (1 << np.arange(bits))
    return numbers - 2 ** (bits - 1)


def scales_of(weight: Floats, bits: int) -> Floats:
    """Return for each row of weights the scale of the least squared error among CLIPS, (rows,)."""
    scales = CLIPS[:, None] * np.abs(weight).max(axis=1).clip(1e-12) / _top(bits)
    errors = [
        ((_nearest(weight, scale, bits) * scale[:, None] - weight) ** 2).sum(axis=1) for scale in scales
    ]
    best: Floats = scales[np.argmin(errors, axis=0), np.arange(len(weight))].astype(np.float32)
    return best


def quantise(weight: Floats, bits: int, x: Floats) -> tuple[Integers, Floats]:
    """Round weights to whole numbers times a scale for each row, so that ``x @ weight.T`` changes little.

    Column by column, the error of what has been rounded is made good by the columns to come, as far as the
    inputs are correlated.

    Parameters
    ----------
    weight : (rows, columns).
    bits : of a whole number.
    x : (N, columns) inputs of the layer.

    Returns
    -------
    numbers (rows, columns) and scales (rows,).

    Notes
    -----
    Source: Frantar, Ashkboos, Hoefler and Alistarh (2023), GPTQ.
    """
    scales = scales_of(weight, bits)
    moments = x.astype(np.float64).T @ x / len(x)
    moments += DAMPING * np.trace(moments) / len(moments) * np.eye(len(moments))
    factor = np.linalg.cholesky(np.linalg.inv(moments)).T
    rest = weight.astype(np.float64)
    numbers = np.empty(weight.shape, np.int64)
    for j in range(weight.shape[1]):
        numbers[:, j] = _nearest(rest[:, j : j + 1], scales, bits)[:, 0]
        error = (rest[:, j] - numbers[:, j] * scales) / factor[j, j]
        rest[:, j + 1 :] -= np.outer(error, factor[j, j + 1 :])
    return numbers, scales


def _nearest(weight: NDArray[Any], scales: NDArray[Any], bits: int) -> NDArray[Any]:
    return np.rint(weight / scales[:, None]).clip(-_top(bits), _top(bits))


def _top(bits: int) -> int:
    return int(2 ** (bits - 1) - 1)


def floats(values: Floats) -> str:
    """Write float32 numbers as base64."""
    return b64encode(values.astype("<f4").tobytes()).decode()


def from_floats(text: str) -> Floats:
    """Read what ``floats`` wrote."""
    return np.frombuffer(b64decode(text), "<f4")
