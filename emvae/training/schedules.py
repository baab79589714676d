"""How the learning rate changes during a run: any scheduler of torch, stepped after every update."""

import math
from collections.abc import Callable

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

__all__ = ["Schedule", "cosine"]

Schedule = Callable[[Optimizer, int | None], LRScheduler]


def cosine(optimiser: Optimizer, n_steps: int | None) -> LRScheduler:
    """Lower the learning rate to 0 along half a cosine, by ``(1 + cos(pi t / T)) / 2`` after t of T updates.

    Parameters
    ----------
    optimiser : whose rate it is.
    n_steps : T, the updates of the whole run.

    Raises
    ------
    ValueError : ``n_steps`` is None, as in a run without ``n_epochs``.

    Notes
    -----
    Source: Loshchilov and Hutter (2017), equation 5, without restarts.
    """
    if n_steps is None:
        raise ValueError("n_steps is None: cosine should know where it ends, so pass n_epochs to train")
    return LambdaLR(optimiser, lambda step: 0.5 * (1.0 + math.cos(math.pi * step / n_steps)))
