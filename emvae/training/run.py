"""All that changes during a run, whole after every update."""

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Never, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import hardshrink

from emvae.training.history import DivergenceError, History, StopReason

__all__ = ["HeldOut", "Objective", "Run"]

_FUSED = ("cpu", "cuda", "mps")  # where torch has Adam in one pass over the weights
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


class Run:
    """A model in training: its optimiser, its place in the data, its random numbers, its record."""

    def __init__(
        self, model: nn.Module, x: Tensor, objective: Objective, generator: torch.Generator, batch_size: int
    ) -> None:
        self.model, self.x, self.objective, self.batch_size = model, x, objective, batch_size
        self.steps_per_epoch = -(-len(x) // batch_size)
        self.orders = generator
        self.noise = generator if generator.device.type == x.device.type else _on_device(generator, x.device)
        self.states = self.orders.get_state(), self.noise.get_state()
        self.order_state = generator.get_state()
        self.order = self.rows = torch.tensor([], dtype=torch.long)
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.optimiser = torch.optim.Adam(trained, fused=x.device.type in _FUSED)
        self.weights = [tensor.detach() for tensor in (*model.parameters(), *model.buffers())]
        self.good_weights = [tensor.clone() for tensor in self.weights]
        self.losses: list[float] = []
        self.seconds: list[float] = []
        self.validation: list[tuple[int, float]] = []
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
        loss = self.objective(self.model, batch, generator=self.noise, step=self.n_steps)
        _check_loss(loss)
        if not math.isfinite(loss.item()):
            self._diverge(f"the loss is {loss.item()}")
        return loss

    def update(self, loss: Tensor, rate: float) -> None:
        """Take the step; Ctrl-C waits until it is whole."""
        self.optimiser.zero_grad()
        torch.autograd.backward(loss)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        with _interrupts_held():
            _copy(self.weights, self.good_weights)
            self.optimiser.step()
            if self.n_steps % _STEPS_BETWEEN_ROUNDING == 0:
                self._round_moments()
            self.states = self.orders.get_state(), self.noise.get_state()
            self.losses.append(loss.item())
            self.seconds.append(self.elapsed)

    def rewind(self) -> None:
        """Forget what the step that was begun has drawn."""
        for generator, state in zip((self.orders, self.noise), self.states, strict=True):
            generator.set_state(state)

    def check_weights(self) -> None:
        """Refuse to hand back weights that the last update spoilt."""
        if not all(bool(torch.isfinite(tensor).all()) for tensor in self.weights):
            self._diverge("the weights are not finite")

    def validate(self, held_out: "HeldOut | None", *, now: bool = False) -> None:
        """Record the loss on held-out data where it is due, once for each state of the weights."""
        if held_out is None or not (now or self.n_steps % held_out.every == 0):
            return
        if not self.validation or self.validation[-1][0] != self.n_steps:
            loss = held_out.loss(self.model, self.noise.device, self.n_steps)
            self.validation.append((self.n_steps, loss))

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
        """Collect what a continuation needs; the order of the rows can be drawn again."""
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generators": list(self.states),
            "order_generator": self.order_state,
            "losses": torch.tensor(self.losses, dtype=torch.float64),
            "seconds": torch.tensor(self.seconds, dtype=torch.float64),
            "validation": self.validation,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a run where its state was collected."""
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        _copy(self.weights, self.good_weights)
        self.losses, self.seconds = state["losses"].tolist(), state["seconds"].tolist()
        self.validation = [tuple(pair) for pair in state["validation"]]
        if self.n_steps % self.steps_per_epoch:
            self.orders.set_state(state["order_generator"])
            self._shuffle()
        self.states = tuple(state["generators"])
        self.rewind()
        self.started = time.perf_counter() - (self.seconds[-1] if self.seconds else 0.0)

    @torch.no_grad()
    def _round_moments(self) -> None:
        """Set Adam's negligible moments to 0.

        Where gradients are 0 for good, as in a dead unit, moments decay to the smallest numbers there are and
        stay there, for 0.9 times the smallest rounds to itself; processors compute with such numbers up to a
        hundred times as slowly.
        """
        for state in self.optimiser.state.values():
            for name in ("exp_avg", "exp_avg_sq"):
                state[name].copy_(hardshrink(state[name], _NEGLIGIBLE))

    def _shuffle(self) -> None:
        """Draw the order of the rows for a pass."""
        self.order_state = self.orders.get_state()
        order = torch.randperm(len(self.x), generator=self.orders, device=self.orders.device)
        self.order = order.to(self.x.device)

    def _diverge(self, what: str) -> Never:
        """Go back to the last weights with a finite loss, and say what happened."""
        self.rewind()
        _copy(self.good_weights, self.weights)
        raise DivergenceError(what, rows=self.rows.cpu().numpy(), history=self.history("diverged"))


@dataclass(frozen=True)
class HeldOut:
    """Held-out data, what is evaluated there, and every how many steps."""

    x: Tensor
    objective: Objective
    every: int

    @torch.no_grad()
    def loss(self, model: nn.Module, device: torch.device, step: int) -> float:
        """Return the mean objective over all rows, with the same noise each time."""
        generator = torch.Generator(device).manual_seed(_VALIDATION_SEED)
        total = 0.0
        model.eval()
        try:
            for batch in torch.split(self.x, _VALIDATION_ROWS):
                loss = self.objective(model, batch, generator=generator, step=step)
                total += len(batch) * float(loss)
        finally:
            model.train()
        return total / len(self.x)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let Ctrl-C wait until the block is done. Only the main thread is ever interrupted."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    caught: list[tuple[int, Any]] = []
    signal.signal(signal.SIGINT, lambda number, frame: caught.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if caught:
        before(*caught[0])


def _on_device(generator: torch.Generator, device: torch.device) -> torch.Generator:
    """Return a generator there, seeded by the one that was given."""
    seed = torch.randint(2**62, (), generator=generator, device=generator.device)
    return torch.Generator(device).manual_seed(int(seed))


@torch.no_grad()
def _copy(source: list[Tensor], target: list[Tensor]) -> None:
    for old, new in zip(source, target, strict=True):
        new.copy_(old)


def _check_loss(loss: Any) -> None:
    if not isinstance(loss, Tensor) or loss.ndim:
        what = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
        raise ValueError(f"objective returned {what}: it should be a 0-d tensor, the mean over the batch")
    if not loss.requires_grad:
        raise ValueError(
            "objective returned a loss without gradient: it should be made from the model's weights, without "
            "detach, item or no_grad"
        )
