"""How long to train, and how the learning rate changes meanwhile."""

import math
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Budget", "Schedule", "constant", "cosine", "rate_at"]

Schedule = Callable[[float], float]


def constant(progress: float) -> float:
    """Keep the learning rate: the factor is 1.

    Parameters
    ----------
    progress : how much of the budget is spent, from 0 to 1.
    """
    return 1.0


def cosine(progress: float) -> float:
    """Lower the learning rate to 0 along half a cosine: the factor is ``(1 + cos(pi progress)) / 2``.

    Parameters
    ----------
    progress : how much of the budget is spent, from 0 to 1.

    Notes
    -----
    Source: Loshchilov and Hutter (2017), equation 5, without restarts.
    """
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def rate_at(learning_rate: float, schedule: Schedule, progress: float) -> float:
    """Return the learning rate of a step.

    Raises
    ------
    ValueError : the schedule returns a factor that is negative or not finite.
    """
    rate = learning_rate * schedule(progress)
    if not 0 <= rate < math.inf:
        raise ValueError(
            f"schedule makes the learning rate {rate} at progress {progress:.3f}: it should return finite "
            "factors that are not negative"
        )
    return rate


@dataclass(frozen=True)
class Budget:
    """When a run ends: after so many steps, or so many seconds, or at whichever comes first."""

    n_steps: int | None
    seconds: float | None

    def is_spent(self, elapsed: float) -> bool:
        """Tell whether the time is over; steps are counted by the loop."""
        return self.seconds is not None and elapsed >= self.seconds

    def progress(self, n_steps: int, elapsed: float) -> float:
        """Return the share of the steps that is done, or of the time where steps are not limited."""
        if self.n_steps is not None:
            return n_steps / self.n_steps
        return elapsed / (self.seconds or math.inf)
