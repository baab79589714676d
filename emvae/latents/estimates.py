"""Numbers that come with their uncertainty: means with standard errors, shares with intervals."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

QUANTILE = 1.959963984540054
"""Of N(0, 1) at 0.975: 95 per cent lie no farther from 0."""


@dataclass(frozen=True)
class Estimate:
    """A Monte-Carlo mean.

    Attributes
    ----------
    value : the mean, in the units of the samples.
    standard_error : its standard deviation, estimated from the same samples.
    """

    value: float
    standard_error: float

    @classmethod
    def of(cls, samples: ArrayLike) -> Self:
        """Average independent samples (M,).

        Raises
        ------
        ValueError : fewer than two samples, or not one row of them.
        """
        s = np.asarray(samples, dtype=float)
        if s.ndim != 1 or len(s) < 2:
            raise ValueError(f"samples have shape {s.shape}: pass at least two numbers in one row")
        return cls(float(s.mean()), float(s.std(ddof=1) / np.sqrt(len(s))))


@dataclass(frozen=True)
class Proportion:
    """How often something happened, with Wilson's interval for the probability behind it.

    Such intervals hold the probability in 95 per cent of cases, approximately.

    Attributes
    ----------
    value : the share, from 0 to 1.
    low, high : ends of the interval; they stay within [0, 1] and do not meet at a share of 0 or 1.

    Notes
    -----
    Source: Wilson (1927).
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, events: ArrayLike) -> Self:
        """Count independent events, (M,) truth values: whether it happened, one entry a trial.

        Raises
        ------
        ValueError : no trials, or entries that are no truth values.
        """
        e = np.asarray(events)
        if e.dtype != bool or e.ndim != 1 or e.size == 0:
            raise ValueError(
                f"events have dtype {e.dtype} and shape {e.shape}: pass a row of truth values, as x > 0"
            )
        share, square = float(e.mean()), QUANTILE**2 / len(e)
        centre = (share + square / 2) / (1 + square)
        reach = np.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
        return cls(share, max(0.0, float(centre - reach)), min(1.0, float(centre + reach)))
