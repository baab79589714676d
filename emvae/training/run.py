"""All that changes during a run, whole after every update."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import hardshrink
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from emvae.training.history import History, StopReason

__all__ = ["HeldOut", "Objective", "Run", "Step"]

_VALIDATION_ROWS = 1024
_VALIDATION_SEED = 0  # the same noise each time, so that validation losses compare
_NEGLIGIBLE = 1e-30  # a moment below it moves no weight: Adam divides by at least 1e-8
_STEPS_BETWEEN_ROUNDING = 64  # 0.9^64 is 1e-3: what is not negligible stays a normal number until then


class Objective(Protocol):
    """What ``train`` minimises: called with a model and a batch, a scalar, the mean over the batch's rows.

    All randomness comes from ``generator``, which is on the device of the batch, and nothing is remembered
    from call to call; ``step`` counts the updates so far. Then a run can be continued to the bit.
    """

    def __call__(self, model: Any, batch: Tensor, /, *, generator: torch.Generator, step: int) -> Tensor:
        """Return the objective on a batch (B, ...), a scalar with gradients."""


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


@dataclass
class Run:
    """A model in training: its optimiser, its place in the data, its random numbers, its record.

    What ``state`` copies and ``restore`` takes up is what a checkpoint holds.
    """

    model: nn.Module
    x: Tensor
    objective: Objective
    optimiser: Optimizer
    scheduler: LRScheduler | None
    orders: torch.Generator
    noise: torch.Generator
    batch_size: int

    def __post_init__(self) -> None:
        """Start with nothing done."""
        self.losses: list[float] = []
        self.seconds: list[float] = []
        self.validation: list[tuple[int, float]] = []
        self.steps_per_epoch = math.ceil(len(self.x) / self.batch_size)
        self.order_state = self.orders.get_state()
        self.started = time.perf_counter()

    @property
    def n_steps(self) -> int:
        """Number of updates taken."""
        return len(self.losses)

    @property
    def elapsed(self) -> float:
        """Seconds of training, without the time between an interruption and the continuation."""
        return time.perf_counter() - self.started

    def evaluate(self) -> Tensor:
        """Return the loss on the next batch."""
        place = self.n_steps % self.steps_per_epoch
        if place == 0:
            self._shuffle()
        self.rows = self.order[place * self.batch_size :][: self.batch_size]
        batch = self.x.index_select(0, self.rows)
        return self.objective(self.model, batch, generator=self.noise, step=self.n_steps)

    def update(self, loss: Tensor) -> None:
        """Take the step."""
        value = loss.item()
        self.optimiser.zero_grad()
        torch.autograd.backward(loss)
        self.optimiser.step()
        if self.n_steps % _STEPS_BETWEEN_ROUNDING == 0:
            _round_moments(self.optimiser)
        if self.scheduler is not None:
            self.scheduler.step()
        self.losses.append(value)
        self.seconds.append(self.elapsed)

    def is_sound(self) -> bool:
        """Tell whether all weights are finite."""
        return all(bool(torch.isfinite(tensor).all()) for tensor in self.model.state_dict().values())

    def history(self, stop_reason: StopReason) -> History:
        """Return the record so far."""
        return History(
            losses=np.array(self.losses),
            seconds=np.array(self.seconds),
            validation_steps=np.array([step for step, _ in self.validation], dtype=np.int64),
            validation_losses=np.array([loss for _, loss in self.validation]),
            steps_per_epoch=self.steps_per_epoch,
            stop_reason=stop_reason,
        )

    def state(self) -> dict[str, Any]:
        """Copy what a continuation needs; the order of the rows can be drawn again."""
        changing = {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": None if self.scheduler is None else self.scheduler.state_dict(),
            "validation": self.validation,
        }
        return copy.deepcopy(changing) | {
            "generators": [self.orders.get_state(), self.noise.get_state()],
            "order_generator": self.order_state,
            "losses": torch.tensor(self.losses, dtype=torch.float64),
            "seconds": torch.tensor(self.seconds, dtype=torch.float64),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a run where its state was copied."""
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state["schedule"])
        self.losses, self.seconds = state["losses"].tolist(), state["seconds"].tolist()
        self.validation = [tuple(pair) for pair in state["validation"]]
        if self.n_steps % self.steps_per_epoch:
            self.orders.set_state(state["order_generator"])
            self._shuffle()
        for generator, numbers in zip((self.orders, self.noise), state["generators"], strict=True):
            generator.set_state(numbers)
        self.started = time.perf_counter() - (self.seconds[-1] if self.seconds else 0.0)

    def _shuffle(self) -> None:
        """Draw the order of the rows for a pass."""
        self.order_state = self.orders.get_state()
        order = torch.randperm(len(self.x), generator=self.orders, device=self.orders.device)
        self.order = order.to(self.x.device)


@dataclass(frozen=True)
class HeldOut:
    """Held-out data, what is evaluated there, and every how many steps."""

    x: Tensor
    objective: Objective
    every: int

    def evaluate(self, run: Run, *, now: bool = False) -> None:
        """Record the loss where it is due, once for each state of the weights."""
        due = now or run.n_steps % self.every == 0
        if due and not (run.validation and run.validation[-1][0] == run.n_steps):
            run.validation.append((run.n_steps, self.loss(run.model, run.n_steps)))

    @torch.no_grad()
    def loss(self, model: nn.Module, step: int) -> float:
        """Return the mean objective over all rows, with the same noise each time."""
        generator = torch.Generator(self.x.device).manual_seed(_VALIDATION_SEED)
        total = 0.0
        model.eval()
        try:
            for batch in torch.split(self.x, _VALIDATION_ROWS):
                total += len(batch) * float(self.objective(model, batch, generator=generator, step=step))
        finally:
            model.train()
        return total / len(self.x)


Callback = Callable[[Step], bool | None]


@torch.no_grad()
def _round_moments(optimiser: Optimizer) -> None:
    """Set the negligible numbers that an optimiser remembers to 0.

    Where gradients are 0 for good, as in a dead unit, moments decay to the smallest numbers there are and
    stay there, for 0.9 times the smallest rounds to itself; processors compute with such numbers up to a
    hundred times as slowly.
    """
    for state in optimiser.state.values():
        for moments in state.values():
            if isinstance(moments, Tensor) and moments.is_floating_point() and moments.ndim:
                moments.copy_(hardshrink(moments, _NEGLIGIBLE))
