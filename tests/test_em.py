"""EM's laws hold for every model of the table; its loop stops, restarts and is interrupted as it says."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import FrozenInstanceError, dataclass, replace

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as PeerMixture

from emvae.datasets import old_faithful
from emvae.elbo import discrete_elbo
from emvae.em import EMFit, Prior, em_steps, fit_em, fit_em_restarts
from emvae.mixtures import BernoulliMixture, Beta, Dirichlet, GaussianMixture, InverseWishart
from emvae.responsibilities import normalize
from tests import oracles
from tests.models import (
    COVARIANCE_TYPES,
    ROWS,
    PoissonMixture,
    random_bernoulli_mixture,
    random_covariances,
    random_gaussian_mixture,
    touches_floor,
)

every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def responsibilities_of(model, x):
    return normalize(model.log_likelihood(x) + model.log_prior())


# --- the law


@every_row
def test_no_half_step_lowers_the_elbo_and_the_e_step_closes_the_gap(row):
    """200 random runs: no fall beyond 1e-10 relative, floors active in at least a quarter of the runs."""
    floors_met = 0
    for seed in range(200):
        model, x = row.draw(np.random.default_rng([seed, len(row.name)]))
        resp = np.full((len(x), len(model.weights)), 1 / len(model.weights))
        value = discrete_elbo(model, x, resp).value.sum()
        for _ in range(4):
            resp, log_evidence = responsibilities_of(model, x)
            bound = discrete_elbo(model, x, resp)
            after_e = bound.value.sum()
            slack = 1e-10 * abs(after_e)
            assert after_e >= value - slack, f"the E-step fell, seed {seed}"
            assert abs(bound.gap(log_evidence)).sum() <= slack, f"a gap is left, seed {seed}"
            model = model.maximise(model.statistics(x, resp))
            value = discrete_elbo(model, x, resp).value.sum()
            assert value >= after_e - slack, f"the M-step fell, seed {seed}"
        floors_met += row.has_floor and touches_floor(model)
    assert floors_met >= 50 * row.has_floor


@every_row
def test_the_e_step_is_exact_for_any_number_of_blocks(row, monkeypatch):
    model, x = row.draw(np.random.default_rng(5))
    resp, log_evidence = responsibilities_of(model, x)
    whole = model.maximise(model.statistics(x, resp))
    monkeypatch.setattr(type(model), "block_rows", 7)
    by_blocks = model.expect(x)
    assert by_blocks.log_evidence == pytest.approx(log_evidence.sum(), rel=1e-13)
    again = model.maximise(by_blocks.statistics)
    np.testing.assert_allclose(again.weights, whole.weights, rtol=1e-12)
    np.testing.assert_allclose(again.log_likelihood(x), whole.log_likelihood(x), rtol=1e-9)


@every_row
def test_a_fit_climbs_to_a_fixed_point(row):
    model, x = row.draw(np.random.default_rng(11))
    fit = fit_em(model, x, max_iter=3000, tol=1e-9)
    assert fit.converged
    assert np.diff(fit.log_evidences).min(initial=0) >= -1e-10 * abs(fit.log_evidence)
    after = next(s for s in em_steps(fit.model, x) if s.iteration == 1)
    assert abs(after.log_evidence - fit.log_evidence) <= 1e-9 * len(x)


# --- against peers and brute force


PEERS = {
    "full": ("full", lambda precisions: precisions),
    "tied": ("tied", lambda precisions: precisions[0]),
    "diagonal": ("diag", lambda precisions: precisions),
    "spherical": ("spherical", lambda precisions: precisions[:, 0]),
}


def peer_trace(model, x, n_iter):
    """log p(D | theta^(t)) for t = 0 .. n_iter - 1 by scikit-learn, without regularisation."""
    kind, reshape = PEERS[model.covariance_type]
    inverse = np.linalg.inv if model.covariances.ndim == 3 else np.reciprocal
    peer = PeerMixture(
        model.n_components,
        covariance_type=kind,
        weights_init=model.weights,
        means_init=model.means,
        precisions_init=reshape(inverse(model.covariances)),
        init_params="random",
        reg_covar=0,
        tol=0,
        max_iter=n_iter,
        random_state=0,
    )
    with pytest.warns(ConvergenceWarning):
        peer.fit(x)
    return np.array(peer.lower_bounds_) * len(x)


@pytest.mark.parametrize("kind", COVARIANCE_TYPES)
@pytest.mark.parametrize("data", ["clusters", "old-faithful", "far"])
def test_log_evidence_trace_equals_scikit_learns(kind, data):
    rng, offset = np.random.default_rng(3), 1e3 * (data == "far")
    if data == "old-faithful":
        x = old_faithful().x
    else:
        x = random_gaussian_mixture(rng, 4, 3, "full").sample(400, rng=rng).x + offset
    k, d = 3, x.shape[1]
    covariances = random_covariances(rng, k, d, kind)
    if covariances.ndim == 3:
        covariances = covariances * np.outer(x.std(axis=0), x.std(axis=0))
    else:
        covariances = covariances * (x.var(axis=0) if kind == "diagonal" else x.var(axis=0).mean())
    start = GaussianMixture(rng.dirichlet([5] * k), x[rng.choice(len(x), k, replace=False)], covariances)
    steps = em_steps(start, x)
    ours = np.array([next(steps).log_evidence for _ in range(50)])
    assert len(np.unique(np.round(ours, 6))) > 10  # the trace moves, so agreement says something
    # The peer stays near the origin: its tied covariance is a difference of second moments and loses digits.
    near = GaussianMixture(start.weights, start.means - offset, start.covariances)
    np.testing.assert_allclose(ours, peer_trace(near, x - offset, 50), rtol=1e-10)


@pytest.mark.parametrize("learn_weights", [True, False])
def test_bernoulli_trace_equals_brute_force(learn_weights):
    """The textbook's formulas by loops in 60 digits, five iterations."""
    rng = np.random.default_rng(8)
    start = random_bernoulli_mixture(rng, 3, 4, learn_weights=learn_weights)
    x = start.sample(25, rng=rng).x
    weights, probs, expected = start.weights, start.probs, []
    for _ in range(6):
        joint = oracles.joint_table(oracles.bernoulli_log_likelihood(x, probs), weights)
        resp, log_evidence = oracles.posterior_and_log_evidence(joint)
        expected.append(float(sum(log_evidence)))
        counts, frequencies = oracles.bernoulli_frequencies(x, resp)
        probs = np.array(frequencies, dtype=float)
        if learn_weights:
            weights = np.array([c / len(x) for c in counts], dtype=float)
    steps = em_steps(start, x)
    ours = [next(steps).log_evidence for _ in range(6)]
    np.testing.assert_allclose(ours, expected, rtol=1e-12)
    assert ours[-1] > ours[0] + 0.1


def test_an_iteration_holds_what_its_fields_say():
    model, x = ROWS[0].draw(np.random.default_rng(2))
    first, second, third = (step for step, _ in zip(em_steps(model, x), range(3), strict=False))
    assert [first.iteration, second.iteration, third.iteration] == [0, 1, 2]
    assert first.model is model
    resp, log_evidence = responsibilities_of(model, x)
    assert first.log_evidence == pytest.approx(log_evidence.sum(), rel=1e-13)
    np.testing.assert_allclose(first.statistics.counts, resp.sum(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(second.model.means, model.maximise(first.statistics).means)
    assert second.log_evidence == pytest.approx(second.model.log_evidence(x).sum(), rel=1e-13)


def test_records_are_values():
    model, x = ROWS[0].draw(np.random.default_rng(2))
    step, expected = next(em_steps(model, x)), model.expect(x)
    for record in (model, expected, expected.statistics, step, fit_em(model, x, max_iter=0)):
        with pytest.raises(FrozenInstanceError):
            setattr(record, next(iter(record.__dataclass_fields__)), None)


# --- when it stops


def poisson_start(rng):
    x = np.r_[rng.poisson(2, (60, 2)), rng.poisson(6, (60, 2))] + 1
    return PoissonMixture(np.array([0.3, 0.7]), np.array([[2.0, 3.0], [4.0, 3.0]])), x


def test_tolerance_is_per_datum_and_the_first_gain_below_it_stops():
    model, x = poisson_start(np.random.default_rng(0))
    fit = fit_em(model, x, tol=1e-4, max_iter=500)
    gains = np.diff(fit.log_evidences) / len(x)
    assert fit.stop_reason == "converged"
    assert fit.converged
    assert gains[-1] < 1e-4 <= gains[:-1].min()
    assert fit.n_iter == len(gains) > 3
    assert fit.log_evidence == fit.log_evidences[-1]
    twice = fit_em(model, np.r_[x, x], tol=1e-4, max_iter=500)
    assert twice.n_iter == fit.n_iter


def test_the_default_tolerance_is_a_millionth_of_a_nat():
    model, x = poisson_start(np.random.default_rng(0))
    gains = np.diff(fit_em(model, x).log_evidences) / len(x)
    assert gains[-1] < 1e-6 <= gains[:-1].min()


def test_max_iter_counts_m_steps():
    model, x = poisson_start(np.random.default_rng(0))
    for max_iter in (1, 3):
        fit = fit_em(model, x, max_iter=max_iter, tol=0)
        assert fit.stop_reason == "max_iter"
        assert not fit.converged
        assert (fit.n_iter, len(fit.log_evidences)) == (max_iter, max_iter + 1)
        steps = em_steps(model, x)
        expected = [next(steps) for _ in range(max_iter + 1)][-1]
        np.testing.assert_array_equal(fit.model.rates, expected.model.rates)
        assert fit.log_evidence == expected.log_evidence


def test_max_iter_0_evaluates_the_start():
    model, x = poisson_start(np.random.default_rng(0))
    fit = fit_em(model, x, max_iter=0)
    assert fit.model is model
    assert (fit.n_iter, fit.stop_reason) == (0, "max_iter")
    assert fit.log_evidences.tolist() == [model.expect(x).log_evidence]


def test_tol_0_goes_on_to_max_iter_also_at_the_fixed_point():
    x = np.array([[0.0], [1.0], [4.0]])
    fit = fit_em(GaussianMixture([1.0], [[0.0]], [[1.0]]), x, tol=0, max_iter=7)
    assert (fit.n_iter, fit.stop_reason) == (7, "max_iter")


def test_200_m_steps_are_the_default_limit():
    model, x = poisson_start(np.random.default_rng(0))
    assert fit_em(model, x, tol=0).n_iter == 200


def test_a_fit_prints_what_it_reached():
    model, x = poisson_start(np.random.default_rng(0))
    fit = fit_em_restarts([model, model], x, max_iter=3, tol=0)
    text = repr(fit)
    assert "max_iter after 3 iterations" in text
    assert f"{fit.log_evidence:.4f}" in text
    assert text.endswith("best of 2 starts)")
    assert "best of" not in repr(fit_em(model, x, max_iter=1))


def test_a_family_of_four_methods_is_cut_into_blocks_of_rows(monkeypatch):
    model, x = poisson_start(np.random.default_rng(0))
    seen = []

    @dataclass(frozen=True)
    class Spy(PoissonMixture):
        def log_likelihood(self, x):
            seen.append(len(x))
            return super().log_likelihood(x)

    fit_em(Spy(model.weights, model.rates), x, max_iter=0)
    assert seen == [120]
    monkeypatch.setattr(Spy, "block_rows", 50, raising=False)
    seen.clear()
    fit_em(Spy(model.weights, model.rates), x, max_iter=0)
    assert sorted(seen) == [20, 50, 50]


def test_the_e_step_leaves_what_the_model_returns_alone():
    """A family may hand out an array that it keeps."""
    model, x = poisson_start(np.random.default_rng(0))
    kept = model.log_likelihood(x)
    before = kept.copy()

    @dataclass(frozen=True)
    class Keeper(PoissonMixture):
        def log_likelihood(self, x):
            return kept

    own = Keeper(model.weights, model.rates)
    for work in (own.expect, own.log_evidence, own.log_joint, own.responsibilities, own.log_posterior):
        work(x)
        np.testing.assert_array_equal(kept, before)


def test_four_methods_give_the_bayes_quintet():
    model, x = poisson_start(np.random.default_rng(0))
    joint = oracles.joint_table(model.log_likelihood(x).tolist(), model.weights)
    resp, log_evidence = oracles.posterior_and_log_evidence(joint)
    np.testing.assert_allclose(model.responsibilities(x), np.array(resp, dtype=float), rtol=1e-12)
    np.testing.assert_allclose(np.exp(model.log_posterior(x)), np.array(resp, dtype=float), rtol=1e-12)
    np.testing.assert_allclose(model.log_evidence(x), np.array(log_evidence, dtype=float), rtol=1e-12)
    np.testing.assert_allclose(model.log_joint(x), np.array(joint, dtype=float), rtol=1e-11)


def test_a_class_of_ones_own_is_told_what_to_derive_from():
    with pytest.raises(ValueError, match=r"^model is a GaussianMixture: derive its"):
        fit_em(PeerMixture(2), np.ones((3, 1)))


def test_what_four_methods_do_not_say_is_asked_for_in_a_sentence():
    model, x = poisson_start(np.random.default_rng(0))
    with pytest.raises(NotImplementedError, match="PoissonMixture has no n_parameters"):
        model.bic(x)
    with pytest.raises(NotImplementedError, match=r"PoissonMixture has no draw\(component, n, rng=...\)"):
        model.sample(3, rng=np.random.default_rng(0))


@dataclass(frozen=True)
class Drawn(PoissonMixture):
    """The same family with all that it may add."""

    @property
    def n_parameters(self):
        return self.rates.size + len(self.weights) - 1

    def draw(self, component, n, *, rng):
        return rng.poisson(self.rates[component], size=(n, self.rates.shape[1]))


def test_a_family_that_draws_is_sampled_and_one_that_counts_parameters_is_judged():
    """12 comparisons at 5 standard errors: fail by chance in 1 of 145,000 seeds."""
    start, x = poisson_start(np.random.default_rng(0))
    model, n = Drawn(start.weights, start.rates), 20_000
    assert model.aic(x) == pytest.approx(2 * 5 - 2 * model.log_evidence(x).sum())
    assert model.bic(x) == pytest.approx(5 * np.log(120) - 2 * model.log_evidence(x).sum())
    drawn, z = model.sample(n, rng=np.random.default_rng(1))
    share = (z == 1).mean()
    assert abs(share - 0.7) < 5 * np.sqrt(0.21 / n)
    for k in (0, 1):
        rows = drawn[z == k]
        assert (abs(rows.mean(axis=0) - model.rates[k]) < 5 * np.sqrt(model.rates[k] / len(rows))).all()


@every_row
def test_whole_weights_are_repeated_rows_and_a_weight_of_0_is_absence(row):
    model, x = row.draw(np.random.default_rng(6))
    weight = np.random.default_rng(0).integers(0, 4, len(x))
    weighted, repeated = model.expect(x, weight), model.expect(np.repeat(x, weight, axis=0))
    assert weighted.log_evidence == pytest.approx(repeated.log_evidence, rel=1e-12)
    one, two = model.maximise(weighted.statistics), model.maximise(repeated.statistics)
    np.testing.assert_allclose(one.log_likelihood(x), two.log_likelihood(x), rtol=1e-8)
    half = model.expect(x, weight / 2)
    assert half.log_evidence == pytest.approx(weighted.log_evidence / 2, rel=1e-12)


# --- restarts


def test_restarts_keep_the_best_and_tell_what_each_reached():
    rng = np.random.default_rng(4)
    x = random_gaussian_mixture(rng, 4, 2, "full").sample(200, rng=rng).x
    starts = [GaussianMixture.initialise(x, 4, rng=rng, method="random-points") for _ in range(6)]
    fits = [fit_em(start, x, max_iter=30) for start in starts]
    reached = tuple(fit.log_evidence for fit in fits)
    assert len(set(np.round(reached, 3))) > 1
    best = fit_em_restarts(iter(starts), x, max_iter=30)
    assert best.restart_objectives == reached
    winner = fits[int(np.argmax(reached))]
    np.testing.assert_array_equal(best.model.means, winner.model.means)
    np.testing.assert_array_equal(best.log_evidences, winner.log_evidences)
    assert best.stop_reason == winner.stop_reason
    assert fits[0].restart_objectives == ()


def test_restarts_hand_on_every_option():
    model, x = poisson_start(np.random.default_rng(0))
    assert fit_em_restarts([model], x, tol=0).n_iter == 200
    assert fit_em_restarts([model], x, tol=0, max_iter=4).n_iter == 4
    assert fit_em_restarts([model], x).n_iter == fit_em(model, x).n_iter
    alone = fit_em(model, x, prior=Gamma(3.0, 3.0))
    together = fit_em_restarts([model], x, prior=Gamma(3.0, 3.0))
    np.testing.assert_array_equal(together.model.rates, alone.model.rates)


# --- interruption


@dataclass(frozen=True)
class Interrupted(PoissonMixture):
    """Raises what Ctrl-C raises, in the call of log_likelihood that the clock says."""

    clock: list = None

    def log_likelihood(self, x):
        self.clock[0] -= 1
        if self.clock[0] < 0:
            raise KeyboardInterrupt
        return super().log_likelihood(x)


@pytest.mark.parametrize("completed", [0, 1, 2, 5])
def test_ctrl_c_returns_the_best_model_so_far(completed):
    model, x = poisson_start(np.random.default_rng(0))
    start = Interrupted(model.weights, model.rates, clock=[completed])
    fit = fit_em(start, x, tol=0, max_iter=9)
    assert fit.stop_reason == "interrupted"
    assert not fit.converged
    assert len(fit.log_evidences) == completed
    assert fit.n_iter == max(completed - 1, 0)
    expected = fit_em(model, x, tol=0, max_iter=max(completed - 1, 0))
    np.testing.assert_array_equal(fit.model.rates, expected.model.rates)
    assert fit.log_evidence == (expected.log_evidence if completed else -np.inf)


def test_ctrl_c_ends_the_restarts_with_the_best_so_far():
    model, x = poisson_start(np.random.default_rng(0))
    calls = []

    def starts():
        for completed in (4, 2, 9):
            calls.append(completed)
            yield Interrupted(model.weights, model.rates, clock=[completed])

    fit = fit_em_restarts(starts(), x, tol=0, max_iter=3)
    assert calls == [4, 2]
    assert fit.stop_reason == "interrupted"
    assert fit.n_iter == 3  # of the first start, which reached more
    assert len(fit.restart_objectives) == 2
    assert fit.log_evidence == max(fit.restart_objectives)


def test_a_real_signal_interrupts_a_fit():
    script = textwrap.dedent("""
        import signal
        import numpy as np
        from emvae.em import fit_em
        from emvae.mixtures import GaussianMixture
        rng = np.random.default_rng(0)
        x = rng.normal(size=(60_000, 3))
        model = GaussianMixture.initialise(x, 4, rng=rng)
        before = fit_em(model, x, max_iter=0).log_evidence
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it by default
        print("ready", flush=True)
        fit = fit_em(model, x, tol=0, max_iter=10**9)
        assert np.isfinite(fit.log_evidences).all() and fit.log_evidence >= before
        assert fit.n_iter == len(fit.log_evidences) - 1
        print(fit.stop_reason, fit.n_iter >= 1)
    """)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        time.sleep(1.5)
        os.kill(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert out == "interrupted True\n"
    assert process.returncode == 0


def test_no_thread_outlives_a_fit():
    model, x = ROWS[0].draw(np.random.default_rng(1))

    def workers():
        return {t for t in threading.enumerate() if "ThreadPool" in t.name}

    before = workers()
    fit_em(model, x, max_iter=3)
    assert workers() == before


# --- maximum a posteriori: imaginary data


@dataclass(frozen=True)
class Gamma(Prior):
    """A student's own prior for the student's own family: n imaginary data of mean m in each component."""

    n: float
    m: float

    def pseudo_statistics(self, model):
        k, d = model.rates.shape
        return np.column_stack([np.full(k, self.n), np.full((k, d), self.n * self.m)])

    def log_density(self, model):
        mass = np.log(model.weights).sum() if model.learn_weights else 0.0
        return self.n * float(mass + (self.m * np.log(model.rates) - model.rates).sum())


def map_problem(seed):
    """A random start, data and prior, of one of three families."""
    rng = np.random.default_rng(seed)
    kind = seed % 6
    if kind < 4:
        start = random_gaussian_mixture(rng, 3, 2, COVARIANCE_TYPES[kind])
        scale = rng.uniform(0.1, 3)
        if kind < 2:
            scale = scale * np.array([[1.0, 0.3], [0.3, 1.0]])
        return start, start.sample(60, rng=rng).x, Dirichlet(rng.uniform(1, 6)) * InverseWishart(scale, 3.0)
    if kind == 4:
        start = random_bernoulli_mixture(rng, 3, 5, learn_weights=bool(seed % 4))
        prior = Beta(rng.uniform(1, 9, (3, 5)), rng.uniform(1, 9, 5)) * Dirichlet(rng.uniform(1, 6, 3))
        return start, start.sample(40, rng=rng).x, prior
    start, x = poisson_start(rng)
    return start, x, Gamma(rng.uniform(0, 30), rng.uniform(1, 9))


def test_under_a_prior_the_objective_never_falls_and_the_fit_stops_where_it_is_flat():
    """300 random runs: no iteration falls, none stops while an iteration gains more than the tolerance."""
    falls = stopped = 0
    for seed in range(300):
        start, x, prior = map_problem(seed)
        fit = fit_em(start, x, prior=prior, tol=1e-6, max_iter=2000)
        recomputed = fit.model.log_evidence(x).sum() + prior.log_density(fit.model)
        assert fit.objective == pytest.approx(recomputed, rel=1e-12)
        assert np.diff(fit.objectives).min(initial=0) >= -1e-10 * abs(fit.objective), seed
        gains = np.diff(fit.objectives) / len(x)
        assert (gains[:-1] >= 1e-6).all(), seed
        assert fit.converged, seed
        assert gains[-1] < 1e-6, seed
        falls += np.diff(fit.log_evidences).min(initial=0) < 0
        stopped += (abs(np.diff(fit.log_evidences))[:-1] < 1e-6 * len(x)).any()
    assert falls >= 100  # log p(D | theta) alone does fall: the prior is really on
    assert stopped >= 5  # and would have stopped some runs too early


def test_restarts_under_a_prior_return_the_best_objective():
    """In some of 60 draws the start of largest log p(D | theta) is another one."""
    other = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x = random_gaussian_mixture(rng, 4, 2, "full").sample(40, rng=rng).x
        starts = [GaussianMixture.initialise(x, 4, rng=rng, method="random-points") for _ in range(4)]
        prior = InverseWishart(0.3, 4.0) * Dirichlet(3.0)
        fits = [fit_em(start, x, prior=prior, tol=1e-3) for start in starts]
        best = fit_em_restarts(starts, x, prior=prior, tol=1e-3)
        assert best.restart_objectives == tuple(fit.objective for fit in fits)
        assert best.objective == max(best.restart_objectives)
        other += np.argmax(best.restart_objectives) != np.argmax([fit.log_evidence for fit in fits])
    assert other >= 2


@pytest.mark.parametrize("seed", range(6))
def test_the_m_step_under_a_prior_is_a_maximum(seed):
    """No small random move of the parameters raises E_q[log p(D, Z)] + log p(theta)."""
    model, x, prior = map_problem(seed)
    rng = np.random.default_rng(seed)
    resp = model.responsibilities(x)
    best = model.maximise(model.statistics(x, resp) + prior.pseudo_statistics(model))

    def objective(m):
        return float(np.sum(resp * m.log_joint(x))) + prior.log_density(m)

    top, lower = objective(best), 0
    for _ in range(200):
        weights = best.weights * np.exp(1e-3 * rng.normal(size=len(best.weights)))
        move = {"weights": weights / weights.sum() if best.learn_weights else best.weights}
        if isinstance(best, GaussianMixture):
            move["means"] = best.means + 1e-3 * rng.normal(size=best.means.shape)
            noise = 1e-3 * rng.normal(size=best.covariances.shape)
            if noise.ndim == 3:
                noise = noise + noise.swapaxes(1, 2)
            move["covariances"] = best.covariances + noise * abs(best.covariances).min()
        elif isinstance(best, BernoulliMixture):
            move["probs"] = best.probs + 1e-3 * rng.normal(size=best.probs.shape) * best.probs * (
                1 - best.probs
            )
        else:
            move["rates"] = best.rates * np.exp(1e-3 * rng.normal(size=best.rates.shape))
        moved = objective(replace(best, **move))
        assert moved <= top + 1e-12 * abs(top)
        lower += moved < top
    assert lower >= 195  # the moves are large enough to be seen


def test_the_prior_is_added_once_before_each_m_step():
    model, x = poisson_start(np.random.default_rng(0))
    prior = Gamma(3.0, 10.0)
    fit = fit_em(model, x, prior=prior, max_iter=1)
    resp, _ = responsibilities_of(model, x)
    expected = model.maximise(model.statistics(x, resp) + prior.pseudo_statistics(model))
    np.testing.assert_allclose(fit.model.rates, expected.rates, rtol=1e-13)


def test_no_prior_is_on_unless_asked_for():
    x = np.array([[1], [1], [0], [0], [1]])
    fit = fit_em(BernoulliMixture([1.0], [[0.3]]), x)
    np.testing.assert_allclose(fit.model.probs, [[0.6]], rtol=1e-15)
    fit = fit_em(GaussianMixture([1.0], [[0.3]], [[1.0]]), x)
    np.testing.assert_allclose(fit.model.covariances, [[0.24]], rtol=1e-14)


def test_an_empty_record_is_interrupted_at_minus_infinity():
    fit = EMFit(None, np.array([]), np.array([]), "interrupted")
    assert (fit.log_evidence, fit.n_iter, fit.converged) == (-np.inf, 0, False)
    assert replace(fit, log_evidences=np.array([-3.0]), objectives=np.array([-3.0])).n_iter == 0
