"""All that changes during a run, whole after every update; and its copy on the disk."""

import copy
import math
import time
import warnings
import zlib
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from emvae import _files
from emvae.training.history import History, Step, StopReason

__all__ = ["Checkpoint", "Objective", "Run", "load_weights"]

_VALIDATION_ROWS = 1024
_VALIDATION_SEED = 0  # the same noise each time, so that validation losses compare
_PARTS = ("model", "optimiser", "scheduler")  # of a run's state: what has one of its own,
_RECORD = ("order", "losses", "seconds", "validation_losses")  # and what is copied as it is
_KIND = "emvae.training checkpoint, version 2"


class Objective(Protocol):
    """What ``train`` minimises: called with a model and a batch, a scalar, the mean over the batch's rows.

    All randomness comes from ``generator``, which is on the device of the batch, and nothing is remembered
    from call to call; ``step`` counts the updates so far. Then a run can be continued to the bit.
    """

    def __call__(self, model: Any, batch: Tensor, /, *, generator: torch.Generator, step: int) -> Tensor:
        """Return the objective on a batch (B, ...), a scalar with gradients."""


@dataclass
class Run:
    """A model in training: its optimiser, its place in the data, its random numbers, its record.

    What ``state`` copies and ``restore`` takes up is what a checkpoint holds.
    """

    model: nn.Module
    x: Tensor
    objective: Objective
    optimiser: Optimizer
    scheduler: LRScheduler
    generator: torch.Generator
    batch_size: int
    held_out: tuple[Tensor, Objective, int] | None  # the rows, what is evaluated, every how many steps

    def __post_init__(self) -> None:
        """Start with nothing done."""
        self.losses: list[float] = []
        self.seconds: list[float] = []
        self.validation_losses: dict[int, float] = {}  # by the number of updates before
        self.order = torch.arange(len(self.x))
        self.noise = self.generator
        if self.x.device.type != self.generator.device.type:  # one there, seeded by the one that was given
            seed = torch.randint(2**62, (), generator=self.generator, device=self.generator.device)
            self.noise = torch.Generator(self.x.device).manual_seed(int(seed))
        self.steps_per_epoch = math.ceil(len(self.x) / self.batch_size)
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
            self.order = torch.randperm(len(self.x), generator=self.generator, device=self.generator.device)
        self.rows = self.order[place * self.batch_size :][: self.batch_size].to(self.x.device)
        batch = self.x.index_select(0, self.rows)
        return self.objective(self.model, batch, generator=self.noise, step=self.n_steps)

    def update(self, loss: Tensor) -> None:
        """Take the step."""
        value = loss.item()
        self.optimiser.zero_grad()
        torch.autograd.backward(loss)
        self.optimiser.step()
        self.scheduler.step()
        self.losses.append(value)
        self.seconds.append(self.elapsed)

    @torch.no_grad()
    def validate(self, *, now: bool = False) -> None:
        """Record the loss on held-out data where it is due, once for each state of the weights."""
        if self.held_out is None or self.n_steps in self.validation_losses:
            return
        x, objective, every = self.held_out
        if not now and self.n_steps % every:
            return
        noise, total = torch.Generator(x.device).manual_seed(_VALIDATION_SEED), 0.0
        self.model.eval()
        for batch in torch.split(x, _VALIDATION_ROWS):
            total += len(batch) * float(objective(self.model, batch, generator=noise, step=self.n_steps))
        self.model.train()
        self.validation_losses[self.n_steps] = total / len(x)

    def told(self) -> Step:
        """Return what a callback is told."""
        latest = [math.nan, *self.validation_losses.values()][-1]
        return Step(self.n_steps, self.losses[-1], latest, self.model)

    def history(self, stop_reason: StopReason) -> History:
        """Return the record so far."""
        steps = np.array(list(self.validation_losses), dtype=np.int64)
        held_out = np.array(list(self.validation_losses.values()))
        losses, seconds = np.array(self.losses), np.array(self.seconds)
        return History(losses, seconds, steps, held_out, self.steps_per_epoch, stop_reason)

    def state(self) -> dict[str, Any]:
        """Copy what a continuation needs."""
        parts = {name: getattr(self, name).state_dict() for name in _PARTS}
        record = {name: copy.copy(getattr(self, name)) for name in _RECORD}
        generators = [self.generator.get_state(), self.noise.get_state()]
        return copy.deepcopy(parts) | record | {"generators": generators}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a run where its state was copied."""
        for name in _PARTS:
            getattr(self, name).load_state_dict(state[name])
        for name in _RECORD:
            setattr(self, name, state[name])
        for generator, numbers in zip((self.generator, self.noise), state["generators"], strict=True):
            generator.set_state(numbers)
        self.started = time.perf_counter() - (self.seconds[-1] if self.seconds else 0.0)


class Checkpoint:
    """The file of a run; the run is taken up where the file has it.

    Parameters
    ----------
    path : the file.
    every : seconds between two states.
    run : that is written there.
    resume : whether the file may be there already.
    """

    def __init__(self, path: str | PathLike[str], every: float, run: Run, *, resume: bool) -> None:
        self.path, self.every, self.identity = Path(path), every, _identify(run)
        self._written_at, self._step = -math.inf, -1
        if not self.path.exists():
            return
        if not resume:
            raise ValueError(f"checkpoint {path} exists: pass resume=True to continue it, or remove it")
        state = _files.read(self.path, kind=_KIND)
        for what, value in self.identity.items():
            if state["identity"].get(what) != value:
                raise ValueError(f"checkpoint {path} is of another run, {what} differs: pass that run's")
        run.restore(state)
        self._written_at, self._step = time.perf_counter(), run.n_steps

    def write(self, state: dict[str, Any], *, now: bool = False) -> None:
        """Write a state if it is due and not there; a failure is an error without any file, else told."""
        due = now or time.perf_counter() >= self._written_at + self.every
        if not due or self._step == len(state["losses"]):
            return
        self._written_at = time.perf_counter()
        try:
            _files.write(self.path, {"identity": self.identity, **state}, kind=_KIND)
            self._step = len(state["losses"])
        except OSError as error:
            failed = f"checkpoint {self.path} cannot be written ({error}): make room, or pass another file"
            if not self.path.exists():
                raise OSError(f"{failed}, in a folder that exists and may be written") from error
            failed += "; the run goes on, the file keeps an earlier step"
            warnings.warn(failed, RuntimeWarning, stacklevel=4)


def load_weights(model: nn.Module, checkpoint: str | PathLike[str]) -> None:
    """Give a model the weights in a checkpoint of ``train``.

    Parameters
    ----------
    model : of the architecture that was trained; its weights are changed.
    checkpoint : the file; nothing in it is executed.

    Raises
    ------
    ValueError : the file is damaged, no checkpoint, of an older version or of another model; the weights are
        as before.
    OSError : the file cannot be read.
    """
    path = Path(checkpoint)
    weights = _files.read(path, kind=_KIND)["model"]
    if _shapes(weights) != _shapes(model.state_dict()):
        raise ValueError(f"{path} is of another model: pass one with the layers that were trained")
    model.load_state_dict(weights)


def _identify(run: Run) -> dict[str, str]:
    """Name what the continuation of a run must have in common with its beginning."""
    groups = run.optimiser.state_dict()["param_groups"]
    trained = [name for name, weights in run.model.named_parameters() if weights.requires_grad]
    return {
        "model": repr((trained, _shapes(run.model.state_dict()))),
        "batch_size": repr(run.batch_size),
        "optimiser": type(run.optimiser).__name__,
        "learning_rate": repr([group.get("initial_lr", group.get("lr")) for group in groups]),
        "schedule": type(run.scheduler).__name__,
        "x": repr((run.x.shape, run.x.dtype, zlib.crc32(run.x.cpu().contiguous().numpy().data))),
    }


def _shapes(weights: dict[str, Tensor]) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in weights.items()}
