"""The state of a run on the disk: a file that is whole at any moment, read without executing anything."""

import math
import os
import pickle
import time
import warnings
import zlib
from contextlib import suppress
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from emvae.training.run import Run

__all__ = ["Checkpoint", "identify", "load_weights"]

State = dict[str, Any]

_KIND = "emvae checkpoint 1"


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
    weights = _read(path)["model"]
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
        self._written_at, self._step = -math.inf, -1
        if self.path is not None and self.path.exists() and not resume:
            raise ValueError(f"checkpoint {path} exists: pass resume=True to continue it, or remove it")

    def read(self) -> State | None:
        """Return the state to continue from, if there is one; it has to be of the same run."""
        if self.path is None or not self.path.exists():
            return None
        state = _read(self.path)
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
            _write(self.path, {"identity": self.identity, **run.state()})
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


def _write(path: Path, state: State) -> None:
    """Replace the file in one step: whoever kills the process leaves the old file or the new one.

    The bytes go to a neighbour first, and are on the disk before it takes the file's name.
    """
    content = BytesIO()
    torch.save({"kind": _KIND, **state}, content)
    neighbour = path.with_name(path.name + ".tmp")
    try:
        with neighbour.open("wb") as file:
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        os.replace(neighbour, path)
    except BaseException:
        with suppress(OSError):
            neighbour.unlink()
        raise


def _read(path: Path) -> State:
    """Return the state in a file: tensors and plain values only, anything else is refused."""
    content = path.read_bytes()
    try:
        with warnings.catch_warnings(action="ignore"):  # torch warns of some files before it refuses them
            state = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, LookupError, ValueError) as error:
        raise ValueError(f"{path} is damaged or no checkpoint: remove it, or pass another file") from error
    if not isinstance(state, dict) or state.get("kind") != _KIND:
        raise ValueError(f"{path} holds something else than a checkpoint of train: pass another file")
    return state
