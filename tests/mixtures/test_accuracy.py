"""Accurate under stress, judged in 60 digits; and two ways to a Gaussian density that agree.

Where 1e-9 cannot hold, and why:

- A log density near 0 has no relative accuracy to speak of, its terms cancel: the error is then judged
  against 1 nat.
- A responsibility is exp of a difference of log densities, so its relative error is the absolute error
  of that difference: eps times the larger log density. Where both components lie 1e7 standard
  deviations away (log densities of 5e13), no digit is left. Next to one of the components all are.
- A posterior below 1e-304 is 0; its logarithm still has its digits.
- Second moments about a mean m standard deviations off lose m^2 eps when they are shifted to the new
  mean. The next step, about the new mean, has them all back.
"""

import tracemalloc
from dataclasses import replace

import mpmath as mp
import numpy as np
import pytest
import scipy.special
import scipy.stats

from emvae.mixtures import BernoulliMixture, GaussianMixture, product_form
from emvae.responsibilities import log_normalize
from tests import oracles
from tests.models import COVARIANCE_TYPES, random_bernoulli_mixture, random_gaussian_mixture

every_type = pytest.mark.parametrize("kind", COVARIANCE_TYPES)


def errors_in_nats(log_likelihood, truth):
    """Error relative to the log density, or in nats where that is below 1."""
    truth = np.array(truth, dtype=object)
    return np.abs(oracles.exact_array(log_likelihood) - truth) / np.maximum(1, np.abs(truth.astype(float)))


def judge(model, x, log_likelihood, *, tol=1e-9):
    """Compare every output of a model with the oracle's log densities."""
    assert errors_in_nats(model.log_likelihood(x), log_likelihood).max() <= tol
    joint = oracles.joint_table(log_likelihood, model.weights)
    posterior, log_evidence = oracles.posterior_and_log_evidence(joint)
    assert errors_in_nats(model.log_evidence(x), log_evidence).max() <= tol
    log_posterior = [[mp.log(p) for p in row] for row in posterior]
    assert errors_in_nats(model.log_posterior(x), log_posterior).max() <= tol
    resp = model.responsibilities(x)
    normal = np.array(posterior, dtype=object) > mp.mpf("1e-300")
    assert np.where(normal, oracles.relative_errors(resp, posterior), 0).max() <= tol
    assert (resp[~normal] < 1.1e-300).all()
    return resp


def stressed(kind, *, offset=0.0, scale=1.0, separation=3.0):
    """Two components ``separation`` standard deviations apart, and data near each."""
    rng = np.random.default_rng(17)
    unit = random_gaussian_mixture(rng, 2, 2, kind)
    x, z = unit.sample(60, rng=rng)
    six_of_each = np.r_[np.flatnonzero(z == 0)[:6], np.flatnonzero(z == 1)[:6]]
    x, z = x[six_of_each], z[six_of_each]
    x = x - unit.means[z] + separation * np.array([[0, 0], [0.6, 0.8]])[z]
    means = separation * np.array([[0, 0], [0.6, 0.8]]) + 0.1 * rng.normal(size=(2, 2))
    move = scale * offset
    moved = replace(unit, means=scale * means + move, covariances=scale**2 * unit.covariances)
    return moved, scale * x + move


STRESS = {
    "plain": {},
    "offset 1e8": {"offset": 1e8},
    "scale 1e-6": {"scale": 1e-6},
    "scale 1e6": {"scale": 1e6},
    "separation 1e7": {"separation": 1e7},
    "separation 30: responsibilities of 1e-200": {"separation": 30.0},
    "offset and scale": {"offset": 1e6, "scale": 1e-6},
    "offset, scale, separation": {"offset": 1e8, "scale": 1e6, "separation": 1e4},
}


@pytest.mark.parametrize("stress", STRESS.values(), ids=STRESS.keys())
@every_type
def test_densities_responsibilities_and_m_step_under_stress(kind, stress):
    model, x = stressed(kind, **stress)
    matrices = oracles.full_matrices(model.covariances, 2, 2)
    resp = judge(model, x, oracles.gaussian_log_likelihood(x, model.means, matrices))

    new = model.maximise(model.statistics(x, resp))
    counts, means, scatter = oracles.weighted_moments(x, resp)
    total = mp.fsum(counts)
    assert oracles.relative_errors(new.weights, [c / total for c in counts]).max() <= 1e-12
    # Relative to the spread where the mean is smaller than that.
    assert oracles.relative_errors(new.means, means).max() <= 1e-12
    expected = np.array(oracles.constrained_covariances(kind, counts, scatter), dtype=object).reshape(
        new.covariances.shape
    )
    difference = np.abs(oracles.exact_array(new.covariances) - expected)
    if expected.ndim == 3:
        sizes = np.array([np.sqrt(np.outer(np.diag(m), np.diag(m)).astype(float)) for m in expected])
    else:
        sizes = expected.astype(float)
    assert (difference.astype(float) / sizes).max() <= 1e-9


def test_the_stress_is_what_it_says():
    def log_densities(**stress):
        model, x = stressed("full", **stress)
        return model, x, model.log_likelihood(x)

    model, x, table = log_densities(separation=1e7)
    assert table.min() < -1e13
    _, _, table = log_densities(separation=30.0)
    assert (table - table.max(axis=1, keepdims=True)).min() < -250
    model, x, _ = log_densities(offset=1e8)
    assert abs(x).min() > 0.9e8 > 1e7 * x.std()
    assert model.means.min() > 0.9e8


@every_type
def test_a_mean_far_off_costs_digits_once_and_the_next_step_has_them_back(kind):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(40, 2))
    distance = 1e5
    model = random_gaussian_mixture(rng, 1, 2, kind)
    wide = replace(model, means=model.means + distance, covariances=distance**2 * model.covariances)
    resp = np.ones((40, 1))
    first = wide.maximise(wide.statistics(x, resp))
    second = first.maximise(first.statistics(x, resp))
    counts, means, matrices = oracles.weighted_moments(x, resp)
    expected = np.array(oracles.constrained_covariances(kind, counts, matrices), dtype=float)
    expected = expected.reshape(first.covariances.shape)
    assert abs(first.covariances - expected).max() <= 16 * np.finfo(float).eps * distance**2
    assert abs(second.covariances - expected).max() <= 1e-14
    assert oracles.relative_errors(second.means, means).max() <= 1e-13


def test_a_responsibility_of_1e_minus_300_has_its_digits():
    """Two unit Gaussians: the log odds of x are linear in x, -690 at this x."""
    model = GaussianMixture([0.5, 0.5], [[0.0], [20.0]], [[1.0], [1.0]])
    x = np.array([[10 - 690.7755 / 20]])
    resp = judge(model, x, oracles.gaussian_log_likelihood(x, model.means, np.ones((2, 1, 1))))
    assert 0.9e-300 < resp[0, 1] < 1.1e-300


@pytest.mark.parametrize("kind", ["diagonal", "spherical"])
def test_784_features_with_log_densities_of_minus_1e5(kind):
    rng = np.random.default_rng(4)
    shape = (2, 784) if kind == "diagonal" else (2, 1)
    model = GaussianMixture([0.3, 0.7], rng.normal(size=(2, 784)), rng.uniform(0.9, 1.1, size=shape))
    x = model.means[[0, 1, 0]] + 16 * rng.choice([-1, 1], size=(3, 784))
    variances = np.broadcast_to(model.covariances, (2, 784))
    truth = oracles.diagonal_log_likelihood(x, model.means, variances)
    assert -1.3e5 < min(map(min, truth)) < -0.9e5
    judge(model, x, truth)


def test_784_features_with_a_full_covariance():
    """Sigma = L L^T for a bidiagonal L of small integers: exact, and inverted by substitution."""
    rng = np.random.default_rng(5)
    d = 784
    factors = np.zeros((2, d, d))
    i = np.arange(d)
    factors[:, i, i] = rng.choice([1, 2], size=(2, d))
    factors[:, i[1:], i[:-1]] = rng.choice([-1, 0, 1], size=(2, d - 1))
    covariances = factors @ factors.swapaxes(1, 2)
    model = GaussianMixture([0.5, 0.5], rng.normal(size=(2, d)), covariances)
    x = model.means[[0, 1]] + 16 * rng.normal(size=(2, d))
    truth = []
    for row in oracles.exact(x):
        entries = []
        for mean, factor in zip(oracles.exact(model.means), factors, strict=True):
            white, log_volume = [], mp.mpf(0)
            for j in range(d):
                rest = factor[j, j - 1] * white[-1] if j else 0
                white.append((row[j] - mean[j] - rest) / factor[j, j])
                log_volume += mp.log(factor[j, j])
            entries.append(-log_volume - (d * mp.log(2 * mp.pi) + mp.fsum(w**2 for w in white)) / 2)
        truth.append(entries)
    assert min(map(min, truth)) < -1e5
    judge(model, x, truth)


def test_bernoulli_with_784_pixels_and_log_probabilities_of_minus_1e5():
    rng = np.random.default_rng(6)
    probs = 10.0 ** rng.uniform(-100, -90, size=(2, 784))
    model = BernoulliMixture([0.4, 0.6], probs)
    x = (rng.random((3, 784)) < 0.6).astype(np.uint8)
    truth = oracles.bernoulli_log_likelihood(x, probs)
    assert max(map(max, truth)) < -0.9e5
    judge(model, x, truth)


def test_bernoulli_m_step_with_a_component_of_almost_no_responsibility():
    rng = np.random.default_rng(7)
    model = random_bernoulli_mixture(rng, 2, 5)
    x = (rng.random((9, 5)) < 0.4).astype(float)
    resp = np.column_stack([np.ones(9), 1e-280 * rng.random(9)])
    new = model.maximise(model.statistics(x, resp))
    counts, frequencies = oracles.bernoulli_frequencies(x, resp)
    assert oracles.relative_errors(new.probs, frequencies).max() <= 1e-13
    assert oracles.relative_errors(new.weights, [c / mp.fsum(counts) for c in counts]).max() <= 1e-13


def test_bernoulli_in_single_precision_is_good_to_a_millionth():
    rng = np.random.default_rng(8)
    double = random_bernoulli_mixture(rng, 4, 300)
    single = replace(double, dtype=np.float32)
    x = double.sample(50, rng=rng).x
    error = abs(single.log_likelihood(x) / double.log_likelihood(x) - 1).max()
    assert 1e-9 < error < 2e-6  # above the lower bound: single precision was really used
    resp = double.responsibilities(x)
    one, two = single.statistics(x, resp), double.statistics(x, resp)
    assert one.ones.dtype == single.log_likelihood(x).dtype == np.float64
    np.testing.assert_allclose(one.ones, two.ones, rtol=2e-6, atol=1e-5)
    np.testing.assert_array_equal(one.counts, two.counts)


# --- two ways to a Gaussian density


@pytest.fixture
def use_path(monkeypatch):
    """Force one path by moving the guard: no error is small enough, or every one is."""

    def use(name):
        limit = {"fast": np.inf, "accurate": -1.0}[name]
        monkeypatch.setattr(product_form, "MAX_ERROR", limit)

    return use


def path_taken(model, x):
    return "accurate" if model._prepare(x, 0).features is None else "fast"


@every_type
@pytest.mark.parametrize("n_features", [1, 2, 5, 30])
def test_both_paths_agree(kind, n_features, use_path):
    rng = np.random.default_rng(9)
    model = random_gaussian_mixture(rng, 3, n_features, kind)
    model = replace(model, means=model.means + 100)
    x = model.sample(200, rng=rng).x
    assert path_taken(model, x) == "fast"
    resp = rng.dirichlet(np.ones(3), size=200)
    results = {}
    for path in ("fast", "accurate"):
        use_path(path)
        assert path_taken(model, x) == path
        results[path] = (model.log_likelihood(x), model.statistics(x, resp))
    (fast, fast_sums), (accurate, accurate_sums) = results["fast"], results["accurate"]
    assert not np.array_equal(fast, accurate)
    np.testing.assert_allclose(fast, accurate, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(fast_sums.counts, accurate_sums.counts, rtol=1e-13)
    for name in ("first", "second"):
        one, two = getattr(fast_sums, name), getattr(accurate_sums, name)
        assert one.shape == two.shape
        np.testing.assert_allclose(one, two, rtol=1e-8, atol=1e-8 * abs(two).max())
    one, two = model.maximise(fast_sums), model.maximise(accurate_sums)
    np.testing.assert_allclose(one.means, two.means, rtol=1e-8)
    np.testing.assert_allclose(one.covariances, two.covariances, rtol=1e-8, atol=1e-10)


def at_the_guard(kind, level):
    """A model and data whose error bound is ``level`` times the limit."""
    rng = np.random.default_rng(10)
    model = random_gaussian_mixture(rng, 2, 2, kind, learn_weights=True)
    x = rng.normal(size=(30, 2))
    form = model._products
    for _ in range(60):  # the bound grows with the data's spread: follow it there
        bound = form.error_bound((x - form.centre).T)
        x = x * np.sqrt(level * product_form.MAX_ERROR / bound)
    return model, x


@every_type
def test_the_guard_lets_the_fast_path_go_exactly_as_far_as_its_limit(kind):
    inside, outside = at_the_guard(kind, 0.999), at_the_guard(kind, 1.001)
    assert path_taken(*inside) == "fast"
    assert path_taken(*outside) == "accurate"


@every_type
@pytest.mark.parametrize("level", [1e-4, 0.01, 0.999])
def test_inside_the_guard_the_error_stays_below_the_bound(kind, level):
    model, x = at_the_guard(kind, level)
    assert path_taken(model, x) == "fast"
    matrices = oracles.full_matrices(model.covariances, 2, 2)
    truth = np.array(oracles.gaussian_log_likelihood(x, model.means, matrices), dtype=object)
    error = np.abs(oracles.exact_array(model.log_likelihood(x)) - truth).max()
    assert 0 < error <= max(level * product_form.MAX_ERROR, 1e-15)


@every_type
def test_far_beyond_the_guard_the_fast_path_would_fail_and_is_not_taken(kind, use_path):
    model, x = stressed(kind, separation=1e7)
    matrices = oracles.full_matrices(model.covariances, 2, 2)
    truth = np.array(oracles.gaussian_log_likelihood(x, model.means, matrices), dtype=object)
    near = truth.astype(float) > -1e3  # the densities of data near their component

    def error():
        return np.abs(oracles.exact_array(model.log_likelihood(x)) - truth)[near].max()

    assert path_taken(model, x) == "accurate"
    assert error() <= 1e-9
    use_path("fast")
    assert error() > 1e-3


def test_the_error_bound_is_the_largest_over_data_and_components():
    """eps lambda_max (|z| + |offset|)^2, by hand for two components on a line."""
    eps = np.finfo(float).eps
    model = GaussianMixture([0.5, 0.5], [[-1.0], [3.0]], [[0.25], [4.0]])  # centre 1, offsets -2 and 2
    bound = model._products.error_bound(np.array([[1.0, -5.0]]))
    assert bound == pytest.approx(eps * 4 * (5 + 2) ** 2)
    full = GaussianMixture([1.0], [[0.0, 0.0]], [[[1.0, 0.0], [0.0, 0.01]]])
    assert full._products.error_bound(np.array([[3.0], [4.0]])) == pytest.approx(eps * 100 * 25)


@every_type
def test_blocks_on_either_path_add_up(kind, monkeypatch):
    """One block on the fast path, one not: their moments have different origins."""
    rng = np.random.default_rng(21)
    model = random_gaussian_mixture(rng, 2, 2, kind)
    x = model.sample(20, rng=rng).x
    x[10:] += 3e4
    resp = rng.dirichlet([1, 1], size=20)
    whole = model.maximise(model.statistics(x, resp))
    counts, means, scatter = oracles.weighted_moments(x, resp)
    monkeypatch.setattr(GaussianMixture, "block_rows", 10)
    for order in (slice(None), slice(None, None, -1)):
        halves = np.split(x[order], 2)
        assert sorted(path_taken(model, half) for half in halves) == ["accurate", "fast"]
        for result in (whole, model.maximise(model.statistics(x[order], resp[order]))):
            assert oracles.relative_errors(result.means, means).max() <= 1e-12
            expected = oracles.constrained_covariances(kind, counts, scatter)
            expected = np.array(expected, dtype=float).reshape(result.covariances.shape)
            np.testing.assert_allclose(result.covariances, expected, rtol=1e-9)


def test_one_datum_far_off_sends_its_own_block_alone_on_the_accurate_path(monkeypatch):
    rng = np.random.default_rng(12)
    model = random_gaussian_mixture(rng, 2, 2, "full")
    x = model.sample(30, rng=rng).x
    x[14] = 1e9
    monkeypatch.setattr(GaussianMixture, "block_rows", 10)
    assert [path_taken(model, rows) for rows in np.split(x, 3)] == ["fast", "accurate", "fast"]


@pytest.mark.parametrize(("n_features", "path"), [(63, "fast"), (64, "accurate")])
def test_tables_of_products_have_a_largest_width(n_features, path):
    """D (D + 1) / 2 is 2016 for D = 63 and 2080 for D = 64; the limit is 2048."""
    rng = np.random.default_rng(13)
    model = GaussianMixture([1.0], np.zeros((1, n_features)), np.eye(n_features)[None])
    x = rng.normal(size=(5, n_features))
    assert path_taken(model, x) == path
    expected = -0.5 * ((x**2).sum(axis=1) + n_features * np.log(2 * np.pi))
    np.testing.assert_allclose(model.log_likelihood(x)[:, 0], expected, rtol=1e-13)


@pytest.mark.parametrize(("n_features", "path"), [(2048, "fast"), (2049, "accurate")])
def test_independent_features_need_no_more_than_squares(n_features, path):
    model = GaussianMixture([1.0], np.zeros((1, n_features)), np.ones((1, n_features)))
    x = np.full((1, n_features), 0.5)
    assert path_taken(model, x) == path
    expected = -0.5 * n_features * (0.25 + np.log(2 * np.pi))
    np.testing.assert_allclose(model.log_likelihood(x), expected, rtol=1e-13)


def test_log_normalize_keeps_posteriors_that_underflow():
    log_joint = [[-1e5, -1e5 - 2000.0], [1e308, 1e308]]
    log_posterior, log_evidence = log_normalize(log_joint)
    assert log_posterior[0].tolist() == [0.0, -2000.0]
    assert log_evidence[0] == -1e5
    assert log_posterior[1].tolist() == [-np.log(2), -np.log(2)]


@pytest.mark.parametrize("kind", ["diagonal", "spherical"])
def test_many_narrow_components_are_whitened_feature_by_feature(kind):
    """Beyond the guard, with more components than data: as each component by itself."""
    rng = np.random.default_rng(8)
    means, x = rng.normal(scale=30, size=(50, 3)), rng.normal(scale=30, size=(6, 3))
    covariances = 1e-10 * rng.uniform(0.5, 2, size=(50, 3 if kind == "diagonal" else 1))
    model = GaussianMixture(np.full(50, 1 / 50), means, covariances)
    assert path_taken(model, x) == "accurate"
    deviations = np.sqrt(np.broadcast_to(covariances, means.shape))
    by_scipy = scipy.stats.norm.logpdf(x[:, None], means, deviations).sum(axis=2)
    np.testing.assert_allclose(model.log_likelihood(x), by_scipy, rtol=1e-12)
    pairs = zip(means, covariances, strict=True)
    one_by_one = [GaussianMixture([1.0], [m], [c]).log_likelihood(x)[:, 0] for m, c in pairs]
    np.testing.assert_allclose(model.log_likelihood(x).T, one_by_one, rtol=1e-12)


def test_sixty_thousand_components_need_no_more_than_their_block():
    rng = np.random.default_rng(9)
    means, x = rng.normal(size=(60_000, 2)), rng.normal(size=(40, 2))
    model = GaussianMixture(np.full(60_000, 1 / 60_000), means, rng.uniform(0.01, 0.1, size=(60_000, 2)))
    model.log_evidence(x[:1])  # what is computed once
    tracemalloc.start()
    log_evidence = model.log_evidence(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    squares = np.square((x[:, None] - means) / np.sqrt(model.covariances)).sum(axis=2)
    log_joint = -0.5 * squares - 0.5 * np.log(model.covariances).sum(axis=1) - np.log(2 * np.pi * 60_000)
    np.testing.assert_allclose(log_evidence, scipy.special.logsumexp(log_joint, axis=1), rtol=1e-10)
    assert peak < 100e6


def test_the_error_bound_does_not_depend_on_where_the_origin_is():
    rng = np.random.default_rng(11)
    model = random_gaussian_mixture(rng, 3, 2, "full")
    moved = replace(model, means=model.means + 64.0)
    z = rng.normal(size=(2, 10))
    assert moved._products.error_bound(z) == pytest.approx(model._products.error_bound(z), rel=1e-9)
