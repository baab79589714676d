"""Numbers that come with their uncertainty: means with standard errors, shares with intervals."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike


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
    def of(cls, events: ArrayLike, *, confidence: float = 0.95) -> Self:
        """Count independent events, (M,) truth values.

        Parameters
        ----------
        events : whether it happened, one entry a trial.
        confidence : how often such intervals hold the probability, approximately.

        Raises
        ------
        ValueError : no trials, entries that are no truth values, or a confidence outside of (0, 1).
        """
        e = np.asarray(events)
        if e.dtype != bool or e.ndim != 1 or e.size == 0:
            raise ValueError(
                f"events have dtype {e.dtype} and shape {e.shape}: pass a row of truth values, as x > 0"
            )
        if not 0 < confidence < 1:
            raise ValueError(f"confidence = {confidence!r}: it should lie between 0 and 1")
        n, share = len(e), float(e.mean())
        half = torch.tensor(0.5 + confidence / 2, dtype=torch.float64)
        square = float(torch.special.ndtri(half)) ** 2 / n  # (quantile of N(0, 1))^2 / n
        centre = (share + square / 2) / (1 + square)
        reach = np.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
        return cls(share, max(0.0, float(centre - reach)), min(1.0, float(centre + reach)))
