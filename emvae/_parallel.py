"""Blocks of data on all cores: one thread a block, one core a matrix product."""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from itertools import chain, islice
from typing import TypeVar

from threadpoolctl import ThreadpoolController

B = TypeVar("B")
R = TypeVar("R")


def map_blocks(function: Callable[[B], R], blocks: Iterable[B]) -> Iterator[R]:
    """Apply a function to blocks in threads; results come in order, so that sums are reproducible.

    numpy lets go of the interpreter while it computes, so threads share the work. The matrix
    products get one core each: on blocks a library's own threads gain little, and on a busy machine
    they may wait for each other forty times as long as they compute. No more blocks are held than
    there are cores, and one.
    """
    blocks = iter(blocks)
    first_two = tuple(islice(blocks, 2))
    n_workers = _n_cores()
    with _controller().limit(limits=1, user_api="blas"):
        if n_workers == 1 or len(first_two) < 2:
            yield from map(function, chain(first_two, blocks))
        else:
            yield from _map_in_threads(function, chain(first_two, blocks), n_workers)


def _map_in_threads(function: Callable[[B], R], blocks: Iterable[B], n_workers: int) -> Iterator[R]:
    with ThreadPoolExecutor(n_workers) as pool:
        pending: deque[Future[R]] = deque()
        for block in blocks:
            pending.append(pool.submit(function, block))
            if len(pending) > n_workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _n_cores() -> int:
    """Count the cores this process may use: one in a browser, where no thread can start."""
    if sys.platform == "emscripten":
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
