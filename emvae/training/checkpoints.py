"""The state of a run on the disk: a file that is whole at any moment, read without executing anything."""

import math
import time
import warnings
import zlib
from os import PathLike
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from emvae import _files
from emvae.training.run import Run

__all__ = ["Checkpoint", "identify", "load_weights"]

State = dict[str, Any]

_KIND = "emvae.training checkpoint, version 2"


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


class Checkpoint:
    """The file of a run, or none: when to write it, and what to do when that fails.

    Parameters
    ----------
    path : the file, None to do without.
    every : seconds between two states.
    resume : whether the file may be there already.
    """

    def __init__(self, path: str | PathLike[str] | None, *, every: float, resume: bool) -> None:
        if path is None and resume:
            raise ValueError("resume is set without a checkpoint: pass checkpoint, the file to continue from")
        self.path, self.every = None if path is None else Path(path), every
        self._due, self._step = -math.inf, -1
        if self.path is not None and self.path.exists() and not resume:
            raise ValueError(f"checkpoint {path} exists: pass resume=True to continue it, or remove it")

    def read(self, identity: State) -> State | None:
        """Return the state to continue from, if there is one; it has to be of the same run."""
        self.identity = identity
        if self.path is None or not self.path.exists():
            return None
        state = _files.read(self.path, kind=_KIND)
        for what, value in identity.items():
            if state["identity"].get(what) != value:
                raise ValueError(
                    f"checkpoint {self.path} is of another run, {what} differs: pass what that run had, or "
                    "another file"
                )
        self._due, self._step = time.perf_counter() + self.every, len(state["losses"])
        return state

    def is_due(self) -> bool:
        """Tell whether it is time to write."""
        return self.path is not None and time.perf_counter() >= self._due

    def write(self, state: State) -> None:
        """Write a state unless it is there. Without any file a failure is an error, else a warning."""
        if self.path is None or self._step == len(state["losses"]):
            return
        self._due = time.perf_counter() + self.every
        try:
            _files.write(self.path, {"identity": self.identity, **state}, kind=_KIND)
        except OSError as error:
            failed = f"checkpoint {self.path} cannot be written ({error}): make room, or "
            if not self.path.exists():
                raise OSError(failed + "pass a file in a folder that exists and may be written") from error
            warnings.warn(
                failed + "stop and pass another file; the run goes on, the file keeps an earlier step",
                RuntimeWarning,
                stacklevel=4,
            )
        else:
            self._step = len(state["losses"])


def identify(run: Run) -> State:
    """Name what the continuation of a run must have in common with its beginning."""
    groups = run.optimiser.state_dict()["param_groups"]
    return {
        "the shape of the weights": _shapes(run.model.state_dict()),
        "the choice of trained weights": [
            name for name, weights in run.model.named_parameters() if weights.requires_grad
        ],
        "batch_size": run.batch_size,
        "the optimiser": type(run.optimiser).__name__,
        "the learning rate": [group.get("initial_lr", group.get("lr")) for group in groups],
        "the kind of schedule": type(run.scheduler).__name__,
        "the shape of x": list(run.x.shape),
        "the dtype of x": str(run.x.dtype),
        "the content of x": zlib.crc32(run.x.cpu().contiguous().numpy().data),
    }


def _shapes(weights: dict[str, Tensor]) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in weights.items()}
