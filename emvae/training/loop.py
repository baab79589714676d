"""The loop: a batch, its loss, a step; and around it what may go wrong."""

import math
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from os import PathLike
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer
from torch.optim.lr_scheduler import ConstantLR, LambdaLR, LRScheduler, ReduceLROnPlateau

from emvae._progress import progress
from emvae._random import as_torch_generator, drawing_from
from emvae._validation import as_count, as_non_negative, as_positive, check_finite
from emvae.training.history import DivergenceError, History, Step, StopReason
from emvae.training.run import Checkpoint, Objective, Run

__all__ = ["cosine", "train"]

_FUSED = ("cpu", "cuda", "mps")  # where torch has Adam in one pass over the weights
_SECONDS_BETWEEN_COPIES = 1.0  # what has to be repeated when a run goes astray

Callback = Callable[[Step], bool | None]
OptimiserFactory = Callable[[Iterable[nn.Parameter]], Optimizer]
Schedule = Callable[[Optimizer, int | None], LRScheduler]


def train(
    model: nn.Module,
    x: Tensor,
    objective: Objective,
    *,
    generator: torch.Generator,
    n_epochs: int | None = None,
    max_seconds: float | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    optimiser: OptimiserFactory | None = None,
    schedule: Schedule | None = None,
    validation: Tensor | None = None,
    validation_objective: Objective | None = None,
    validation_every: int | None = None,
    callback: Callback | None = None,
    checkpoint: str | PathLike[str] | None = None,
    checkpoint_seconds: float = 30.0,
    resume: bool = False,
    device: str | torch.device | None = None,
    compile: bool = False,
) -> History:
    """Minimise an objective over minibatches, in place.

    Each pass visits every row once, in an order drawn from ``generator``; the last batch of a pass may
    be smaller. The whole data set lies on the device, and a batch is cut from it by row numbers.

    Parameters
    ----------
    model : module to train; its weights are changed.
    x : (N, ...) data: floats of the model's precision, or bytes, which take a quarter of the room. The
        objective gets rows as they are stored, and converts bytes itself.
    objective : called with the model and a batch, returns the mean loss over its rows.
    generator : orders the rows and is handed to the objective. Its state decides the run: the same
        state, arguments and machine give the same weights to the bit. To an objective on another device
        goes a generator of that device, seeded from this one.
    n_epochs : passes over the data; this or ``max_seconds`` or both, whichever ends first.
    max_seconds : stop when so much time has passed. How far a run gets in it varies, and so its result.
    batch_size : rows a batch, B; None for 128, or N if that is less.
    learning_rate : of Adam, None for 0.001; another optimiser is made with its own.
    optimiser : called with the trained weights, returns a ``torch.optim.Optimizer`` for them, for instance
        ``lambda weights: torch.optim.SGD(weights, lr=0.1)``; None for Adam.
    schedule : called with the optimiser and the number of updates in ``n_epochs`` (None without those),
        returns a ``torch.optim.lr_scheduler``, stepped after every update: ``cosine``, or for instance
        ``lambda optimiser, n_steps: StepLR(optimiser, 1000)``. None to keep the rate.
    validation : (V, ...) held-out data, evaluated at the start, at the end and in between, always with
        the same noise. The run itself does not depend on it.
    validation_objective : what is evaluated there; None for ``objective``.
    validation_every : steps between evaluations; None for once a pass.
    callback : called after every update with a record of its ``number``, its ``loss`` before it, the latest
        ``validation_loss`` and the ``model``; if it returns True the run ends there.
    checkpoint : file for the state of the run, replaced in one step at the start, at the end and every
        ``checkpoint_seconds``, so that killing the process at any moment leaves a whole file.
    checkpoint_seconds : seconds between two states.
    resume : continue the run in ``checkpoint`` if that exists. With the arguments it had, and
        ``n_epochs``, the outcome is to the bit that of a run without interruption. Budget and objective may
        be others now; data, ``batch_size``, optimiser, its rate and kind of schedule may not.
    device : where to train, such as "cuda" or "mps"; None for where the model is. The model stays there.
        The rows come in the same order everywhere, but another device rounds in another way and draws noise
        of its own. The losses of an objective without noise agree with the CPU's within 0.1 % over the
        first hundred steps; those of a VAE, averaged over a pass, within 2 %.
    compile : translate the objective and its gradient by ``torch.compile``, which takes up to a minute, and
        pays for itself in long runs only. The noise is the same, the rounding is not: losses agree with
        those of a run without it within 0.1 % over the first hundred steps.

    Returns
    -------
    History. Ctrl-C ends the run after the step it falls into, with ``stop_reason == "interrupted"``; a second
    one is an exception.

    Raises
    ------
    ValueError : before any work: x is empty, not finite, no tensor of real numbers or of another
        precision than the model; ``batch_size`` exceeds N; a rate, a count or a time is not positive; no
        budget is given; the device is absent, or the C++ compiler that ``compile`` needs there; an optimiser
        or a schedule is none of torch's; a checkpoint exists and ``resume`` is not set, or is of another
        run. At the first step: the objective does not return a differentiable scalar.
    DivergenceError : the loss became infinite or NaN; the model has the last weights where it was not, found
        by repeating up to a second of the run.
    OSError : the first checkpoint cannot be written. Later ones that fail give a warning.

    Notes
    -----
    Subnormal numbers, below 1e-38 in single precision, count as 0 meanwhile: what an optimiser remembers of
    dead units decays to them, and processors compute with them slowly.

    Source: Kingma and Ba (2015), algorithm 1, for Adam; Robbins and Monro (1951) for why a noisy
    gradient may be followed.
    """
    _require((n_epochs, max_seconds) != (None, None), "n_epochs and max_seconds are both None: pass one")
    n_epochs = None if n_epochs is None else as_count(n_epochs, name="n_epochs")
    max_seconds = math.inf if max_seconds is None else as_positive(max_seconds, name="max_seconds")
    checkpoint_seconds = as_non_negative(checkpoint_seconds, name="checkpoint_seconds")
    _require(not resume or checkpoint is not None, "resume is set without a checkpoint: pass its file")
    as_torch_generator(generator)
    _require(isinstance(model, nn.Module), f"model is {_kind(model)}: pass a torch.nn.Module")
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    _require(len(weights) > 0, "model has no weights to train: pass one where some require gradients")
    device = _as_device(device, weights[0])
    compilers = (os.environ.get("CXX", "c++"), "g++", "clang++", "cl")
    can_compile = device.type != "cpu" or any(map(shutil.which, compilers))
    _require(can_compile or not compile, "compile needs a C++ compiler: drop it, or name one in CXX")
    x = _as_data(x, weights[0].dtype, name="x")
    batch_size = min(128, len(x)) if batch_size is None else batch_size
    batch_size = as_count(batch_size, name="batch_size", maximum=len(x))
    every = math.ceil(len(x) / batch_size)
    n_steps = None if n_epochs is None else n_epochs * every
    if validation is not None:
        validation = _as_data(validation, weights[0].dtype, name="validation").to(device)
    if validation_every is not None:
        every = as_count(validation_every, name="validation_every")
    if optimiser is None:
        rate = as_positive(1e-3 if learning_rate is None else learning_rate, name="learning_rate")
        optimiser, learning_rate = partial(Adam, lr=rate, fused=device.type in _FUSED), None
    _require(learning_rate is None, "learning_rate is that of Adam: drop it, the optimiser has its own")
    stepper: Any = optimiser(weights)
    made = f"optimiser made {_kind(stepper)}: it should return a torch.optim.Optimizer"
    _require(isinstance(stepper, Optimizer), made)
    scheduler: Any = ConstantLR(stepper, 1.0) if schedule is None else schedule(stepper, n_steps)
    made = f"schedule made {_kind(scheduler)}: it should return an LRScheduler that needs no loss to step"
    _require(isinstance(scheduler, LRScheduler) and not isinstance(scheduler, ReduceLROnPlateau), made)

    held_out = None if validation is None else (validation, validation_objective or objective, every)
    minimised = _compiled(objective, batch_size) if compile else objective
    model.to(device)
    run = Run(model, x.to(device), minimised, stepper, scheduler, generator, batch_size, held_out)
    file = None if checkpoint is None else Checkpoint(checkpoint, checkpoint_seconds, run, resume=resume)
    was_training = model.training
    model.train()
    torch.set_flush_denormal(True)  # see the notes
    try:
        steps = count() if n_steps is None else range(run.n_steps, n_steps)
        return run.history(_loop(run, steps, max_seconds, callback, file))
    finally:
        torch.set_flush_denormal(False)
        stepper.zero_grad()
        model.train(was_training)


def _loop(
    run: Run, steps: Iterable[int], max_seconds: float, callback: Callback | None, file: Checkpoint | None
) -> StopReason:
    """Take steps until the budget is spent, the callback has enough or Ctrl-C is pressed."""
    sound, copied_at = None, -math.inf  # the last copy of the run whose loss was seen to be finite
    between = _SECONDS_BETWEEN_COPIES if file is None else min(file.every, _SECONDS_BETWEEN_COPIES)
    stop_reason: StopReason = "n_epochs"
    with _interrupts_noted() as interrupts, progress(steps, description="training") as bar:
        run.validate()
        for _ in bar:
            if interrupts or run.elapsed >= max_seconds:
                stop_reason = "max_seconds"
                break
            copied = run.state() if run.elapsed - copied_at >= between else None
            loss = run.evaluate()
            if not math.isfinite(_as_number(loss)):
                raise _diverged(f"the loss is {loss.item()}", run, sound)
            if copied is not None:
                sound, copied_at = copied, run.elapsed
                if file is not None:
                    file.write(copied)
            run.update(loss)
            run.validate()
            bar.set_postfix_str(f"loss {run.losses[-1]:.2f}", refresh=False)
            if callback is not None and callback(run.told()):
                stop_reason = "callback"
                break
        if not all(tensor.isfinite().all() for tensor in run.model.state_dict().values()):
            raise _diverged("the weights are not finite", run, sound)
        if not interrupts:
            run.validate(now=True)
        if file is not None:
            file.write(run.state(), now=True)
        return "interrupted" if interrupts else stop_reason


def _diverged(what: str, run: Run, sound: dict[str, Any] | None) -> DivergenceError:
    """Go back to the last weights with a finite loss, and say what happened.

    They are one update before the failing step: the run is repeated from its last copy up to there.
    """
    error = DivergenceError(what, rows=run.rows.cpu().numpy(), history=run.history("diverged"))
    if sound is not None:
        run.restore(sound)
        while run.n_steps < error.step - 1:
            run.update(run.evaluate())
    return error


def cosine(optimiser: Optimizer, n_steps: int | None) -> LRScheduler:
    """Lower the learning rate to 0 along half a cosine, by ``(1 + cos(pi t / T)) / 2`` after t of T updates.

    Parameters
    ----------
    optimiser : whose rate it is.
    n_steps : T, the updates of the whole run.

    Raises
    ------
    ValueError : ``n_steps`` is None, as in a run without ``n_epochs``.

    Notes
    -----
    Source: Loshchilov and Hutter (2017), equation 5, without restarts.
    """
    if n_steps is None:
        raise ValueError("n_steps is None: cosine should know where it ends, so pass n_epochs to train")
    return LambdaLR(optimiser, lambda step: 0.5 * (1.0 + math.cos(math.pi * step / n_steps)))


@contextmanager
def _interrupts_noted() -> Iterator[list[int]]:
    """Put Ctrl-C into a list, which the loop looks at between steps; a second one is as it was before.

    Only the main thread is ever interrupted, and a process that ignores Ctrl-C goes on ignoring it.
    """
    noted: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield noted
        return

    def note(number: int, _: Any) -> None:
        noted.append(number)
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)


def _compiled(objective: Objective, batch_size: int) -> Objective:
    """Translate an objective; it draws the same noise, from the global stream that stands in meanwhile.

    The last batch of a pass, which may be smaller, goes untranslated: for another size there is another
    translation, that takes as long as the first. Before all, one batch is tried: torch looks divergences up
    when they are first used, and what it does then would cut the translation in pieces.
    """
    translated = torch.compile(objective, options={"fallback_random": True})
    untried = [True]

    def fast(model: Any, batch: Tensor, *, generator: torch.Generator, step: int) -> Tensor:
        if len(batch) < batch_size:
            return objective(model, batch, generator=generator, step=step)
        if untried:
            objective(model, batch, generator=generator.clone_state(), step=step)
            untried.clear()
        try:
            with drawing_from(generator) as stream:
                return translated(model, batch, generator=stream, step=step)
        except RuntimeError:
            objective(model, batch, generator=generator, step=step)  # says what is wrong with the batch
            raise

    return fast


def _require(fulfilled: bool, otherwise: str) -> None:
    if not fulfilled:
        raise ValueError(otherwise)


def _kind(value: Any) -> str:
    return f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"


def _as_number(loss: Any) -> float:
    scalar = isinstance(loss, Tensor) and loss.ndim == 0
    _require(scalar, f"objective returned {_kind(loss)}: it should be a 0-d tensor, the mean over the batch")
    _require(
        loss.requires_grad, "objective returned a loss without gradient: make it from the model's weights"
    )
    return loss.item()


def _as_data(x: Any, dtype: torch.dtype, *, name: str) -> Tensor:
    """Return x as it is, if it is a non-empty finite tensor of a kind that suits the model."""
    _require(isinstance(x, Tensor), f"{name} is {_kind(x)}: pass a tensor, such as torch.tensor({name})")
    suits = x.dtype in (dtype, torch.uint8, torch.bool)
    _require(
        suits, f"{name} has dtype {x.dtype}: pass {name}.to({dtype}), or torch.uint8 for bits and grey levels"
    )
    _require(
        x.ndim > 0 and x.numel() > 0, f"{name} is empty or a number, {_kind(x)}: pass rows, shape (N, D)"
    )
    check_finite(x.detach().reshape(len(x), -1).cpu().numpy(), name=name)
    return x.detach()


def _as_device(device: Any, weights: Tensor) -> torch.device:
    if device is None:
        return weights.device
    try:
        return torch.empty((), dtype=weights.dtype, device=device).device
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        remedy = "pass 'cpu', or None to train where the model is"
        raise ValueError(f"device = {device!r} is not there, or has no {weights.dtype}: {remedy}") from error
