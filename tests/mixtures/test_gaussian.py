"""Gaussian mixtures: the M-step is the maximiser, statistics add, units and labels do not matter."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.mixture import GaussianMixture as PeerMixture

from emvae.checks import central_difference, standard_errors
from emvae.em import fit_em
from emvae.mixtures import GaussianMixture, GaussianStatistics
from tests import oracles
from tests.models import COVARIANCE_TYPES, random_covariances, random_gaussian_mixture

every_type = pytest.mark.parametrize("kind", COVARIANCE_TYPES)
seeds = st.integers(0, 2**32 - 1)


def drawn(seed, kind, *, n=40, k=3, d=2, **options):
    """A random model with data and arbitrary responsibilities."""
    rng = np.random.default_rng(seed)
    model = random_gaussian_mixture(rng, k, d, kind, **options)
    x = 3 * rng.normal(size=(n, d)) + rng.normal(size=d)
    return model, x, rng.dirichlet(np.ones(k), size=n)


def matrices_of(model):
    return oracles.full_matrices(model.covariances, model.n_components, model.n_features)


def expected_log_joint(model, x, resp):
    return oracles.gaussian_expected_log_joint(x, resp, model.weights, model.means, matrices_of(model))


def assert_same_model(one, two, rtol=1e-10):
    np.testing.assert_allclose(one.weights, two.weights, rtol=rtol)
    np.testing.assert_allclose(one.means, two.means, rtol=rtol, atol=rtol * abs(two.means).max())
    size = abs(two.covariances).max()
    np.testing.assert_allclose(one.covariances, two.covariances, rtol=rtol, atol=rtol * size)


# --- densities


@every_type
@pytest.mark.parametrize("n_features", [1, 3])
def test_densities_are_the_formula(kind, n_features):
    model, x, _ = drawn(0, kind, n=5, d=n_features)
    truth = oracles.gaussian_log_likelihood(x, model.means, matrices_of(model))
    np.testing.assert_allclose(model.log_likelihood(x), np.array(truth, dtype=float), rtol=1e-13)


@every_type
def test_the_quintet_hangs_together(kind):
    model, x, _ = drawn(1, kind)
    joint = model.log_likelihood(x) + np.log(model.weights)
    np.testing.assert_allclose(model.log_prior(), np.log(model.weights), rtol=1e-15)
    np.testing.assert_allclose(model.log_joint(x), joint, rtol=1e-15)
    evidence = np.log(np.exp(joint).sum(axis=1))
    np.testing.assert_allclose(model.log_evidence(x), evidence, rtol=1e-12)
    np.testing.assert_allclose(model.log_posterior(x), joint - evidence[:, None], rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(model.responsibilities(x), np.exp(joint - evidence[:, None]), rtol=1e-11)


@every_type
def test_the_density_integrates_to_one(kind):
    model, _, _ = drawn(2, kind)
    model = replace(model, means=model.means / 2)
    side = np.linspace(-14, 14, 281)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    mass = np.exp(model.log_evidence(grid)).sum() * (side[1] - side[0]) ** 2
    assert mass == pytest.approx(1, abs=1e-8)


# --- the M-step


@every_type
def test_the_m_step_is_the_weighted_mean_and_covariance(kind):
    model, x, resp = drawn(3, kind, n=20)
    counts, means, matrices = oracles.weighted_moments(x, resp)
    new = model.maximise(model.statistics(x, resp))
    np.testing.assert_allclose(new.weights, [float(c / 20) for c in counts], rtol=1e-13)
    np.testing.assert_allclose(new.means, np.array(means, dtype=float), rtol=1e-11)
    expected = np.array(oracles.constrained_covariances(kind, counts, matrices), dtype=float)
    np.testing.assert_allclose(new.covariances, expected.reshape(new.covariances.shape), rtol=1e-11)


@every_type
@pytest.mark.parametrize("learn_weights", [True, False])
@settings(max_examples=15)
@given(seed=seeds, floor=st.sampled_from([0.0, 6.0, (2.0, 9.0)]))
def test_no_feasible_neighbour_of_the_m_step_is_better(kind, learn_weights, seed, floor):
    """Q at the M-step against Q at random feasible models, near and far."""
    model, x, resp = drawn(seed, kind, learn_weights=learn_weights)
    above = np.max(floor) if kind == "spherical" else np.asarray(floor) * np.ones(2)
    shift = np.diag(above) if kind in ("full", "tied") else above
    model = replace(model, covariances=model.covariances + shift, min_variance=floor)
    best = model.maximise(model.statistics(x, resp))
    top = expected_log_joint(best, x, resp)
    rng = np.random.default_rng(seed)
    for size in (1e-4, 1e-2, 0.3):
        for _ in range(5):
            other = feasible_neighbour(best, floor, size, rng)
            assert expected_log_joint(other, x, resp) <= top + 1e-11 * abs(top)


def feasible_neighbour(model, floor, size, rng):
    """A random model that keeps the shape, the floor and, where they are fixed, the weights."""
    k, d = model.means.shape
    weights = model.weights * np.exp(size * rng.normal(size=k)) if model.learn_weights else model.weights
    covariances = model.covariances
    floors = np.broadcast_to(floor, d)
    if covariances.ndim == 3:
        twist = np.eye(d) + size * rng.normal(size=covariances.shape)
        candidates = twist @ (covariances - np.diag(floors)) @ twist.swapaxes(1, 2)
        lift = size * rng.normal(size=(len(covariances), d, 1))
        candidates = candidates + lift @ lift.swapaxes(1, 2) * rng.integers(0, 2)
        candidates = (candidates + candidates.swapaxes(1, 2)) / 2 + np.diag(floors) * (1 + 1e-12)
    else:
        low = floors.max() if covariances.shape[1] == 1 else floors
        candidates = np.maximum(covariances * np.exp(size * rng.normal(size=covariances.shape)), low)
    return replace(
        model,
        weights=weights / weights.sum(),
        means=model.means + size * rng.normal(size=(k, d)),
        covariances=candidates,
    )


@every_type
def test_the_gradient_of_q_vanishes_at_the_m_step(kind):
    model, x, resp = drawn(5, kind)
    best = model.maximise(model.statistics(x, resp))

    def q(parameters, name):
        changed = {"weights": best.weights, "means": best.means, "covariances": best.covariances}
        changed[name] = parameters
        matrices = oracles.full_matrices(changed["covariances"], 3, 2)
        return oracles.gaussian_expected_log_joint(x, resp, changed["weights"], changed["means"], matrices)

    for name in ("means", "covariances"):
        gradient = central_difference(lambda p, name=name: q(p, name), getattr(best, name))
        assert abs(gradient).max() <= 1e-8
        off = central_difference(lambda p, name=name: q(p, name), 1.01 * getattr(best, name))
        assert abs(off).max() > 1e-3
    # Weights move on the simplex: all partial derivatives are equal, to the Lagrange multiplier N.
    gradient = central_difference(lambda p: q(p, "weights"), best.weights)
    np.testing.assert_allclose(gradient, len(x), rtol=1e-8)


@every_type
@pytest.mark.parametrize("n_features", [1, 2, 4])
def test_one_component_takes_mean_and_covariance_of_the_data(kind, n_features):
    rng = np.random.default_rng(6)
    x = rng.normal(size=(30, n_features)) @ rng.normal(size=(n_features, n_features)) + 5
    start = GaussianMixture.initialise(x, 1, rng=rng, covariance_type=kind, min_variance=0)
    model = fit_em(start, x).model
    covariance = np.atleast_2d(np.cov(x.T, bias=True))
    expected = {
        "full": covariance[None],
        "tied": covariance[None],
        "diagonal": np.diag(covariance)[None],
        "spherical": np.diag(covariance).mean(keepdims=True)[None],
    }[kind]
    np.testing.assert_allclose(model.means, x.mean(axis=0)[None], rtol=1e-12)
    np.testing.assert_allclose(model.covariances, expected, rtol=1e-11)
    assert model.weights.tolist() == [1.0]


@pytest.mark.parametrize("floor", [0.5, (0.5, 2.0, 1.0)])
def test_the_floor_raises_small_eigenvalues_alone(floor):
    """In units where the floor is the identity, by hand from an eigen-decomposition."""
    x = np.random.default_rng(7).normal(size=(50, 3)) * [0.1, 1.0, 5.0]
    x = x @ np.linalg.qr(np.random.default_rng(8).normal(size=(3, 3)))[0]
    start = GaussianMixture([1.0], np.zeros((1, 3)), 9 * np.eye(3)[None], min_variance=floor)
    new = start.maximise(start.statistics(x, np.ones((50, 1)))).covariances[0]
    unit = np.sqrt(np.broadcast_to(floor, 3))
    scaled = np.cov(x.T, bias=True) / np.outer(unit, unit)
    values, vectors = np.linalg.eigh(scaled)
    assert values[0] < 1 < values[-1]
    expected = vectors @ np.diag(np.maximum(values, 1)) @ vectors.T * np.outer(unit, unit)
    np.testing.assert_allclose(new, expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(new, new.T)


def test_a_covariance_above_the_floor_is_left_alone_to_the_last_bit():
    x = np.random.default_rng(9).normal(size=(30, 2))
    resp = np.column_stack([np.arange(30) < 15, np.arange(30) >= 15]).astype(float)
    x[:15] *= 1e-3  # component 0 is floored, component 1 is not
    free = GaussianMixture([0.5, 0.5], np.zeros((2, 2)), 4 * np.ones((2, 1, 1)) * np.eye(2))
    floored = replace(free, min_variance=0.01)
    one, two = (m.maximise(m.statistics(x, resp)).covariances for m in (free, floored))
    np.testing.assert_array_equal(one[1], two[1])
    assert abs(one[0] - two[0]).max() > 0.005
    np.testing.assert_allclose(two[0], 0.01 * np.eye(2), atol=1e-12)


def test_diagonal_and_spherical_floors_are_maxima():
    x = np.array([[0.0, 0], [0.2, 2], [0.4, 4]])
    resp = np.ones((3, 1))
    diagonal = GaussianMixture([1.0], [[0, 0]], [[9.0, 9]], min_variance=[0.5, 0.25])
    assert diagonal.maximise(diagonal.statistics(x, resp)).covariances[0, 0] == 0.5
    assert diagonal.maximise(diagonal.statistics(x, resp)).covariances[0, 1] == pytest.approx(8 / 3)
    for floor, expected in (([0.5, 4.0], 4.0), ([0.5, 0.25], (0.08 / 3 + 8 / 3) / 2)):
        spherical = GaussianMixture([1.0], [[0, 0]], [[9.0]], min_variance=floor)
        new = spherical.maximise(spherical.statistics(x, resp))
        assert new.covariances.item() == pytest.approx(expected, rel=1e-12)


@every_type
def test_a_start_on_the_floor_is_accepted(kind):
    start = random_gaussian_mixture(np.random.default_rng(1), 2, 2, kind)
    floor = 0.7
    ones = np.ones_like(start.covariances) if start.covariances.ndim == 2 else np.eye(2)
    shape = start.covariances.shape
    model = replace(start, covariances=np.broadcast_to(floor * ones, shape), min_variance=floor)
    assert model.min_variance == floor
    with pytest.raises(ValueError, match="lie below min_variance"):
        replace(model, min_variance=floor * (1 + 1e-6))


def test_collapse_without_a_floor_is_an_error_that_names_the_remedy():
    x = np.array([[0.0, 0], [1, 1], [2, 0]])
    model = GaussianMixture([0.5, 0.5], [[0, 0], [1, 0]], [np.eye(2), np.eye(2)])
    with pytest.raises(
        ValueError, match=r"not positive definite: add variance, or fit with min_variance > 0"
    ):
        model.maximise(model.statistics(x, np.eye(2)[[0, 1, 1]]))


# --- statistics


@every_type
@settings(max_examples=20)
@given(seed=seeds, cut=st.integers(1, 39), weight=st.floats(0, 3))
def test_statistics_add_over_data(kind, seed, cut, weight):
    model, x, resp = drawn(seed, kind)
    resp = resp * weight
    parts = model.statistics(x[:cut], resp[:cut]) + model.statistics(x[cut:], resp[cut:])
    whole = model.statistics(x, resp)
    assert isinstance(parts, GaussianStatistics)
    for name in ("counts", "first", "second"):
        one, two = getattr(parts, name), getattr(whole, name)
        np.testing.assert_allclose(one, two, rtol=1e-10, atol=1e-11 * (1 + abs(two).max()))


@every_type
@settings(max_examples=20)
@given(seed=seeds)
def test_statistics_of_two_models_add(kind, seed):
    """Each record knows its origin, so moments about different means still add up."""
    model, x, resp = drawn(seed, kind)
    other = drawn(seed + 1, kind)[0]
    mixed = model.statistics(x[:15], resp[:15]) + other.statistics(x[15:], resp[15:])
    whole = model.statistics(x, resp)
    for name in ("counts", "first", "second"):
        one, two = getattr(mixed, name), getattr(whole, name)
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-10 * abs(two).max())
    assert_same_model(model.maximise(mixed), other.maximise(whole), rtol=1e-8)


@every_type
def test_statistics_are_moments_about_the_means_of_the_model(kind):
    model, x, resp = drawn(4, kind)
    statistics = model.statistics(x, resp)
    z = x[:, None] - model.means
    np.testing.assert_allclose(statistics.counts, resp.sum(axis=0), rtol=1e-13)
    np.testing.assert_allclose(statistics.first, np.einsum("nk,nkd->kd", resp, z), rtol=1e-10)
    second = np.einsum("nk,nki,nkj->kij", resp, z, z)
    if statistics.second.ndim == 2:
        second = np.diagonal(second, axis1=1, axis2=2)
    np.testing.assert_allclose(statistics.second, second, rtol=1e-10)


@every_type
def test_results_do_not_depend_on_the_size_of_blocks(kind, monkeypatch):
    model, x, resp = drawn(10, kind, n=50)
    whole = model.log_likelihood(x), model.statistics(x, resp), model.expect(x)
    for rows in (1, 7, 25, 49, 50, 51):
        monkeypatch.setattr(GaussianMixture, "block_rows", rows)
        np.testing.assert_allclose(model.log_likelihood(x), whole[0], rtol=1e-12, atol=1e-12)
        statistics, step = model.statistics(x, resp), model.expect(x)
        assert step.log_evidence == pytest.approx(whole[2].log_evidence, rel=1e-13)
        for name in ("counts", "first", "second"):
            for one, two in ((statistics, whole[1]), (step.statistics, whole[2].statistics)):
                np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    ("kind", "d", "k"),
    [("full", 1, 1), ("full", 2, 5), ("full", 50, 20), ("full", 100, 3), ("diagonal", 784, 10)],
)
def test_a_block_keeps_memory_near_8_megabytes(kind, d, k):
    rows = random_gaussian_mixture(np.random.default_rng(0), k, d, kind).block_rows
    width = min(d * (d + 1) // 2 if kind == "full" else d, 2048) + d + k
    assert 1 <= rows <= 16_384
    assert rows * width * 8 <= 2**23
    assert rows == 16_384 or (rows + 1) * width * 8 > 2**23


# --- invariance


@every_type
def test_the_order_of_data_does_not_matter(kind):
    model, x, resp = drawn(11, kind)
    order = np.random.default_rng(0).permutation(len(x))
    np.testing.assert_allclose(model.log_evidence(x[order]), model.log_evidence(x)[order], rtol=1e-13)
    one = model.maximise(model.statistics(x[order], resp[order]))
    assert_same_model(one, model.maximise(model.statistics(x, resp)))


@every_type
def test_names_of_components_do_not_matter(kind):
    model, x, resp = drawn(12, kind)
    order = [2, 0, 1]
    shared = len(model.covariances) == 1
    renamed = replace(
        model,
        weights=model.weights[order],
        means=model.means[order],
        covariances=model.covariances if shared else model.covariances[order],
    )
    np.testing.assert_allclose(renamed.log_likelihood(x), model.log_likelihood(x)[:, order], rtol=1e-12)
    np.testing.assert_allclose(renamed.log_evidence(x), model.log_evidence(x), rtol=1e-12)
    one = renamed.maximise(renamed.statistics(x, resp[:, order]))
    two = model.maximise(model.statistics(x, resp))
    np.testing.assert_allclose(one.means, two.means[order], rtol=1e-10)
    np.testing.assert_allclose(one.weights, two.weights[order], rtol=1e-13)


AFFINE = {
    "full": [[2.0, 1.0], [-0.5, 3.0]],
    "tied": [[2.0, 1.0], [-0.5, 3.0]],
    "diagonal": [[2.0, 0.0], [0.0, -3.0]],
    "spherical": [[0.6, 0.8], [-0.8, 0.6]],
}


@every_type
def test_a_change_of_units_changes_nothing_but_units(kind):
    """Each type of covariance is closed under some affine maps: fits commute with them."""
    model, x, _ = drawn(13, kind, n=80)
    a, b = np.array(AFFINE[kind]), np.array([10.0, -3.0])
    if kind == "spherical":
        a = 2.5 * a
    if model.covariances.ndim == 3:
        covariances = a @ model.covariances @ a.T
        covariances = (covariances + covariances.swapaxes(1, 2)) / 2
    else:
        covariances = model.covariances * (2.5**2 if kind == "spherical" else np.diag(a) ** 2)
    moved = replace(model, means=model.means @ a.T + b, covariances=covariances)
    one, two = fit_em(moved, x @ a.T + b, max_iter=15, tol=0), fit_em(model, x, max_iter=15, tol=0)
    log_volume = len(x) * np.log(abs(np.linalg.det(a)))
    np.testing.assert_allclose(one.log_evidences, two.log_evidences - log_volume, rtol=1e-9)
    np.testing.assert_allclose(one.model.means, two.model.means @ a.T + b, rtol=1e-7)


# --- generating and choosing


@every_type
def test_a_sample_has_the_moments_of_the_mixture(kind):
    """14 comparisons at 5 standard errors per type: 56 in all fail by chance in 1 of 31,000 seeds."""
    rng = np.random.default_rng(14)
    model = random_gaussian_mixture(rng, 3, 2, kind)
    x, z = model.sample(20_000, rng=rng)
    assert x.shape == (20_000, 2)
    assert z.shape == (20_000,)
    assert standard_errors(np.eye(3)[z], model.weights) <= 5
    for k, matrix in enumerate(matrices_of(model)):
        centred = x[z == k] - model.means[k]
        assert standard_errors(centred, np.zeros(2)) <= 5
        products = centred[:, :, None] * centred[:, None, :]
        assert standard_errors(products, matrix) <= 5


def test_a_sample_follows_its_generator():
    model = drawn(0, "full")[0]
    one, two, other = (model.sample(9, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.x, two.x)
    np.testing.assert_array_equal(one.z, two.z)
    assert not np.array_equal(one.x, other.x)
    single = model.sample(1, rng=np.random.default_rng(0))
    assert (single.x.shape, single.z.shape) == ((1, 2), (1,))


@every_type
@pytest.mark.parametrize("learn_weights", [True, False])
@pytest.mark.parametrize(("k", "d"), [(1, 1), (1, 3), (2, 1), (3, 2), (4, 5)])
def test_parameters_are_counted(kind, learn_weights, k, d):
    model = random_gaussian_mixture(np.random.default_rng(0), k, d, kind, learn_weights=learn_weights)
    expected = oracles.count_gaussian_parameters(k, d, model.covariance_type, learn_weights=learn_weights)
    assert model.n_parameters == expected


@every_type
@pytest.mark.parametrize(("k", "d"), [(2, 2), (3, 2), (2, 3)])
def test_the_shape_names_the_type(kind, k, d):
    model = random_gaussian_mixture(np.random.default_rng(0), k, d, kind)
    assert model.covariance_type == kind
    assert (model.n_components, model.n_features) == (k, d)
    assert repr(model) == f"GaussianMixture(K={k}, D={d}, {kind} covariances)"


@every_type
def test_bic_and_aic_equal_scikit_learns(kind):
    model, x, _ = drawn(15, kind)
    peer = PeerMixture(3, covariance_type="diag" if kind == "diagonal" else kind)
    peer.weights_, peer.means_ = model.weights, model.means
    inverse = np.linalg.inv if model.covariances.ndim == 3 else np.reciprocal
    precisions = inverse(model.covariances)
    if kind == "full":
        peer.precisions_cholesky_ = np.linalg.cholesky(precisions)
    elif kind == "tied":
        peer.precisions_cholesky_ = np.linalg.cholesky(precisions[0])
    else:
        peer.precisions_cholesky_ = np.sqrt(precisions[:, 0] if kind == "spherical" else precisions)
    assert model.bic(x) == pytest.approx(peer.bic(x), rel=1e-12)
    assert model.aic(x) == pytest.approx(peer.aic(x), rel=1e-12)


# --- where a start comes from


@every_type
@pytest.mark.parametrize("method", ["k-means++", "random-points", "random-responsibilities"])
def test_a_start_has_uniform_weights_and_one_pooled_covariance(kind, method):
    model, _, _ = drawn(16, "full")
    x = model.sample(200, rng=np.random.default_rng(0)).x
    start = GaussianMixture.initialise(
        x, 3, rng=np.random.default_rng(0), covariance_type=kind, method=method
    )
    assert start.weights.tolist() == [1 / 3] * 3
    assert start.covariance_type == kind
    for matrix in matrices_of(start)[1:]:
        np.testing.assert_array_equal(matrix, matrices_of(start)[0])
    np.testing.assert_allclose(start.min_variance, 1e-6 * x.var(axis=0), rtol=1e-13)
    assert start.learn_weights
    # Within-cluster variance is at most the whole, and clusters by distance are much tighter than random.
    share = np.trace(matrices_of(start)[0]) / x.var(axis=0).sum()
    assert share < (1.0 if method == "random-responsibilities" else 0.6)


@every_type
def test_a_start_pools_the_scatter_of_its_clusters(kind):
    """Two tight pairs far apart: by hand."""
    x = np.array([[0.0, 0.0], [2.0, 0.0], [100.0, 40.0], [102.0, 44.0]])
    start = GaussianMixture.initialise(x, 2, rng=np.random.default_rng(0), covariance_type=kind)
    order = np.argsort(start.means[:, 0])
    np.testing.assert_allclose(start.means[order], [[1, 0], [101, 42]], rtol=1e-13, atol=1e-13)
    pooled = np.array([[1.0, 1.0], [1.0, 2.0]])  # mean over data of the products of deviations
    expected = {
        "full": np.array([pooled, pooled]),
        "tied": pooled[None],
        "diagonal": np.array([[1.0, 2.0]] * 2),
        "spherical": np.array([[1.5]] * 2),
    }[kind]
    np.testing.assert_allclose(start.covariances, expected, rtol=1e-10)


def test_a_start_measures_distance_in_standard_deviations():
    """Clusters lie along the feature of small units; raw distance would not see them."""
    rng = np.random.default_rng(17)
    z = np.arange(200) % 2
    x = np.column_stack([1e-3 * z + 1e-5 * rng.normal(size=200), 50 * rng.normal(size=200)])
    for seed in range(5):
        start = GaussianMixture.initialise(x, 2, rng=np.random.default_rng(seed))
        resp = fit_em(start, x).model.responsibilities(x)
        assert abs((resp[:, 0] > 0.5) - z).mean() in (0, 1)


def test_options_of_a_start_reach_the_model():
    x = np.random.default_rng(18).normal(size=(30, 2))
    start = GaussianMixture.initialise(
        x, 2, rng=np.random.default_rng(0), min_variance=[0.1, 0.2], learn_weights=False
    )
    assert start.min_variance.tolist() == [0.1, 0.2]
    assert not start.learn_weights
    assert not fit_em(start, x, max_iter=1).model.learn_weights
    assert GaussianMixture.initialise(x, 2, rng=np.random.default_rng(0), min_variance=0).min_variance == 0


def test_a_floor_above_the_variance_of_the_data_is_where_a_start_begins():
    x = np.random.default_rng(18).normal(size=(30, 2))
    start = GaussianMixture.initialise(x, 2, rng=np.random.default_rng(0), min_variance=50.0)
    np.testing.assert_allclose(start.covariances, 50 * np.array([np.eye(2)] * 2), atol=1e-9)


def test_the_default_floor_of_a_constant_feature_is_relative_to_one():
    """Rounding noise is not variance: 0.1 has no exact mean."""
    for constant in (0.0, 0.1, 1e8 + 0.1):
        x = np.column_stack([np.arange(40.0), np.full(40, constant)])
        start = GaussianMixture.initialise(x, 2, rng=np.random.default_rng(0))
        np.testing.assert_allclose(start.min_variance, [1e-6 * x[:, 0].var(), 1e-6], rtol=1e-12)
    x[:, 1] = 1e-3 * (np.arange(40) % 2)  # small but real variance
    start = GaussianMixture.initialise(x, 2, rng=np.random.default_rng(0))
    assert start.min_variance[1] == pytest.approx(1e-6 * 0.25e-6, rel=1e-9)


def test_fixed_weights_stay():
    model, x, _ = drawn(19, "full", learn_weights=False)
    fit = fit_em(model, x, max_iter=5)
    np.testing.assert_array_equal(fit.model.weights, model.weights)
    learned = fit_em(replace(model, learn_weights=True), x, max_iter=5)
    assert abs(learned.model.weights - model.weights).max() > 0.01


def test_a_model_is_a_value():
    model, x, resp = drawn(20, "full")
    before = model.means.copy()
    new = model.maximise(model.statistics(x, resp))
    assert new is not model
    np.testing.assert_array_equal(model.means, before)
    assert isinstance(new, GaussianMixture)
    assert random_covariances(np.random.default_rng(0), 2, 3, "tied").shape == (1, 3, 3)


def test_symmetry_is_asked_for_up_to_rounding_of_the_largest_entry():
    """A product of three matrices is symmetric up to rounding; a small or zero entry is no measure of it."""
    covariance = np.array([[1e6, 1e-9, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    model = GaussianMixture([1.0], np.zeros((1, 3)), covariance[None])
    assert model.log_evidence(np.zeros((1, 3)))[0] == pytest.approx(-1.5 * np.log(2 * np.pi) - np.log(1e3))


@pytest.mark.parametrize("kind", ["full", "tied"])
def test_the_m_step_makes_covariances_symmetric_to_the_last_digit(kind):
    """Moments that lost their symmetry to rounding must not hand it on: Cholesky reads one triangle only."""
    model, x, resp = drawn(5, kind, n=60, d=5)
    statistics = model.statistics(x, resp)
    noise = 1e-9 * np.random.default_rng(0).normal(size=statistics.second.shape)
    covariances = model.maximise(replace(statistics, second=statistics.second + noise)).covariances
    np.testing.assert_array_equal(covariances, np.swapaxes(covariances, 1, 2))


def test_a_component_of_negligible_responsibility_keeps_mean_and_covariance():
    """Up to and with 1e-290; whatever is above is data."""
    model = GaussianMixture([0.5, 0.5], [[3.0], [3.0]], [[7.0], [7.0]])
    counts, origins = np.array([1e-290, 4e-290]), np.zeros((2, 1))
    first, second = np.array([[1e-290], [4e-290]]), np.array([[5e-290], [20e-290]])
    new = model.maximise(GaussianStatistics(counts, model.means, first, second))
    np.testing.assert_allclose(new.means, [[3.0], [4.0]])
    np.testing.assert_allclose(new.covariances, [[7.0], [4.0]])
    assert GaussianStatistics(counts, origins, first, second).mean_shift.tolist() == [[0.0], [1.0]]
