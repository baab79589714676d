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

_KIND = "emvae.training checkpoint, version 1"


def load_weights(model: nn.Module, checkpoint: str | PathLike[str]) -> None:
    """Give a model the weights in a checkpoint of ``train``.

    Parameters
    ----------
    model : of the architecture that was trained; its weights are changed.
    checkpoint : the file; nothing in it is executed.

    Raises
    ------
    ValueError : the file is damaged, no checkpoint, or one of another model; the weights are as before.
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
    identity : what a continuation must have in common with the beginning.
    every : seconds between two states.
    resume : whether the file may be there already.
    """

    def __init__(
        self, path: str | PathLike[str] | None, identity: State, *, every: float, resume: bool
    ) -> None:
        if path is None and resume:
            raise ValueError("resume is set without a checkpoint: pass checkpoint, the file to continue from")
        self.path = None if path is None else Path(path)
        self.identity, self.every = identity, every
        self._written_at = -math.inf
        self._step: int | None = None
        if self.path is not None and self.path.exists() and not resume:
            raise ValueError(f"checkpoint {path} exists: pass resume=True to continue it, or remove it")

    def read(self) -> State | None:
        """Return the state to continue from, if there is one; it has to be of the same run."""
        if self.path is None or not self.path.exists():
            return None
        state = _files.read(self.path, kind=_KIND)
        for what, value in self.identity.items():
            if state["identity"].get(what) != value:
                raise ValueError(
                    f"checkpoint {self.path} is of another run, {what} differs: pass what that run had, or "
                    "another file"
                )
        self._written_at, self._step = time.perf_counter(), len(state["losses"])
        return state

    def is_due(self) -> bool:
        """Tell whether it is time to write."""
        return self.path is not None and time.perf_counter() - self._written_at >= self.every

    def write(self, run: Run) -> None:
        """Write the state if it is not there yet. Without any file a failure is an error, else a warning."""
        if self.path is None or self._step == run.n_steps:
            return
        self._written_at = time.perf_counter()
        try:
            _files.write(self.path, {"identity": self.identity, **run.state()}, kind=_KIND)
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
            self._step = run.n_steps


def identify(model: nn.Module, x: Tensor, batch_size: int) -> State:
    """Name what the continuation of a run must have in common with its beginning."""
    return {
        "the shape of the weights": _shapes(model.state_dict()),
        "the choice of trained weights": [name for name, w in model.named_parameters() if w.requires_grad],
        "batch_size": batch_size,
        "the shape of x": list(x.shape),
        "the dtype of x": str(x.dtype),
        "the content of x": zlib.crc32(x.cpu().contiguous().numpy().data),
    }


def _shapes(weights: dict[str, Tensor]) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in weights.items()}
