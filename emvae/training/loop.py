"""The loop: a batch, its loss, a step."""

from itertools import count
from os import PathLike
from typing import Any

import torch
from torch import Tensor, nn

from emvae._progress import progress
from emvae._random import as_torch_generator
from emvae._validation import as_count, as_non_negative, check_finite
from emvae.training.checkpoints import Checkpoint, identify
from emvae.training.history import History, StopReason
from emvae.training.run import HeldOut, Objective, Run
from emvae.training.schedules import Budget, Schedule, constant, rate_at

__all__ = ["train"]

_DTYPES = (torch.uint8, torch.bool, torch.float16, torch.float32, torch.float64)


def train(
    model: nn.Module,
    x: Tensor,
    objective: Objective,
    *,
    generator: torch.Generator,
    n_epochs: int | None = None,
    max_seconds: float | None = None,
    batch_size: int = 128,
    learning_rate: float = 1e-3,
    schedule: Schedule = constant,
    validation: Tensor | None = None,
    validation_objective: Objective | None = None,
    validation_every: int | None = None,
    checkpoint: str | PathLike[str] | None = None,
    checkpoint_seconds: float = 30.0,
    resume: bool = False,
    device: str | torch.device | None = None,
) -> History:
    """Minimise an objective over minibatches with Adam, in place.

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
    batch_size : rows a batch, B.
    learning_rate : of Adam.
    schedule : factor of the learning rate as a function of progress from 0 to 1: ``constant``,
        ``cosine`` or any other. Progress is the share of ``n_epochs`` that is done, or without those the
        share of ``max_seconds``.
    validation : (V, ...) held-out data, evaluated at the start, at the end and in between, always with
        the same noise. The run itself does not depend on it.
    validation_objective : what is evaluated there; None for ``objective``.
    validation_every : steps between evaluations; None for once a pass.
    checkpoint : file for the state of the run, replaced in one step at the start, at the end and every
        ``checkpoint_seconds``, so that killing the process at any moment leaves a whole file.
    checkpoint_seconds : seconds between two states.
    resume : continue the run in ``checkpoint`` if that exists. With the arguments it had, and
        ``n_epochs``, the outcome is to the bit that of a run without interruption. Budget, learning rate,
        schedule and objective may be others now; the data and ``batch_size`` may not.
    device : where to train, such as "cuda" or "mps"; None for where the model is. The model stays there.
        The rows come in the same order everywhere, but another device rounds in another way and draws noise
        of its own. The losses of an objective without noise agree with the CPU's within 0.1 % over the
        first hundred steps; those of a VAE, averaged over a pass, within 2 %.

    Returns
    -------
    History; Ctrl-C returns the steps so far with ``stop_reason == "interrupted"``.

    Raises
    ------
    ValueError : before any work: x is empty, not finite, no tensor of real numbers or of another
        precision than the model; ``batch_size`` exceeds N; a rate, a count or a time is not positive; no
        budget is given; the device is absent; a checkpoint exists and ``resume`` is not set, or is of
        another run. At the first step: the objective does not return a differentiable scalar.
    DivergenceError : the loss became infinite or NaN; the model has the last weights where it was not.
    OSError : the first checkpoint cannot be written. Later ones that fail give a warning.

    Notes
    -----
    Source: Kingma and Ba (2015), algorithm 1, for Adam; Robbins and Monro (1951) for why a noisy
    gradient may be followed.
    """
    if n_epochs is None and max_seconds is None:
        raise ValueError("n_epochs and max_seconds are both None: pass one of them, or both")
    n_epochs = None if n_epochs is None else as_count(n_epochs, name="n_epochs")
    max_seconds = None if max_seconds is None else _as_positive(max_seconds, name="max_seconds")
    learning_rate = _as_positive(learning_rate, name="learning_rate")
    checkpoint_seconds = as_non_negative(checkpoint_seconds, name="checkpoint_seconds")
    _check_model(model)
    x = _as_data(x, model, name="x")
    batch_size = as_count(batch_size, name="batch_size", maximum=len(x))
    validation = None if validation is None else _as_data(validation, model, name="validation")
    if validation_every is not None:
        validation_every = as_count(validation_every, name="validation_every")
    as_torch_generator(generator)
    device = _as_device(device, model)
    identity = {} if checkpoint is None else identify(model, x, batch_size)
    file = Checkpoint(checkpoint, identity, every=checkpoint_seconds, resume=resume)
    saved = file.read()

    model.to(device)
    run = Run(model, x.to(device), objective, generator, batch_size)
    if saved is not None:
        run.restore(saved)
    held_out = None
    if validation is not None:
        every = validation_every or run.steps_per_epoch
        held_out = HeldOut(validation.to(device), validation_objective or objective, every)
    budget = Budget(None if n_epochs is None else n_epochs * run.steps_per_epoch, max_seconds)
    was_training = model.training
    model.train()
    try:
        stop_reason = _loop(run, held_out, budget, learning_rate, schedule, file)
    finally:
        run.optimiser.zero_grad()
        model.train(was_training)
    return run.history(stop_reason)


def _loop(
    run: Run,
    held_out: HeldOut | None,
    budget: Budget,
    learning_rate: float,
    schedule: Schedule,
    file: Checkpoint,
) -> StopReason:
    steps = count() if budget.n_steps is None else range(run.n_steps, budget.n_steps)
    stop_reason: StopReason = "n_epochs"
    try:
        with progress(steps, description="training") as bar:
            for _ in bar:
                if budget.is_spent(run.elapsed):
                    stop_reason = "max_seconds"
                    break
                run.validate(held_out)
                loss = run.evaluate()
                if file.is_due():  # now that the loss at these weights is known to be finite
                    file.write(run)
                run.update(loss, rate_at(learning_rate, schedule, budget.progress(run.n_steps, run.elapsed)))
                bar.set_postfix_str(f"loss {run.losses[-1]:.2f}", refresh=False)
        run.check_weights()
        run.validate(held_out, now=True)
    except KeyboardInterrupt:
        run.rewind()
        run.check_weights()
        stop_reason = "interrupted"
    file.write(run)
    return stop_reason


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
