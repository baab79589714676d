"""How a run went, and the error of a run that went nowhere."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import nn

__all__ = ["DivergenceError", "History", "Step", "StopReason"]

StopReason = Literal["n_epochs", "max_seconds", "callback", "interrupted", "diverged"]

_ROWS_SHOWN = 8


@dataclass(frozen=True)
class Step:
    """What a callback is told after an update.

    Attributes
    ----------
    number : updates so far, from 1.
    loss : the objective on the batch of this update, before it.
    validation_loss : the latest on held-out data, NaN without any.
    model : with the weights after the update.
    """

    number: int
    loss: float
    validation_loss: float
    model: nn.Module


@dataclass(frozen=True, eq=False)
class History:
    """How a run went.

    Attributes
    ----------
    losses : (T,) the objective at each step, before the step's update, in its own units.
    seconds : (T,) seconds from the start to the end of each step, validation and files included; the
        time between an interruption and the continuation does not count.
    validation_steps : (V,) numbers of updates after which held-out data were evaluated.
    validation_losses : (V,) mean objective over the held-out data at these moments.
    steps_per_epoch : updates in one pass over the data.
    stop_reason : "n_epochs" or "max_seconds" for the budget that was spent, "callback" where that had enough,
        "interrupted" by Ctrl-C, or "diverged" in the history that a ``DivergenceError`` carries.
    """

    losses: NDArray[np.float64]
    seconds: NDArray[np.float64]
    validation_steps: NDArray[np.int64]
    validation_losses: NDArray[np.float64]
    steps_per_epoch: int
    stop_reason: StopReason

    @property
    def n_steps(self) -> int:
        """Number of updates taken, T."""
        return len(self.losses)

    @property
    def n_epochs(self) -> float:
        """Passes over the data, the last one perhaps in part."""
        return self.n_steps / self.steps_per_epoch

    @property
    def epoch_losses(self) -> NDArray[np.float64]:
        """Mean loss of each whole pass over the data."""
        whole = self.n_steps // self.steps_per_epoch
        return self.losses[: whole * self.steps_per_epoch].reshape(whole, -1).mean(axis=1)

    @property
    def loss(self) -> float:
        """Mean loss of the last ``steps_per_epoch`` steps, or of all if there are fewer; NaN without any."""
        return float(self.losses[-self.steps_per_epoch :].mean()) if self.n_steps else math.nan

    def __repr__(self) -> str:
        seconds = self.seconds[-1] if self.n_steps else 0.0
        held_out = f", validation {self.validation_losses[-1]:.4f}" if len(self.validation_losses) else ""
        return (
            f"History({self.stop_reason} after {self.n_steps} steps, {self.n_epochs:.1f} epochs, "
            f"{seconds:.1f} s; loss {self.loss:.4f}{held_out})"
        )


class DivergenceError(ArithmeticError):
    """The loss or the weights ceased to be finite.

    Attributes
    ----------
    step : the step that failed, counted from 0.
    rows : (B,) rows of the data in its batch.
    history : the steps before.
    """

    def __init__(self, what: str, *, rows: NDArray[np.int64], history: History) -> None:
        self.step, self.rows, self.history = history.n_steps, rows, history
        shown = ", ".join([*map(str, rows[:_ROWS_SHOWN]), "..."][: len(rows)])
        remedy = "no update was made yet, so check the objective and the initial weights"
        if self.step:
            remedy = "lower learning_rate, or raise it by a schedule; the model has the last weights before"
        epoch = self.step // history.steps_per_epoch
        super().__init__(f"{what} at step {self.step} (epoch {epoch}, rows {shown}): {remedy}")
