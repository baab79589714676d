"""The loop against an optimiser written by hand; interrupted, killed, full and diverging runs; bad input."""

import errno
import inspect
import math
import os
import pickle
import random
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from emvae.autoencoders import VAE, BernoulliNetwork, GaussianNetwork, StandardGaussian
from emvae.bounds import NegativeELBO
from emvae.training import DivergenceError, History, Step, cosine, load_weights, train
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


def interrupt(loss):
    raise KeyboardInterrupt


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


@pytest.mark.parametrize(
    ("schedule", "factor"), [(constant, lambda p: 1.0), (cosine, lambda p: np.cos(p * np.pi / 2) ** 2)]
)
def test_the_loop_takes_the_steps_of_adam(schedule, factor):
    spy = Spy(squares)
    model, history, _ = run(spy, schedule=schedule, learning_rate=0.03)
    total = 3 * STEPS
    rates = [0.03 * factor(step / total) for step in range(total)]
    expected = adam_by_hand(spy.weights[0].numpy(), map(gradient_of_squares, spy.batches), rates)
    np.testing.assert_allclose(flat(model).numpy(), expected, rtol=1e-12, atol=1e-14)
    assert history.losses.tolist() == [
        pytest.approx(
            np.square(batch.numpy() @ w[: 2 * D].reshape(2, D).T + w[2 * D :] - 1).mean(), rel=1e-12
        )
        for batch, w in zip(spy.batches, (weights.numpy() for weights in spy.weights), strict=True)
    ]


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


def test_rows_may_have_any_shape():
    def objective(model, batch, *, generator, step):
        assert batch.shape[1:] == (2, D)
        return model(batch).square().mean()

    x = torch.randn(9, 2, D, dtype=torch.float64, generator=seeded())
    assert train(linear_model(), x, objective, generator=seeded(), n_epochs=1, batch_size=4).n_steps == 3


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


def test_a_generator_for_another_device_is_seeded_by_the_one_given():
    generators = [_on_device(seeded(seed), torch.device("cpu")) for seed in (0, 0, 1)]
    draws = [torch.rand(3, generator=generator).tolist() for generator in generators]
    assert draws[0] == draws[1] != draws[2]
    given = seeded(0)
    assert generators[0].initial_seed() == int(torch.randint(2**62, (), generator=given))


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


def test_progress_goes_by_epochs_where_they_are_given():
    seen = []
    run(schedule=lambda p: seen.append(p) or 1.0, n_epochs=2, max_seconds=1000.0)
    assert seen == [step / (2 * STEPS) for step in range(2 * STEPS)]


def test_progress_goes_by_time_where_they_are_not():
    seen = []
    _, history, _ = run(slow, schedule=lambda p: seen.append(p) or 1.0, n_epochs=None, max_seconds=0.2)
    ends = np.r_[0.0, history.seconds] / 0.2
    assert len(seen) == history.n_steps
    assert all(low < p < high for low, p, high in zip(ends, seen, ends[1:], strict=False))
    assert seen[-1] > 0.5


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
    with pytest.raises(AttributeError):
        Budget(None, 2.0).seconds = 3.0
    with pytest.raises(AttributeError):
        HeldOut(X, squares, 1).every = 2


def test_time_is_spent_when_it_is_reached():
    assert [Budget(None, 2.0).is_spent(elapsed) for elapsed in (1.99, 2.0, 2.01)] == [False, True, True]
    assert not Budget(5, None).is_spent(1e9)


def test_adam_takes_one_pass_over_the_weights():
    optimiser = Run(linear_model(), X, squares, seeded(), B).optimiser
    assert optimiser.defaults["fused"] is True


def test_moments_that_move_no_weight_do_not_become_subnormal_numbers():
    def fades(model, batch, *, generator, step):
        return model.bias.square().sum() + (step == 0) * model.weight.sum()

    def subnormal(optimiser):
        moments = [state[name] for state in optimiser.state.values() for name in ("exp_avg", "exp_avg_sq")]
        size = torch.cat([moment.flatten() for moment in moments]).abs()
        return bool(((size > 0) & (size < torch.finfo(torch.float32).tiny)).any())

    model, twin = (linear_model(dtype=torch.float32) for _ in range(2))
    begun = Run(model, X.float(), fades, seeded(), N)
    plain = torch.optim.Adam(twin.parameters(), lr=1e-3, fused=True)
    ever = [False, False]
    for step in range(1_000):
        begun.update(begun.evaluate(), 1e-3)
        plain.zero_grad()
        fades(twin, X, generator=None, step=step).backward()
        plain.step()
        ever = [ever[0] or subnormal(begun.optimiser), ever[1] or subnormal(plain)]
    assert ever == [False, True]
    assert torch.equal(flat(model), flat(twin))


def test_a_bar_tells_the_loss_without_being_redrawn_each_time(monkeypatch):
    told = []

    class Bar(list):
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def set_postfix_str(self, text, *, refresh):
            told.append((text, refresh))

    monkeypatch.setattr(loop, "progress", lambda steps, *, description: Bar(steps))
    _, history, _ = run(n_epochs=1)
    assert told == [(f"loss {loss:.2f}", False) for loss in history.losses]


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


# --- Ctrl-C


@pytest.mark.parametrize("at", [0, 5, STEPS, 3 * STEPS - 1])
def test_ctrl_c_returns_the_steps_so_far(at):
    model, history, generator = run(Spy(at=at, do=interrupt))
    whole, complete, _ = run(Spy())
    assert history.stop_reason == "interrupted"
    assert history.losses.tolist() == complete.losses[:at].tolist()
    spy = Spy()
    run(spy)
    assert torch.equal(flat(model), spy.weights[at])
    assert not torch.equal(flat(model), flat(whole))
    # the generator is where the last whole step left it, so that a new call goes on with fresh noise
    again = seeded()
    train(linear_model(), X, Spy(at=at, do=interrupt), generator=again, n_epochs=3, batch_size=B)
    assert torch.equal(again.get_state(), generator.get_state())


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_waits_until_a_step_is_whole(monkeypatch, presses):
    step = torch.optim.Adam.step

    def pressed_before_and_after(self, *arguments):
        os.kill(os.getpid(), signal.SIGINT)
        step(self, *arguments)
        if presses == 2:
            os.kill(os.getpid(), signal.SIGINT)

    spy = Spy()
    run(spy, n_epochs=1)
    handler = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(torch.optim.Adam, "step", pressed_before_and_after)
    model, history, _ = run()
    assert (history.stop_reason, history.n_steps) == ("interrupted", 1)
    assert torch.equal(flat(model), spy.weights[1])
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_process_that_ignores_ctrl_c_is_not_made_to_hear_it(monkeypatch):
    step = torch.optim.Adam.step

    def pressed(self, *arguments):
        os.kill(os.getpid(), signal.SIGINT)
        step(self, *arguments)

    monkeypatch.setattr(torch.optim.Adam, "step", pressed)
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert run()[1].stop_reason == "n_epochs"
    finally:
        signal.signal(signal.SIGINT, handler)


def test_a_run_in_a_thread_is_a_run():
    results = []
    thread = threading.Thread(target=lambda: results.append(run()))
    thread.start()
    thread.join()
    assert same(results[0], run())


def test_ctrl_c_while_validating_returns_too():
    held_out = Spy(at=1, do=interrupt)
    model, history, _ = run(validation=X, validation_objective=held_out)
    assert (history.stop_reason, history.n_steps) == ("interrupted", STEPS)
    assert history.validation_steps.tolist() == [0]
    assert model.training


# --- divergence


def nan(loss):
    return loss * math.nan


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("at", [3, STEPS, STEPS + 2])
def test_a_loss_that_is_not_finite_stops_with_step_batch_and_remedy(at, value):
    spy = Spy(at=at, do=lambda loss: loss * 0 + value)
    model, generator, sound = linear_model(), seeded(), Spy()
    run(sound)
    with pytest.raises(DivergenceError) as caught:
        train(model, X, spy, generator=generator, n_epochs=3, batch_size=B, learning_rate=0.05)
    error = caught.value
    assert error.step == at == error.history.n_steps
    assert error.history.stop_reason == "diverged"
    assert torch.equal(X[error.rows], spy.batches[at])
    shown = ", ".join(map(str, error.rows))
    message = rf"the loss is {value} at step {at} \(epoch {at // STEPS}, rows {shown}\): lower learning_rate"
    assert re.match(message, str(error))
    assert torch.equal(flat(model), sound.weights[at - 1])  # where the loss was finite the last time
    assert model.training
    assert all(weights.grad is None for weights in model.parameters())


def test_only_the_first_rows_of_a_large_batch_are_shown():
    with pytest.raises(DivergenceError, match=r"rows (\d+, ){8}\.\.\.\)") as caught:
        run(Spy(at=1, do=nan), batch_size=10)
    assert len(caught.value.rows) == 10


def test_a_first_loss_that_is_not_finite_is_no_matter_of_the_rate():
    model = linear_model()
    with pytest.raises(DivergenceError, match=r"at step 0 .* no update was made yet, so check the objective"):
        train(model, X, Spy(at=0, do=nan), generator=seeded(), n_epochs=1, batch_size=50)
    assert torch.equal(flat(model), flat(linear_model()))


def spoil_gradient(loss):
    loss.register_hook(lambda gradient: gradient * math.nan)
    return loss


def test_a_gradient_that_is_not_finite_is_noticed_at_the_next_loss():
    sound = Spy()
    run(sound)
    model = linear_model()
    with pytest.raises(DivergenceError, match="the loss is nan at step 5 ") as caught:
        train(
            model,
            X,
            Spy(at=4, do=spoil_gradient),
            generator=seeded(),
            n_epochs=1,
            batch_size=B,
            learning_rate=0.05,
        )
    assert caught.value.history.losses.tolist() == run()[1].losses[:5].tolist()
    assert torch.equal(flat(model), sound.weights[4])


def test_a_last_gradient_that_is_not_finite_is_noticed_too():
    sound = Spy()
    run(sound, n_epochs=1)
    model = linear_model()
    with pytest.raises(DivergenceError, match="the weights are not finite at step 7 "):
        train(
            model,
            X,
            Spy(at=6, do=spoil_gradient),
            generator=seeded(),
            n_epochs=1,
            batch_size=B,
            learning_rate=0.05,
        )
    assert torch.equal(flat(model), sound.weights[6])


def test_one_weight_that_is_not_finite_is_enough():
    model = linear_model()
    model.bias.register_hook(lambda gradient: gradient * torch.tensor([1.0, math.nan]))
    with pytest.raises(DivergenceError, match="the weights are not finite at step 1 "):
        train(model, X, squares, generator=seeded(), n_epochs=1, batch_size=50)
    assert torch.equal(flat(model), flat(linear_model()))


def test_weights_spoilt_before_ctrl_c_are_noticed_too():
    def objective(model, batch, *, generator, step):
        if step == 3:
            raise KeyboardInterrupt
        loss = squares(model, batch, generator=generator, step=step)
        return spoil_gradient(loss) if step == 2 else loss

    with pytest.raises(DivergenceError, match="the weights are not finite at step 3 "):
        run(objective)


def test_a_checkpoint_never_holds_weights_with_a_loss_that_is_not_finite(tmp_path):
    path, sound = tmp_path / "run", Spy()
    run(sound)
    with pytest.raises(DivergenceError):
        run(Spy(at=4, do=spoil_gradient), checkpoint=path, checkpoint_seconds=0)
    model = linear_model()
    load_weights(model, path)
    assert torch.equal(flat(model), sound.weights[4])


# --- checkpoints


@pytest.mark.parametrize("at", [0, 1, 5, STEPS - 1, STEPS, STEPS + 1, 3 * STEPS - 1])
@pytest.mark.parametrize("seconds", [0, 1000])
def test_a_run_that_is_continued_is_to_the_bit_the_run_that_was_not_interrupted(tmp_path, at, seconds):
    options = {
        "validation": X[:9],
        "validation_every": 5,
        "validation_objective": squares,
        "schedule": cosine,
    }
    options |= {"checkpoint": tmp_path / "run", "checkpoint_seconds": seconds}
    complete = run(**options | {"checkpoint": None})
    _, history, _ = run(Spy(at=at, do=interrupt), **options)
    assert (history.stop_reason, history.n_steps) == ("interrupted", at)
    # another model and another seed: all comes from the file
    continued = run(seed=5, model_seed=5, resume=True, **options)
    assert same(continued, complete)
    assert (np.diff(continued[1].seconds) > 0).all()
    assert continued[1].seconds[:at].tolist() == history.seconds.tolist()
    assert np.diff(continued[1].seconds, prepend=0.0).max() < 0.9
    assert os.listdir(tmp_path) == ["run"]


def test_many_interruptions_are_no_worse_than_one(tmp_path):
    path = tmp_path / "run"
    for _ in range(5):
        run(Spy(at=4, do=interrupt), checkpoint=path, resume=True)
    continued = run(checkpoint=path, resume=True)
    assert same(continued, run())
    assert continued[1].n_steps == 21


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


def test_seconds_before_an_interruption_count(tmp_path):
    path = tmp_path / "run"
    _, first, _ = run(Spy(slow, at=6, do=interrupt), n_epochs=None, max_seconds=0.2, checkpoint=path)
    time.sleep(0.3)
    _, second, _ = run(slow, n_epochs=None, max_seconds=0.2, checkpoint=path, resume=True)
    assert second.stop_reason == "max_seconds"
    assert first.n_steps < second.n_steps <= 10
    assert second.seconds[-1] < 0.26


def test_checkpoints_come_at_the_start_and_the_end_and_as_often_as_asked(tmp_path, monkeypatch):
    written = []
    state = Run.state
    monkeypatch.setattr(Run, "state", lambda run: written.append(run.n_steps) or state(run))
    for seconds, expected in ((0, list(range(STEPS + 1))), (1000, [0, STEPS])):
        written.clear()
        run(checkpoint=tmp_path / f"every {seconds}", checkpoint_seconds=seconds, n_epochs=1)
        assert written == expected
    written.clear()
    run(slow, checkpoint=tmp_path / "some", checkpoint_seconds=0.05, n_epochs=2)
    assert 3 <= len(written) <= 8
    written.clear()
    run(checkpoint=tmp_path / "default", n_epochs=1)
    assert written == [0, STEPS]


def test_no_time_between_checkpoints_is_no_time(tmp_path, monkeypatch):
    """A clock that stands still: as coarse as some systems have it."""
    written = []
    state = Run.state
    monkeypatch.setattr(Run, "state", lambda run: written.append(run.n_steps) or state(run))
    monkeypatch.setattr(checkpoints, "time", SimpleNamespace(perf_counter=lambda: 5.0))
    run(checkpoint=tmp_path / "run", checkpoint_seconds=0, n_epochs=1)
    assert written == list(range(STEPS + 1))


def test_a_file_is_replaced_in_one_step(tmp_path, monkeypatch):
    path, seen = tmp_path / "run", []
    replace = os.replace

    def spy(source, target):
        seen.append((Path(source).parent, Path(source).stat().st_size, Path(target)))
        load_weights(linear_model(), source)  # whole before it takes the name
        replace(source, target)

    monkeypatch.setattr(os, "replace", spy)
    run(checkpoint=path, n_epochs=1)
    assert [(folder, target) for folder, _, target in seen] == 2 * [(tmp_path, path)]
    assert seen[-1][1] == path.stat().st_size > 1000


def full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_is_full_from_the_start_is_an_error_before_any_update(tmp_path, monkeypatch, call):
    monkeypatch.setattr(os, call, full)
    model = linear_model()
    with pytest.raises(
        OSError, match=r"^checkpoint .*run cannot be written .*No space left.*: make room, or pass"
    ):
        train(model, X, noisy, generator=seeded(), n_epochs=1, batch_size=B, checkpoint=tmp_path / "run")
    assert torch.equal(flat(model), flat(linear_model()))
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_missing_is_an_error_before_any_update(tmp_path):
    with pytest.raises(
        OSError, match=r"cannot be written .*No such file.* pass a file in a folder that exists"
    ):
        run(checkpoint=tmp_path / "missing" / "run")


def test_a_disk_that_fills_up_costs_the_checkpoint_not_the_run(tmp_path, monkeypatch):
    path = tmp_path / "run"

    def fill(loss):
        monkeypatch.setattr(os, "fsync", full)
        return loss

    with pytest.warns(RuntimeWarning, match="cannot be written .*No space left.* the run goes on") as warned:
        filled = run(Spy(at=4, do=fill), checkpoint=path, checkpoint_seconds=0, n_epochs=1)
    lines, first = inspect.getsourcelines(run)  # which calls train: the line to look at
    assert {warning.filename for warning in warned} == {__file__}
    assert all(first <= warning.lineno < first + len(lines) for warning in warned)
    assert len(warned) == 4  # at steps 4, 5, 6 and at the end
    assert same(filled, run(n_epochs=1))
    assert os.listdir(tmp_path) == ["run"]
    monkeypatch.undo()
    assert same(run(checkpoint=path, n_epochs=1, resume=True), filled)


def test_an_interruption_of_the_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "run"
    run(Spy(at=4, do=interrupt), checkpoint=path)
    old = path.read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(checkpoint=path, resume=True)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["run"]


# --- killed


def deep_model(seed=0):
    generator = seeded(seed)
    return VAE(
        StandardGaussian(2),
        GaussianNetwork([D, 40, 2], generator=generator),
        BernoulliNetwork([2, 40, D], generator=generator),
    )


def long_run(path, *, seconds, n_epochs=150, resume=True):
    """900 steps of a small VAE on bits, with noise from the generator."""
    bits, model, generator = (X > 0).to(torch.uint8), deep_model(), seeded(1)
    checkpoint = {"checkpoint": path, "resume": resume, "checkpoint_seconds": seconds} if path else {}
    history = train(
        model, bits, NegativeELBO(), generator=generator, n_epochs=n_epochs, batch_size=9, **checkpoint
    )
    return model, history, generator


def await_change(path, before):
    deadline = time.monotonic() + 20
    while (path.read_bytes() if path.exists() else b"") == before:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def kill_and_look(path, times):
    """Fork, train, kill, load, again and again; then let it end. Print the steps it was found at."""
    torch.set_num_threads(1)
    long_run(None, seconds=0, n_epochs=1)  # torch imports parts of itself when they are first used
    rng, found = random.Random(0), []
    for _ in range(times):
        before = path.read_bytes() if path.exists() else b""
        child = os.fork()
        if child == 0:
            try:
                long_run(path, seconds=0)
            finally:
                os._exit(1)
        await_change(path, before)
        time.sleep(rng.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        load_weights(deep_model(), path)
        found.append(len(torch.load(path, weights_only=True)["losses"]))
    continued = long_run(path, seconds=1000)
    assert same(continued, long_run(None, seconds=1000))
    print(found, os.listdir(path.parent))


@pytest.mark.skipif(
    not hasattr(os, "fork"), reason="needs fork: a fresh interpreter for each run takes too long"
)
def test_killing_the_process_at_any_moment_leaves_a_loadable_checkpoint(tmp_path):
    """One process imports torch once; its forks are killed at 20 random times, mostly while writing."""
    path = tmp_path / "run"
    code = (
        f"from pathlib import Path; from tests.test_training import *; kill_and_look(Path({str(path)!r}), 20)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    found = [int(number) for number in re.findall(r"\d+", done.stdout.split("]")[0])]
    assert len(found) == 20
    assert found == sorted(set(found))
    assert found[-1] < 900  # it was killed to the last before it was done


# --- files that are no checkpoint of the run


DAMAGED = r"run is damaged, or holds more than numbers: pass a file of emvae\.training checkpoint"


class Malicious:
    """Pickles to a call that makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_malicious_file_is_refused_and_executes_nothing(tmp_path):
    path, trace = tmp_path / "run", tmp_path / "trace"
    for write in (
        lambda: torch.save({"kind": "emvae.training checkpoint, version 1", "model": Malicious(trace)}, path),
        lambda: path.write_bytes(pickle.dumps(Malicious(trace))),
    ):
        write()
        with pytest.raises(ValueError, match=DAMAGED):
            load_weights(linear_model(), path)
        with pytest.raises(ValueError, match=DAMAGED):
            run(checkpoint=path, resume=True)
    assert not trace.exists()


def test_a_truncated_or_foreign_file_is_refused(tmp_path):
    path = tmp_path / "run"
    run(checkpoint=path, n_epochs=1)
    whole = path.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=DAMAGED):
            load_weights(linear_model(), path)
    path.write_bytes(random.Random(0).randbytes(1000))
    with pytest.raises(ValueError, match=DAMAGED):
        load_weights(linear_model(), path)
    for content in (linear_model().state_dict(), [1.0], torch.zeros(3), {"kind": "another"}):
        torch.save(content, path)
        with pytest.raises(
            ValueError, match=r"run holds something else: pass a file of emvae\.training checkpoint"
        ):
            load_weights(linear_model(), path)


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
    "the content of x": ({"x": data(8)}, "the content of x differs"),
    "the shape of x": ({"x": X[:-1]}, "the shape of x differs"),
    "the dtype of x": ({"x": (X > 0).to(torch.uint8)}, "the dtype of x differs"),
    "the shape of the weights": (
        {"model": nn.Linear(D, 3, dtype=torch.float64)},
        "the shape of the weights differs",
    ),
    "the trained weights": (
        {"model": linear_model().requires_grad_(False)},
        "the choice of trained weights differs",
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
    } | changed
    with pytest.raises(ValueError, match=f"is of another run, {message}: pass what that run had"):
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


def scaled(factor):
    return lambda progress: factor


BAD = {
    "a list": ({"x": [[1.0, 2.0]]}, r"x is a list: pass a tensor, such as torch\.tensor\(x\)"),
    "an array": ({"x": X.numpy()}, r"x is a ndarray: pass a tensor"),
    "integers": (
        {"x": torch.ones(9, D, dtype=torch.int64)},
        r"x has dtype torch\.int64: pass floats, or torch\.uint8",
    ),
    "complex": ({"x": torch.ones(9, D, dtype=torch.complex64)}, r"x has dtype torch\.complex64: pass floats"),
    "another precision": (
        {"x": X.float()},
        r"x has dtype torch\.float32, the model torch\.float64: pass x\.to\(",
    ),
    "no rows": ({"x": X[:0]}, r"x is empty or a number, shape \(0, 3\): pass rows"),
    "no columns": ({"x": X[:, :0]}, r"x is empty or a number, shape \(50, 0\): pass rows"),
    "a number": ({"x": X[0, 0]}, r"x is empty or a number, shape \(\): pass rows"),
    "NaN": ({"x": with_nan()}, r"x holds nan in row 13, column 1: drop or impute"),
    "infinity": ({"x": with_nan().nan_to_num(nan=-math.inf)}, r"x holds -inf in row 13, column 1: drop"),
    "no rows held out": (
        {"validation": X[:0]},
        r"validation is empty or a number, shape \(0, 3\): pass rows",
    ),
    "NaN held out": ({"validation": with_nan()}, r"validation holds nan in row 13, column 1: drop"),
    "a held-out array": (
        {"validation": X.numpy()},
        r"validation is a ndarray: pass .* torch\.tensor\(validation\)",
    ),
    "batch of nothing": ({"batch_size": 0}, r"batch_size = 0: it should be at least 1 and at most 50"),
    "batch above the data": ({"batch_size": 51}, r"batch_size = 51: it should be at least 1 and at most 50"),
    "half a batch": ({"batch_size": 2.5}, r"batch_size = 2\.5 is not an integer: pass"),
    "rate 0": ({"learning_rate": 0}, r"learning_rate = 0: it should be positive"),
    "rate below 0": (
        {"learning_rate": -1e-3},
        r"learning_rate = -0\.001: it should be finite and not negative",
    ),
    "rate NaN": ({"learning_rate": math.nan}, r"learning_rate = nan: it should be finite"),
    "rate of words": ({"learning_rate": "fast"}, r"learning_rate = 'fast' is not a number: pass"),
    "no budget": ({"n_epochs": None}, r"n_epochs and max_seconds are both None: pass one of them, or both"),
    "no epochs": ({"n_epochs": 0}, r"n_epochs = 0: it should be at least 1"),
    "half an epoch": ({"n_epochs": 0.5}, r"n_epochs = 0\.5 is not an integer: pass"),
    "no time": ({"max_seconds": 0.0}, r"max_seconds = 0\.0: it should be positive"),
    "endless time": ({"max_seconds": math.inf}, r"max_seconds = inf: it should be finite"),
    "a seed": ({"generator": 0}, r"generator is a int: pass a torch\.Generator"),
    "numpy's generator": (
        {"generator": np.random.default_rng(0)},
        r"generator is a Generator: pass a torch\.Generator",
    ),
    "no module": ({"model": lambda x: x}, r"model is a function: pass a torch\.nn\.Module"),
    "no weights": ({"model": nn.ReLU()}, r"model has no weights to train: pass one with parameters"),
    "frozen": ({"model": linear_model().requires_grad_(False)}, r"model has no weights to train: pass one"),
    "no such device": (
        {"device": "cuda:77"},
        r"device = 'cuda:77' is not there for torch .*: pass 'cpu', or None",
    ),
    "no device at all": ({"device": "gpu"}, r"device = 'gpu' is not there for torch .*: pass 'cpu'"),
    "a number as device": ({"device": 1.5}, r"device = 1\.5 is not there for torch .*: pass 'cpu'"),
    "never validated": (
        {"validation_every": 0, "validation": X},
        r"validation_every = 0: it should be at least 1",
    ),
    "seconds below 0": (
        {"checkpoint_seconds": -1},
        r"checkpoint_seconds = -1: it should be finite and not neg",
    ),
    "nothing to resume": ({"resume": True}, r"resume is set without a checkpoint: pass checkpoint"),
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
        r"objective returned a loss without gradient: it should be",
    ),
}


@pytest.mark.parametrize(("do", "message"), BAD_LOSSES.values(), ids=BAD_LOSSES.keys())
def test_an_objective_that_returns_no_differentiable_scalar_is_refused(do, message):
    model = linear_model()
    with pytest.raises(ValueError, match=f"^{message}"):
        train(model, X, Spy(at=0, do=do), generator=seeded(), n_epochs=1, batch_size=B)
    assert torch.equal(flat(model), flat(linear_model()))


@pytest.mark.parametrize("factor", [-0.1, math.nan, math.inf])
def test_a_schedule_that_leads_astray_is_refused(factor):
    with pytest.raises(
        ValueError, match=r"^schedule makes the learning rate .* at progress 0\.000: it should return"
    ):
        run(schedule=scaled(factor))


def test_a_rate_of_nothing_moves_nothing():
    assert torch.equal(flat(run(schedule=scaled(0.0))[0]), flat(linear_model()))
    assert cosine(0.0) == 1.0
    assert cosine(0.5) == pytest.approx(0.5)
    assert cosine(1.0) == 0.0
    assert constant(0.3) == 1.0
