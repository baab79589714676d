"""The loop: a batch, its loss, a step; and around it what may go wrong."""

import math
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from os import PathLike
from typing import Any, Never

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from emvae._progress import progress
from emvae._random import as_torch_generator, drawing_from
from emvae._validation import as_count, as_non_negative, check_finite
from emvae.training.checkpoints import Checkpoint, State, identify
from emvae.training.history import DivergenceError, History, StopReason
from emvae.training.run import Callback, HeldOut, Objective, Run, Step
from emvae.training.schedules import Schedule

__all__ = ["train"]

_DTYPES = (torch.uint8, torch.bool, torch.float16, torch.float32, torch.float64)
_FUSED = ("cpu", "cuda", "mps")  # where torch has Adam in one pass over the weights
_BATCH_SIZE, _LEARNING_RATE = 128, 1e-3
_SECONDS_BETWEEN_COPIES = 1.0  # what has to be repeated when a run goes astray

OptimiserFactory = Callable[[Iterable[nn.Parameter]], Optimizer]


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
    callback : called after every update with a ``Step``; if it returns True the run ends there.
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
    Source: Kingma and Ba (2015), algorithm 1, for Adam; Robbins and Monro (1951) for why a noisy
    gradient may be followed.
    """
    if n_epochs is None and max_seconds is None:
        raise ValueError("n_epochs and max_seconds are both None: pass one of them, or both")
    n_epochs = None if n_epochs is None else as_count(n_epochs, name="n_epochs")
    max_seconds = math.inf if max_seconds is None else _as_positive(max_seconds, name="max_seconds")
    checkpoint_seconds = as_non_negative(checkpoint_seconds, name="checkpoint_seconds")
    _check_model(model)
    x = _as_data(x, model, name="x")
    batch_size = min(_BATCH_SIZE, len(x)) if batch_size is None else batch_size
    batch_size = as_count(batch_size, name="batch_size", maximum=len(x))
    validation = None if validation is None else _as_data(validation, model, name="validation")
    if validation_every is not None:
        validation_every = as_count(validation_every, name="validation_every")
    as_torch_generator(generator)
    device = _as_device(device, model)
    if compile:
        _check_compiler(device)
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if optimiser is None:
        rate = _as_positive(_LEARNING_RATE if learning_rate is None else learning_rate, name="learning_rate")
        stepper: Optimizer = Adam(weights, lr=rate, fused=device.type in _FUSED)
    else:
        stepper = _as_optimiser(optimiser(weights), learning_rate)
    n_steps = None if n_epochs is None else n_epochs * math.ceil(len(x) / batch_size)
    scheduler = None if schedule is None else _as_scheduler(schedule(stepper, n_steps))
    file = Checkpoint(checkpoint, every=checkpoint_seconds, resume=resume)

    same_kind = generator.device.type == device.type
    noise = generator if same_kind else _on_device(generator, device)
    fast = _compiled(objective) if compile else objective
    run = Run(model, x.to(device), fast, stepper, scheduler, generator, noise, batch_size)
    saved = None if checkpoint is None else file.read(identify(run))
    model.to(device)
    if saved is not None:
        run.restore(saved)
    held_out = None
    if validation is not None:
        every = validation_every or run.steps_per_epoch
        held_out = HeldOut(validation.to(device), validation_objective or objective, every)
    was_training = model.training
    model.train()
    try:
        return run.history(_loop(run, held_out, n_steps, max_seconds, callback, file))
    finally:
        stepper.zero_grad()
        model.train(was_training)


def _loop(
    run: Run,
    held_out: HeldOut | None,
    n_steps: int | None,
    max_seconds: float,
    callback: Callback | None,
    file: Checkpoint,
) -> StopReason:
    """Take steps until the budget is spent, the callback has enough or Ctrl-C is pressed."""
    sound: State | None = None  # the last copy of the run whose loss was seen to be finite
    copied_at = -math.inf
    stop_reason: StopReason = "n_epochs"
    steps = count() if n_steps is None else range(run.n_steps, n_steps)
    with _interrupts_noted() as interrupts, progress(steps, description="training") as bar:
        if held_out is not None:
            held_out.evaluate(run)
        for _ in bar:
            if interrupts or run.elapsed >= max_seconds:
                stop_reason = "interrupted" if interrupts else "max_seconds"
                break
            due = file.is_due()
            copied = run.state() if due or run.elapsed - copied_at > _SECONDS_BETWEEN_COPIES else None

            loss = run.evaluate()
            if not math.isfinite(_as_number(loss)):
                _diverge(f"the loss is {loss.item()}", run, sound)
            if copied is not None:
                sound, copied_at = copied, run.elapsed
                if due:
                    file.write(sound)
            run.update(loss)

            if held_out is not None:
                held_out.evaluate(run)
            bar.set_postfix_str(f"loss {run.losses[-1]:.2f}", refresh=False)
            if callback is not None and callback(_told(run)):
                stop_reason = "callback"
                break
        if not run.is_sound():
            _diverge("the weights are not finite", run, sound)
        if held_out is not None and not interrupts:
            held_out.evaluate(run, now=True)
        file.write(run.state())
        return "interrupted" if interrupts else stop_reason


def _diverge(what: str, run: Run, sound: State | None) -> Never:
    """Go back to the last weights with a finite loss, and say what happened.

    They are one update before the failing step: the run is repeated from its last copy up to there.
    """
    error = DivergenceError(what, rows=run.rows.cpu().numpy(), history=run.history("diverged"))
    if sound is not None:
        run.restore(sound)
        while run.n_steps < error.step - 1 and math.isfinite((loss := run.evaluate()).item()):
            run.update(loss)
    raise error


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

    def note(number: int, frame: Any) -> None:
        if noted:
            before(number, frame)
        noted.append(number)

    signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)


def _compiled(objective: Objective) -> Objective:
    """Translate an objective; it draws the same noise, from the global stream that stands in meanwhile."""
    translated = torch.compile(objective, options={"fallback_random": True})

    def fast(model: Any, batch: Tensor, *, generator: torch.Generator, step: int) -> Tensor:
        with drawing_from(generator) as stream:
            return translated(model, batch, generator=stream, step=step)

    return fast


def _told(run: Run) -> Step:
    validation_loss = run.validation[-1][1] if run.validation else math.nan
    return Step(run.n_steps, run.losses[-1], validation_loss, run.model)


def _on_device(generator: torch.Generator, device: torch.device) -> torch.Generator:
    """Return a generator there, seeded by the one that was given."""
    seed = torch.randint(2**62, (), generator=generator, device=generator.device)
    return torch.Generator(device).manual_seed(int(seed))


def _as_number(loss: Any) -> float:
    if not isinstance(loss, Tensor) or loss.ndim:
        what = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
        raise ValueError(f"objective returned {what}: it should be a 0-d tensor, the mean over the batch")
    if not loss.requires_grad:
        raise ValueError(
            "objective returned a loss without gradient: it should be made from the model's weights, without "
            "detach, item or no_grad"
        )
    return loss.item()


def _as_optimiser(optimiser: Any, learning_rate: float | None) -> Optimizer:
    if learning_rate is not None:
        raise ValueError("learning_rate is that of Adam: drop it, and make the optimiser with its own")
    if not isinstance(optimiser, Optimizer):
        raise ValueError(
            f"optimiser made a {type(optimiser).__name__}: it should return a torch.optim.Optimizer"
        )
    return optimiser


def _as_scheduler(scheduler: Any) -> LRScheduler:
    if not isinstance(scheduler, LRScheduler) or isinstance(scheduler, ReduceLROnPlateau):
        raise ValueError(
            f"schedule made a {type(scheduler).__name__}: it should return one of torch.optim.lr_scheduler "
            "that needs no loss to step"
        )
    return scheduler


def _check_compiler(device: torch.device) -> None:
    names = [os.environ.get("CXX", "c++"), "g++", "clang++", "cl"]
    if device.type == "cpu" and not any(map(shutil.which, names)):
        raise ValueError(
            "compile needs a C++ compiler and finds none: drop it, or install one and name it in CXX"
        )


def _check_model(model: Any) -> None:
    if not isinstance(model, nn.Module):
        raise ValueError(f"model is a {type(model).__name__}: pass a torch.nn.Module")
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError("model has no weights to train: pass one with parameters that require gradients")


def _as_data(x: Any, model: nn.Module, *, name: str) -> Tensor:
    """Return x as it is, if it is a non-empty finite tensor of a kind that suits the model."""
    if not isinstance(x, Tensor):
        raise ValueError(f"{name} is a {type(x).__name__}: pass a tensor, such as torch.tensor({name})")
    if x.dtype not in _DTYPES:
        raise ValueError(f"{name} has dtype {x.dtype}: pass floats, or torch.uint8 for bits and grey levels")
    if x.ndim == 0 or x.numel() == 0:
        raise ValueError(f"{name} is empty or a number, shape {tuple(x.shape)}: pass rows, shape (N, D)")
    weights = next(parameter.dtype for parameter in model.parameters())
    if x.is_floating_point():
        if x.dtype != weights:
            raise ValueError(f"{name} has dtype {x.dtype}, the model {weights}: pass {name}.to({weights})")
        if not torch.isfinite(x.detach().sum()):  # on all cores; a sum may overflow where no entry does
            check_finite(x.detach().reshape(len(x), -1).cpu().numpy(), name=name)
    return x.detach()


def _as_positive(value: Any, *, name: str) -> float:
    number = as_non_negative(value, name=name)
    if number == 0:
        raise ValueError(f"{name} = {value!r}: it should be positive")
    return number


def _as_device(device: Any, model: nn.Module) -> torch.device:
    weights = next(model.parameters())
    if device is None:
        return weights.device
    try:
        return torch.empty((), dtype=weights.dtype, device=device).device
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        raise ValueError(
            f"device = {device!r} is not there for torch {torch.__version__} on this machine, or has no "
            f"{weights.dtype}: pass 'cpu', or None to train where the model is"
        ) from error
