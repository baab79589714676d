"""Matrix products with a table of features: the two that take most of the time of EM.

A table (F, B) holds F features of the B data of a block. Linear algebra libraries multiply a tall
table with few columns half as fast again when the long side of the result comes first, whence
the two orientations.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emvae.mixtures.mixture import Array

WIDE = 256
"""From so many features on, the long side of a result comes first."""
BLOCK_NUMBERS = 2**20
"""Numbers in a block of data with all that is computed from it: 8 MB, which caches hold."""
MAX_BLOCK_ROWS = 16_384
"""Most rows in a block: few enough for caches, enough to hide what a block costs."""


def score(parameters: NDArray[Any], table: NDArray[Any]) -> Array:
    """Return parameters (K, F) @ table (F, B) as float64, contiguous over the longer side."""
    if len(parameters) > table.shape[1]:  # more components than data: then each datum has its row
        return np.asarray(table.T @ parameters.T, dtype=np.float64).T
    product = (table.T @ parameters.T).T if len(table) >= WIDE else parameters @ table
    return np.asarray(product, dtype=np.float64, order="C")


def collect(table: NDArray[Any], resp: NDArray[Any]) -> Array:
    """Return the sums of features weighted by responsibilities (B, K), as float64 (K, F).

    Responsibilities that the table's precision holds as subnormal numbers only count as 0: a product of
    matrices with many of them takes twenty times as long.
    """
    if resp.dtype != table.dtype:
        resp = np.where(resp < np.finfo(table.dtype).tiny, 0.0, resp).astype(table.dtype)
    sums = (table @ resp).T if len(table) >= WIDE else resp.T @ table.T
    return sums.astype(np.float64, copy=False)


def block_rows(numbers_per_row: int) -> int:
    """Return how many rows to work on at a time when each takes so many numbers."""
    return int(np.clip(BLOCK_NUMBERS // numbers_per_row, 1, MAX_BLOCK_ROWS))
