"""The loop against an optimiser written by hand; interrupted, killed, full and diverging runs; bad input."""

import math
import os
import random
import re
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import MultiStepLR, OneCycleLR, ReduceLROnPlateau, StepLR

from emvae.autoencoders import VAE, BernoulliNetwork, GaussianNetwork, StandardGaussian
from emvae.bounds import NegativeELBO
from emvae.training import DivergenceError, History, cosine, load_weights, train
from emvae.training.history import Step
from tests.test_progress import on_a_terminal

ROOT = Path(__file__).resolve().parent.parent
N, D, B = 50, 3, 8
STEPS = 7  # in a pass: six batches of eight rows and one of two


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def linear_model(seed=0, dtype=torch.float64):
    model = nn.Linear(D, 2, dtype=dtype)
    with torch.no_grad():
        for weights in model.parameters():
            weights.normal_(generator=seeded(seed))
    return model


def data(seed=7, dtype=torch.float64):
    return torch.randn(N, D, generator=seeded(seed), dtype=dtype)


X = data()


def squares(model, batch, *, generator, step):
    """No noise."""
    return (model(batch) - 1).square().mean()


def noisy(model, batch, *, generator, step):
    """Noise from the generator, as an auto-encoder's objective has it."""
    return (model(batch) + torch.randn(len(batch), 2, generator=generator, dtype=batch.dtype)).square().mean()


class Spy:
    """An objective that remembers what it was called with, and may do something at one call."""

    def __init__(self, objective=noisy, at=None, do=None):
        self.objective, self.at, self.do = objective, at, do
        self.calls, self.batches, self.steps, self.weights, self.modes, self.generators = (
            0,
            [],
            [],
            [],
            [],
            [],
        )

    def __call__(self, model, batch, *, generator, step):
        self.calls += 1
        self.batches.append(batch.clone())
        self.steps.append(step)
        self.weights.append(flat(model))
        self.modes.append((model.training, torch.is_grad_enabled()))
        self.generators.append(generator)
        loss = self.objective(model, batch, generator=generator, step=step)
        return self.do(loss) if self.calls - 1 == self.at else loss


def flat(model):
    return torch.cat([tensor.detach().reshape(-1) for tensor in model.state_dict().values()])


def run(objective=noisy, *, seed=0, model_seed=0, **options):
    """Train the linear model; return it with the history and the generator."""
    model, generator = linear_model(model_seed), seeded(seed)
    options = {"n_epochs": 3, "batch_size": B, "learning_rate": 0.05} | options
    return model, train(model, X, objective, generator=generator, **options), generator


def same(one, other):
    """Whether two results of ``run`` agree to the bit, but for the time they took."""
    (model, history, generator), (model_2, history_2, generator_2) = one, other
    return (
        torch.equal(flat(model), flat(model_2))
        and torch.equal(generator.get_state(), generator_2.get_state())
        and all(
            np.array_equal(getattr(history, name), getattr(history_2, name))
            for name in ("losses", "validation_steps", "validation_losses", "stop_reason")
        )
    )


def at_step(wanted, do, objective=noisy):
    """An objective that does something else with its loss at one step, whenever that is taken."""

    def changed(model, batch, *, generator, step):
        loss = objective(model, batch, generator=generator, step=step)
        return do(loss) if step == wanted else loss

    return changed


def pressed(loss):
    """Ctrl-C in the middle of a step."""
    os.kill(os.getpid(), signal.SIGINT)
    return loss


# --- what a step is


def adam_by_hand(weights, gradients, rates):
    """Algorithm 1 of Kingma and Ba (2015), in numpy."""
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for t, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        g = gradient(weights)
        first = 0.9 * first + 0.1 * g
        second = 0.999 * second + 0.001 * g * g
        corrected = first / (1 - 0.9**t), second / (1 - 0.999**t)
        weights = weights - rate * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)
    return weights


def gradient_of_squares(batch):
    """d/d(W, b) of the mean of (W x + b - 1)^2 over rows and outputs, W before b as in nn.Linear."""
    rows = np.column_stack([batch.numpy(), np.ones(len(batch))])

    def gradient(weights):
        matrix = np.column_stack([weights[: 2 * D].reshape(2, D), weights[2 * D :]])
        change = 2 * (rows @ matrix.T - 1).T @ rows / (2 * len(rows))
        return np.r_[change[:, :D].ravel(), change[:, D]]

    return gradient


def test_the_loop_takes_the_steps_of_adam_at_the_rates_of_the_schedule():
    for schedule, factor in ((None, lambda p: 1.0), (cosine, lambda p: np.cos(p * np.pi / 2) ** 2)):
        spy = Spy(squares)
        model, history, _ = run(spy, schedule=schedule, learning_rate=0.03)
        total = 3 * STEPS
        rates = [0.03 * factor(step / total) for step in range(total)]
        expected = adam_by_hand(spy.weights[0].numpy(), map(gradient_of_squares, spy.batches), rates)
        np.testing.assert_allclose(flat(model).numpy(), expected, rtol=1e-12, atol=1e-14)
        for loss, batch, weights in zip(history.losses, spy.batches, spy.weights, strict=True):
            w = weights.numpy()
            output = batch.numpy() @ w[: 2 * D].reshape(2, D).T + w[2 * D :]
            assert loss == pytest.approx(np.square(output - 1).mean(), rel=1e-12)


def test_any_optimiser_and_any_scheduler_take_their_own_steps():
    """Momentum by hand: v <- 0.9 v + g, w <- w - rate v, the rate halved after every third update."""
    spy = Spy(squares)
    model, _, _ = run(
        spy,
        learning_rate=None,
        optimiser=lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9),
        schedule=lambda optimiser, n_steps: StepLR(optimiser, n_steps // 7, gamma=0.5),
    )
    weights, velocity = spy.weights[0].numpy(), 0.0
    for step, gradient in enumerate(map(gradient_of_squares, spy.batches)):
        velocity = 0.9 * velocity + gradient(weights)
        weights = weights - 0.1 * 0.5 ** (step // 3) * velocity
    np.testing.assert_allclose(flat(model).numpy(), weights, rtol=1e-12, atol=1e-14)


def test_subnormal_numbers_count_as_0_within_a_run_only():
    seen, smallest = [], torch.tensor(1e-40)

    def looks(model, batch, *, generator, step):
        seen.append(float(smallest * 1))
        return squares(model, batch, generator=generator, step=step)

    run(looks, n_epochs=1)
    with pytest.raises(DivergenceError):
        run(lambda model, batch, **_: model(batch).sum() * math.nan)
    assert set(seen) == {0.0}
    assert float(smallest * 1) > 0


def test_the_default_is_a_rate_of_a_thousandth_and_128_rows():
    x = torch.randn(200, D, generator=seeded(), dtype=torch.float64)
    spy, model = Spy(squares), linear_model()
    train(model, x, spy, generator=seeded(), n_epochs=2)
    assert [len(batch) for batch in spy.batches] == [128, 72, 128, 72]
    expected = adam_by_hand(spy.weights[0].numpy(), map(gradient_of_squares, spy.batches), [1e-3] * 4)
    np.testing.assert_allclose(flat(model).numpy(), expected, rtol=1e-12)


def test_each_pass_visits_every_row_once_in_an_order_of_its_own():
    spy = Spy()
    run(spy)
    assert [len(batch) for batch in spy.batches] == 3 * [8, 8, 8, 8, 8, 8, 2]
    assert spy.steps == list(range(3 * STEPS))
    passes = [torch.cat(spy.batches[start : start + STEPS]) for start in (0, STEPS, 2 * STEPS)]
    for visited in passes:
        assert torch.equal(visited[visited[:, 0].argsort()], X[X[:, 0].argsort()])
        assert not torch.equal(visited, X)
    assert not torch.equal(passes[0], passes[1])
    assert not torch.equal(passes[1], passes[2])


def test_fewer_rows_than_the_default_batch_are_one_batch():
    spy = Spy()
    train(linear_model(), X, spy, generator=seeded(), n_epochs=2)
    assert [len(batch) for batch in spy.batches] == [N, N]


@pytest.mark.parametrize("batch_size", [1, 49, 50])
def test_any_batch_size_up_to_the_whole(batch_size):
    spy = Spy()
    _, history, _ = run(spy, n_epochs=1, batch_size=batch_size)
    assert history.steps_per_epoch == history.n_steps == math.ceil(50 / batch_size)
    assert sum(len(batch) for batch in spy.batches) == 50


@pytest.mark.parametrize("dtype", [torch.uint8, torch.bool])
def test_bytes_are_handed_on_as_bytes(dtype):
    x = torch.arange(N * D).reshape(N, D).to(dtype)

    def objective(model, batch, *, generator, step):
        assert batch.dtype == dtype
        return model(batch.double()).square().mean()

    history = train(linear_model(), x, objective, generator=seeded(), n_epochs=1, batch_size=B)
    assert history.n_steps == STEPS


def test_weights_that_need_no_gradient_stay():
    model = linear_model()
    model.bias.requires_grad_(False)
    weight, bias = model.weight.detach().clone(), model.bias.clone()
    train(model, X, squares, generator=seeded(), n_epochs=1, batch_size=50)
    assert torch.equal(model.bias, bias)
    assert not torch.equal(model.weight, weight)


def test_a_vae_learns_bits():
    """Two patterns with 5 % noise: the bound comes near to what two components and a bit would give."""
    generator = seeded(3)
    pattern = torch.tensor([[0, 1], [1, 0]]).repeat_interleave(8, 1)[
        torch.randint(2, (400,), generator=generator)
    ]
    x = (pattern ^ (torch.rand(400, 16, generator=generator) < 0.05)).to(torch.uint8)
    vae = VAE(
        StandardGaussian(1),
        GaussianNetwork([16, 16, 1], generator=generator),
        BernoulliNetwork([1, 16, 16], generator=generator),
    )
    history = train(
        vae, x, NegativeELBO(), generator=generator, n_epochs=60, batch_size=50, learning_rate=1e-2
    )
    entropy = math.log(2) - 16 * (0.05 * math.log(0.05) + 0.95 * math.log(0.95))
    assert entropy - 0.3 < history.loss < entropy + 0.9
    assert history.epoch_losses[0] > entropy + 3


# --- randomness


def test_the_generators_state_decides_the_run_and_nothing_else_does():
    torch.manual_seed(1)
    one = run()
    torch.manual_seed(2)
    assert same(one, run())
    assert not same(one, run(seed=1))
    model, state = linear_model(), torch.get_rng_state()
    train(model, X, noisy, generator=seeded(), n_epochs=1, batch_size=B, validation=X)
    assert torch.equal(state, torch.get_rng_state())


def test_the_objective_draws_from_the_runs_generator():
    spy, generator = Spy(), seeded()
    train(linear_model(), X, spy, generator=generator, n_epochs=1, batch_size=B)
    assert all(given is generator for given in spy.generators)


# --- when it stops, and what it leaves


def test_epochs_end_a_run():
    _, history, _ = run(n_epochs=2)
    assert (history.stop_reason, history.n_steps, history.n_epochs) == ("n_epochs", 2 * STEPS, 2.0)
    assert history.seconds.shape == (2 * STEPS,)
    assert (np.diff(history.seconds) > 0).all()
    assert history.seconds[0] > 0


def slow(model, batch, *, generator, step):
    time.sleep(0.02)
    return squares(model, batch, generator=generator, step=step)


def test_seconds_end_a_run():
    started = time.perf_counter()
    _, history, _ = run(slow, n_epochs=None, max_seconds=0.2)
    assert history.stop_reason == "max_seconds"
    assert 1 <= history.n_steps <= 10
    assert 0.18 < history.seconds[-1] <= time.perf_counter() - started


def test_whichever_budget_is_spent_first_ends_a_run():
    assert run(slow, n_epochs=1000, max_seconds=0.1)[1].stop_reason == "max_seconds"
    assert run(n_epochs=1, max_seconds=1000.0)[1].stop_reason == "n_epochs"


def test_modes_and_gradients_are_left_as_they_were():
    for training in (True, False):
        model = nn.Sequential(linear_model(), nn.Dropout(0.5)).train(training)
        spy = Spy(squares)
        train(model, X, spy, generator=seeded(), n_epochs=1, batch_size=50, validation=X)
        assert model.training is training
        assert all(weights.grad is None for weights in model.parameters())
        assert spy.modes == [(False, False), (True, True), (False, False)]


def test_what_a_history_tells():
    history = History(
        losses=np.array([5.0, 4, 3, 2, 1]),
        seconds=np.array([0.1, 0.2, 0.3, 0.4, 12.34]),
        validation_steps=np.array([0, 2]),
        validation_losses=np.array([6.0, 3.25]),
        steps_per_epoch=2,
        stop_reason="interrupted",
    )
    assert (history.n_steps, history.n_epochs, history.loss) == (5, 2.5, 1.5)
    assert history.epoch_losses.tolist() == [4.5, 2.5]
    text = "History(interrupted after 5 steps, 2.5 epochs, 12.3 s; loss 1.5000, validation 3.2500)"
    assert repr(history) == text
    nothing, never = np.zeros(0), np.zeros(0, dtype=int)
    empty = History(nothing, nothing, never, nothing, 7, "max_seconds")
    assert math.isnan(empty.loss)
    assert repr(empty) == "History(max_seconds after 0 steps, 0.0 epochs, 0.0 s; loss nan)"
    assert {history, empty} == {empty, history}  # told apart as objects: arrays have no truth value
    with pytest.raises(AttributeError):
        history.losses = nothing


# --- held-out data


def test_validation_is_the_mean_objective_with_the_same_noise_each_time():
    held_out = data(8)[:13]
    spy = Spy()
    model, history, _ = run(validation=held_out, validation_objective=spy, validation_every=5)
    assert history.validation_steps.tolist() == spy.steps == [0, 5, 10, 15, 20, 21]
    noise = torch.randn(13, 2, generator=seeded(0), dtype=torch.float64)
    for weights, loss in zip(spy.weights, history.validation_losses, strict=True):
        output = held_out @ weights[: 2 * D].reshape(2, D).T + weights[2 * D :]
        assert loss == pytest.approx(float((output + noise).square().mean()), rel=1e-12)
    assert torch.equal(spy.weights[-1], flat(model))
    assert set(spy.modes) == {(False, False)}


def test_validation_goes_over_all_rows_in_blocks():
    held_out = torch.randn(2500, D, generator=seeded(1), dtype=torch.float64)
    spy = Spy(squares)
    model, history, _ = run(squares, validation=held_out, validation_objective=spy, n_epochs=1)
    assert [len(batch) for batch in spy.batches] == 2 * [1024, 1024, 452]
    assert torch.equal(torch.cat(spy.batches[3:]), held_out)
    loss = squares(model, held_out, generator=None, step=0).item()
    assert history.validation_losses[-1] == pytest.approx(loss, rel=1e-12)


def test_validation_comes_once_a_pass_by_default_and_changes_nothing():
    plain = run()
    watched = run(validation=X[:9])
    assert watched[1].validation_steps.tolist() == [0, STEPS, 2 * STEPS, 3 * STEPS]
    assert torch.equal(flat(plain[0]), flat(watched[0]))
    assert torch.equal(plain[2].get_state(), watched[2].get_state())
    assert plain[1].validation_steps.tolist() == []
    assert watched[1].losses.tolist() == plain[1].losses.tolist()


# --- a callback


def test_a_callback_is_told_every_step_and_changes_nothing():
    told = []
    spy = Spy()
    watched = run(
        spy,
        validation=X[:9],
        validation_objective=noisy,
        callback=lambda step: told.append((step, flat(step.model))) and None,
    )
    assert same(watched, run(validation=X[:9]))
    _, history, _ = watched
    assert [step.number for step, _ in told] == list(range(1, 3 * STEPS + 1))
    assert [step.loss for step, _ in told] == history.losses.tolist()
    latest = np.searchsorted(history.validation_steps, np.arange(1, 3 * STEPS + 1), side="right") - 1
    assert [step.validation_loss for step, _ in told] == history.validation_losses[latest].tolist()
    assert all(torch.equal(w, before) for (_, w), before in zip(told, spy.weights[1:], strict=False))
    with pytest.raises(AttributeError):
        told[0][0].loss = 0.0


def test_a_callback_ends_the_run_and_the_file_goes_on(tmp_path):
    path, spy = tmp_path / "run", Spy()
    run(spy)
    model, history, _ = run(checkpoint=path, callback=lambda step: step.number == 5)
    assert (history.stop_reason, history.n_steps) == ("callback", 5)
    assert torch.equal(flat(model), spy.weights[5])
    assert math.isnan(Step(1, 0.0, math.nan, model).validation_loss)
    assert same(run(checkpoint=path, resume=True, callback=lambda step: None), run())


# --- Ctrl-C


@pytest.mark.parametrize("at", [0, 5, STEPS, 3 * STEPS - 1])
def test_ctrl_c_returns_the_steps_so_far_the_last_one_whole(at):
    handler, spy = signal.getsignal(signal.SIGINT), Spy()
    whole, _, _ = run(spy)
    model, history, generator = run(at_step(at, pressed))
    assert (history.stop_reason, history.n_steps) == ("interrupted", at + 1)
    assert torch.equal(flat(model), [*spy.weights, flat(whole)][at + 1])
    assert signal.getsignal(signal.SIGINT) is handler
    twin = seeded()
    train(
        linear_model(), X, noisy, generator=twin, n_epochs=3, batch_size=B, callback=lambda s: s.number > at
    )
    assert torch.equal(twin.get_state(), generator.get_state())


def test_a_second_ctrl_c_does_not_wait():
    with pytest.raises(KeyboardInterrupt):
        run(at_step(3, lambda loss: pressed(pressed(loss))))


def test_a_process_that_ignores_ctrl_c_is_not_made_to_hear_it():
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert run(at_step(3, pressed))[1].stop_reason == "n_epochs"
    finally:
        signal.signal(signal.SIGINT, handler)


def test_a_run_in_a_thread_is_a_run():
    results = []
    thread = threading.Thread(target=lambda: results.append(run()))
    thread.start()
    thread.join()
    assert same(results[0], run())


# --- divergence


def nan(loss):
    return loss * math.nan


def spoil_gradient(loss):
    loss.register_hook(lambda gradient: gradient * math.nan)
    return loss


DICE = random.Random(5)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("at", [1, *DICE.sample(range(2, 3 * STEPS), 4)])
def test_a_loss_that_is_not_finite_stops_with_step_batch_and_remedy(at, value):
    sound = Spy()
    run(sound)
    model = linear_model()
    with pytest.raises(DivergenceError) as caught:
        train(
            model,
            X,
            at_step(at, lambda loss: loss * 0 + value),
            generator=seeded(),
            n_epochs=3,
            batch_size=B,
            learning_rate=0.05,
        )
    error = caught.value
    assert error.step == at == error.history.n_steps
    assert error.history.stop_reason == "diverged"
    assert error.history.losses.tolist() == run()[1].losses[:at].tolist()
    assert torch.equal(X[error.rows], sound.batches[at])
    shown = ", ".join(map(str, error.rows))
    message = rf"the loss is {value} at step {at} \(epoch {at // STEPS}, rows {shown}\): lower learning_rate"
    assert re.match(message, str(error))
    assert torch.equal(flat(model), sound.weights[at - 1])  # where the loss was finite the last time
    assert model.training
    assert all(weights.grad is None for weights in model.parameters())


@pytest.mark.parametrize(
    ("at", "message"),
    [
        (4, "the loss is nan at step 5 "),
        (STEPS - 1, "the loss is nan at step 7 "),
        (3 * STEPS - 1, "the weights are not finite at step 21 "),
    ],
)
def test_a_gradient_that_is_not_finite_is_noticed(tmp_path, at, message):
    sound = Spy()
    run(sound)
    model, saved = linear_model(), linear_model()
    with pytest.raises(DivergenceError, match=message):
        train(
            model,
            X,
            at_step(at, spoil_gradient),
            generator=seeded(),
            n_epochs=3,
            batch_size=B,
            learning_rate=0.05,
            checkpoint=tmp_path / "run",
            checkpoint_seconds=0,
        )
    assert torch.equal(flat(model), sound.weights[at])
    load_weights(saved, tmp_path / "run")  # a loss that is not finite is never written
    assert torch.equal(flat(saved), sound.weights[at])


def test_a_first_loss_that_is_not_finite_is_no_matter_of_the_rate():
    model = linear_model()
    with pytest.raises(DivergenceError, match=r"at step 0 .* no update was made yet, so check the objective"):
        train(model, X, Spy(at=0, do=nan), generator=seeded(), n_epochs=1, batch_size=50)
    assert torch.equal(flat(model), flat(linear_model()))


def test_one_weight_that_is_not_finite_is_enough():
    model = linear_model()
    model.bias.register_hook(lambda gradient: gradient * torch.tensor([1.0, math.nan]))
    with pytest.raises(DivergenceError, match="the weights are not finite at step 1 "):
        train(model, X, squares, generator=seeded(), n_epochs=1, batch_size=50)
    assert torch.equal(flat(model), flat(linear_model()))


# --- checkpoints


SCHEDULES = {
    "none": {},
    "cosine": {"schedule": cosine},
    "many steps": {"schedule": lambda optimiser, n: MultiStepLR(optimiser, [3, 9, 15])},
    "one cycle, SGD": {
        "learning_rate": None,
        "optimiser": lambda weights: torch.optim.SGD(weights, lr=0.01, momentum=0.9),
        "schedule": lambda optimiser, n: OneCycleLR(optimiser, 0.1, total_steps=n + 1),
    },
}


@pytest.mark.parametrize(
    ("at", "seconds"), [(1, 1000), (5, 0), (STEPS, 1000), (STEPS + 1, 0), (3 * STEPS - 1, 0)]
)
@pytest.mark.parametrize("settings", SCHEDULES.values(), ids=SCHEDULES.keys())
def test_a_run_that_is_continued_is_to_the_bit_the_run_that_was_not_interrupted(
    tmp_path, at, settings, seconds
):
    options = {"validation": X[:9], "validation_every": 5, "validation_objective": squares, **settings}
    complete = run(**options)
    options |= {"checkpoint": tmp_path / "run", "checkpoint_seconds": seconds}
    _, history, _ = run(at_step(at - 1, pressed), **options)
    assert (history.stop_reason, history.n_steps) == ("interrupted", at)
    # another model and another seed: all comes from the file
    continued = run(seed=5, model_seed=5, resume=True, **options)
    assert same(continued, complete)
    assert (np.diff(continued[1].seconds) > 0).all()
    assert continued[1].seconds[:at].tolist() == history.seconds.tolist()
    assert os.listdir(tmp_path) == ["run"]


def test_seconds_before_an_interruption_count(tmp_path):
    path = tmp_path / "run"
    _, first, _ = run(at_step(5, pressed, slow), n_epochs=None, max_seconds=0.2, checkpoint=path)
    time.sleep(0.3)
    _, second, _ = run(slow, n_epochs=None, max_seconds=0.2, checkpoint=path, resume=True)
    assert second.stop_reason == "max_seconds"
    assert first.n_steps < second.n_steps <= 10
    assert second.seconds[-1] < 0.26


def test_a_run_without_interruption_does_not_depend_on_its_checkpoints(tmp_path):
    assert same(run(checkpoint=tmp_path / "run", checkpoint_seconds=0), run())


def test_a_finished_run_is_read_and_may_be_made_longer(tmp_path):
    path = tmp_path / "run"
    one = run(checkpoint=path, n_epochs=2)
    before = path.stat().st_mtime_ns
    spy = Spy()
    again = run(spy, checkpoint=path, n_epochs=2, resume=True, seed=4, model_seed=4)
    assert spy.calls == 0
    assert same(one, again)
    assert path.stat().st_mtime_ns == before
    assert same(run(checkpoint=path, n_epochs=3, resume=True), run(n_epochs=3))


@contextmanager
def room_for(n_bytes):
    """A full disk: files of this process may have so many bytes and no more."""
    handler, limits = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_an_error_at_the_start(tmp_path):
    with (
        room_for(100),
        pytest.raises(OSError, match=r"^checkpoint .*run cannot be written .*: make room, or"),
    ):
        run(checkpoint=tmp_path / "run")
    assert os.listdir(tmp_path) == []


def test_a_disk_that_fills_is_a_warning_and_the_file_keeps_an_earlier_step(tmp_path):
    path, full = tmp_path / "run", ExitStack()
    warned = "cannot be written .* the run goes on, the file keeps an earlier step"
    with pytest.warns(RuntimeWarning, match=warned) as caught, full:
        filled = run(
            checkpoint=path,
            checkpoint_seconds=0,
            n_epochs=1,
            callback=lambda step: full.enter_context(room_for(100)) if step.number == 4 else None,
        )
    assert {warning.filename for warning in caught} == {__file__}
    assert len(caught) == 4  # at steps 4, 5, 6 and at the end
    assert same(filled, run(n_epochs=1))
    assert os.listdir(tmp_path) == ["run"]
    assert len(torch.load(path, weights_only=True)["losses"]) == 3
    assert same(run(checkpoint=path, n_epochs=1, resume=True), filled)


def test_a_folder_that_is_missing_is_an_error_before_any_update(tmp_path):
    with pytest.raises(
        OSError, match=r"cannot be written .*No such file.* pass another file, in a folder that exists"
    ):
        run(checkpoint=tmp_path / "missing" / "run")


# --- killed


def deep_model(seed=0):
    generator = seeded(seed)
    return VAE(
        StandardGaussian(2),
        GaussianNetwork([D, 40, 2], generator=generator),
        BernoulliNetwork([2, 40, D], generator=generator),
    )


def long_run(path, *, seconds, n_epochs=100, resume=True, **options):
    """600 steps of a small VAE on bits, with noise from the generator."""
    bits, model, generator = (X > 0).to(torch.uint8), deep_model(), seeded(1)
    checkpoint = {"checkpoint": path, "resume": resume, "checkpoint_seconds": seconds} if path else {}
    history = train(
        model,
        bits,
        NegativeELBO(),
        generator=generator,
        n_epochs=n_epochs,
        batch_size=9,
        **checkpoint,
        **options,
    )
    return model, history, generator


def signal_and_look(path, times):
    """Fork, train, send a signal, load, again and again; then let it end. Print the steps it was found at."""
    torch.set_num_threads(1)
    long_run(None, seconds=0, n_epochs=1)  # torch imports parts of itself when they are first used
    rng, found = random.Random(0), []
    for number in times * [signal.SIGKILL, signal.SIGINT]:
        before = path.read_bytes() if path.exists() else b""
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if long_run(path, seconds=0)[1].stop_reason == "interrupted" else 2)
            finally:
                os._exit(1)
        deadline = time.monotonic() + 20
        while (path.read_bytes() if path.exists() else b"") == before:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.03))
        os.kill(child, number)
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == number if number == signal.SIGKILL else status == 0
        load_weights(deep_model(), path)
        found.append(len(torch.load(path, weights_only=True)["losses"]))
    assert same(long_run(path, seconds=1000), long_run(None, seconds=1000))
    print(*found, *os.listdir(path.parent))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a fresh interpreter for each run takes too long")
def test_a_signal_at_any_moment_leaves_a_checkpoint_that_goes_on_to_the_bit(tmp_path):
    """One process imports torch; its forks are killed and interrupted in turn, mostly while writing."""
    code = f"from tests.test_training import *; signal_and_look(Path({str(tmp_path / 'run')!r}), 8)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    *found, file = done.stdout.split()
    found = [int(number) for number in found]
    assert file == "run"  # what a killed process was writing, the next one has written over
    assert len(found) == 16
    assert found == sorted(set(found))
    assert found[-1] < 600  # it was stopped to the last before it was done


# --- translated


@pytest.fixture(scope="module")
def translated():
    """Two runs of a VAE over one hundred steps: without and with compile."""
    return [long_run(None, seconds=0, n_epochs=17, compile=choice) for choice in (False, True)]


@pytest.mark.filterwarnings("ignore")  # of torch's own when it compiles, which to it are errors
def test_a_compiled_run_agrees_with_the_other_within_what_is_stated(translated):
    (_, eager, generator), (_, compiled, twin) = translated
    assert eager.n_steps > 100
    np.testing.assert_allclose(compiled.losses[:100], eager.losses[:100], rtol=1e-3)
    assert torch.equal(generator.get_state(), twin.get_state())


@pytest.mark.filterwarnings("ignore")  # of torch's own when it compiles, which to it are errors
def test_a_compiled_run_is_continued_to_the_bit(translated, tmp_path):
    path = tmp_path / "run"
    long_run(path, seconds=1000, n_epochs=5, compile=True)
    assert same(long_run(path, seconds=1000, n_epochs=17, compile=True), translated[1])


@pytest.mark.filterwarnings("ignore")  # of torch's own when it compiles, which to it are errors
def test_a_compiled_run_says_what_the_model_does_not_take():
    """As another run does, in the same words."""
    grey, objective = (X > 0).float() / 2, NegativeELBO()
    options = {"generator": seeded(), "n_epochs": 1, "batch_size": 9}
    for choice in (False, True):
        with pytest.raises(ValueError, match=r"^x holds 0\.5 in row \d, column \d, the decoder models bits"):
            train(deep_model(), grey, objective, compile=choice, **options)


def test_without_a_compiler_compile_is_refused(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ValueError, match=r"^compile needs a C\+\+ compiler: drop it, or"):
        run(compile=True)


# --- files that are no checkpoint of the run


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path):
    """What else is refused, ``tests/test_files.py`` has."""
    path = tmp_path / "run"
    run(checkpoint=path, n_epochs=1)
    half = path.read_bytes()[: path.stat().st_size // 2]
    torch.save(linear_model().state_dict(), path)
    weights = path.read_bytes()
    kind = r": pass a file of emvae\.training checkpoint, version 2"
    for content, message in (
        (half, r"is damaged, or holds more than numbers"),
        (weights, "holds something else"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message + kind):
            load_weights(linear_model(), path)
        with pytest.raises(ValueError, match=message + kind):
            run(checkpoint=path, resume=True)


def test_weights_of_another_model_are_refused_and_the_model_stays(tmp_path):
    path = tmp_path / "run"
    trained, _, _ = run(checkpoint=path, n_epochs=1)
    model = nn.Linear(D, 3, dtype=torch.float64)
    before = flat(model)
    with pytest.raises(ValueError, match="is of another model: pass one with the layers that were trained"):
        load_weights(model, path)
    assert torch.equal(flat(model), before)
    model = linear_model(3)
    load_weights(model, str(path))
    assert torch.equal(flat(model), flat(trained))
    with pytest.raises(OSError, match="nowhere"):
        load_weights(model, tmp_path / "nowhere")


OTHER_RUNS = {
    "batch_size": ({"batch_size": 9}, "batch_size differs"),
    "the rate": ({"learning_rate": 0.3}, "learning_rate differs"),
    "the optimiser": ({"optimiser": torch.optim.SGD}, "optimiser differs"),
    "the schedule": ({"schedule": cosine}, "schedule differs"),
    "the content of x": ({"x": data(8)}, "x differs"),
    "the shape of x": ({"x": X[:-1]}, "x differs"),
    "the dtype of x": ({"x": (X > 0).to(torch.uint8)}, "x differs"),
    "the shape of the weights": (
        {"model": nn.Linear(D, 3, dtype=torch.float64)},
        "model differs",
    ),
    "the trained weights": (
        {"model": linear_model().requires_grad_(False)},
        "model differs",
    ),
}


@pytest.mark.parametrize(("changed", "message"), OTHER_RUNS.values(), ids=OTHER_RUNS.keys())
def test_a_checkpoint_of_another_run_is_refused(tmp_path, changed, message):
    path = tmp_path / "run"
    run(checkpoint=path, n_epochs=1)
    model, x = changed.pop("model", linear_model()), changed.pop("x", X)
    if not any(weights.requires_grad for weights in model.parameters()):
        model.weight.requires_grad_(True)
    before = flat(model)
    options = {
        "generator": seeded(),
        "n_epochs": 2,
        "batch_size": B,
        "checkpoint": path,
        "resume": True,
        "learning_rate": None if "optimiser" in changed else 0.05,
    } | changed
    with pytest.raises(ValueError, match=f"is of another run, {message}: pass that run"):
        train(model, x, noisy, **options)
    assert torch.equal(flat(model), before)


# --- a person who watches


def test_a_terminal_shows_a_bar_with_the_loss():
    code = textwrap.dedent("""
        import time
        import torch
        from emvae.training import train

        def slow(model, batch, *, generator, step):
            time.sleep(0.05)
            return model(batch).square().mean()

        x, generator = torch.zeros(35, 1), torch.Generator()
        print(train(torch.nn.Linear(1, 1), x, slow, generator=generator, n_epochs=1, batch_size=1).n_steps)
    """)
    shown, out = on_a_terminal(code)
    assert out == "35\n"
    assert "training" in shown
    assert "/35" in shown
    assert re.search(r"loss \d+\.\d\d\b", shown)


# --- bad input

REMEDY = re.compile(r"\b(pass|should be|should return|drop|make|remove)\b")


def with_nan():
    x = X.clone()
    x[13, 1] = math.nan
    return x


BAD = {
    "a list": ({"x": [[1.0, 2.0]]}, r"x is a list: pass a tensor, such as torch\.tensor\(x\)"),
    "integers": (
        {"x": torch.ones(9, D, dtype=torch.int64)},
        r"x has dtype torch\.int64: pass x\.to\(torch\.float64\), or torch\.uint8",
    ),
    "another precision": (
        {"x": X.float()},
        r"x has dtype torch\.float32: pass x\.to\(torch\.float64\)",
    ),
    "no rows": ({"x": X[:0]}, r"x is empty or a number, shape \(0, 3\): pass rows"),
    "a number": ({"x": X[0, 0]}, r"x is empty or a number, shape \(\): pass rows"),
    "NaN": ({"x": with_nan()}, r"x holds nan in row 13, column 1: drop or impute"),
    "NaN held out": ({"validation": with_nan()}, r"validation holds nan in row 13, column 1: drop"),
    "batch of nothing": ({"batch_size": 0}, r"batch_size = 0: it should be at least 1 and at most 50"),
    "batch above the data": ({"batch_size": 51}, r"batch_size = 51: it should be at least 1 and at most 50"),
    "rate 0": ({"learning_rate": 0}, r"learning_rate = 0: it should be positive"),
    "a rate beside an optimiser": (
        {"learning_rate": 0.1, "optimiser": torch.optim.SGD},
        r"learning_rate is that of Adam: drop it",
    ),
    "no optimiser": (
        {"optimiser": list},
        r"optimiser made a list: it should return a torch\.optim\.Optimizer",
    ),
    "no scheduler": (
        {"schedule": lambda *_: None},
        r"schedule made a NoneType: it should return an LRScheduler",
    ),
    "a scheduler that needs a loss": (
        {"schedule": lambda optimiser, _: ReduceLROnPlateau(optimiser)},
        r"schedule made a ReduceLROnPlateau: it should return",
    ),
    "an end of the cosine": (
        {"schedule": cosine, "n_epochs": None, "max_seconds": 1.0},
        r"n_steps is None: cosine should know where it ends, so pass n_epochs",
    ),
    "no budget": ({"n_epochs": None}, r"n_epochs and max_seconds are both None: pass one"),
    "no epochs": ({"n_epochs": 0}, r"n_epochs = 0: it should be at least 1"),
    "no time": ({"max_seconds": 0.0}, r"max_seconds = 0\.0: it should be positive"),
    "a seed": ({"generator": 0}, r"generator is a int: pass a torch\.Generator"),
    "no module": ({"model": lambda x: x}, r"model is a function: pass a torch\.nn\.Module"),
    "no weights": ({"model": nn.ReLU()}, r"model has no weights to train: pass one where some require"),
    "frozen": ({"model": linear_model().requires_grad_(False)}, r"model has no weights to train: pass one"),
    "no such device": (
        {"device": "cuda:77"},
        r"device = 'cuda:77' is not there, or has no .*: pass 'cpu', or None",
    ),
    "never validated": (
        {"validation_every": 0, "validation": X},
        r"validation_every = 0: it should be at least 1",
    ),
    "seconds below 0": (
        {"checkpoint_seconds": -1},
        r"checkpoint_seconds = -1: it should be finite and not neg",
    ),
    "nothing to resume": ({"resume": True}, r"resume is set without a checkpoint: pass its file"),
    "a file that is there": (
        {"checkpoint": __file__},
        r"checkpoint .* exists: pass resume=True to continue it, or",
    ),
}


@pytest.mark.parametrize(("changed", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_before_any_work(changed, message):
    spy, model, generator = Spy(), linear_model(), seeded()
    options = {"generator": generator, "n_epochs": 1, "batch_size": B} | changed
    model, x = options.pop("model", model), options.pop("x", X)
    before = flat(model) if isinstance(model, nn.Linear) else None
    with pytest.raises(ValueError, match=f"^{message}") as caught:
        train(model, x, spy, **options)
    assert REMEDY.search(str(caught.value))
    assert spy.calls == 0
    assert torch.equal(generator.get_state(), seeded().get_state())
    assert before is None or torch.equal(flat(model), before)


BAD_LOSSES = {
    "a number": (lambda loss: loss.item(), r"objective returned a float: it should be a 0-d tensor"),
    "nothing": (lambda loss: None, r"objective returned a NoneType: it should be a 0-d tensor"),
    "one loss a row": (
        lambda loss: loss.expand(8),
        r"objective returned shape \(8,\): it should be a 0-d tensor",
    ),
    "one row": (lambda loss: loss.reshape(1), r"objective returned shape \(1,\): it should be a 0-d tensor"),
    "without gradient": (
        lambda loss: loss.detach(),
        r"objective returned a loss without gradient: make it from",
    ),
}


@pytest.mark.parametrize(("do", "message"), BAD_LOSSES.values(), ids=BAD_LOSSES.keys())
def test_an_objective_that_returns_no_differentiable_scalar_is_refused(do, message):
    model = linear_model()
    with pytest.raises(ValueError, match=f"^{message}"):
        train(model, X, Spy(at=0, do=do), generator=seeded(), n_epochs=1, batch_size=B)
    assert torch.equal(flat(model), flat(linear_model()))
