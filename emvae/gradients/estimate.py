"""A gradient with its standard error."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

__all__ = ["GradientEstimate"]


@dataclass(frozen=True, eq=False)
class GradientEstimate:
    """A Monte-Carlo gradient: the mean of S single-sample gradients, and how far to trust it.

    Two estimates are equal only if they are one object: compare their numbers.

    Attributes
    ----------
    samples : by parameter, (S, ...) the gradient that each sample alone would give.

    Notes
    -----
    Defined in {eq}`def-rep-estimate`.
    """

    samples: Mapping[str, Tensor]

    @property
    def n_samples(self) -> int:
        """S, how many samples the mean is over."""
        return len(next(iter(self.samples.values())))

    @property
    def estimate(self) -> dict[str, Tensor]:
        """By parameter, in its shape: the mean of the samples."""
        return {name: g.mean(0) for name, g in self.samples.items()}

    @property
    def variance(self) -> dict[str, Tensor]:
        """By parameter, in its shape: the variance of a single sample, with divisor S - 1."""
        return {name: g.var(0) for name, g in self.samples.items()}

    @property
    def standard_error(self) -> dict[str, Tensor]:
        """By parameter, in its shape: the standard deviation of the estimate, sqrt(variance / S)."""
        return {name: (variance / self.n_samples).sqrt() for name, variance in self.variance.items()}
