"""Traces show the numbers they are given, and say which K wins."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from emvae.plotting import plot_convergence, plot_elbo_staircase, plot_model_selection


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def named(ax):
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


ELBO = np.array([-9.0, -7.0, -4.0, -3.0])
EVIDENCE = np.array([-7.0, -7.0, -3.0, -3.0])


def test_staircase_is_level_over_each_half_step(ax):
    plot_elbo_staircase(ax, ELBO, EVIDENCE)
    for line, values in zip(named(ax).values(), (EVIDENCE, ELBO), strict=True):
        x, y = line.get_data()
        for h in range(4):
            inside = (x >= h - 0.5) & (x <= h + 0.5)
            assert values[h] in y[inside]
        assert np.array_equal(y, np.repeat(values, 2))
        assert np.array_equal(x[::2], np.arange(4) - 0.5)
        assert np.array_equal(x[1::2], np.arange(4) + 0.5)


def test_the_shaded_area_is_the_sum_of_the_gaps(ax):
    plot_elbo_staircase(ax, ELBO, EVIDENCE)
    (x, y) = ax.collections[0].get_paths()[0].vertices.T
    area = 0.5 * abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))
    assert area == pytest.approx((EVIDENCE - ELBO).sum(), rel=1e-12)


def test_a_staircase_of_two_lengths_is_refused(ax):
    with pytest.raises(ValueError, match=r"\(4,\) and log_evidence \(3,\)"):
        plot_elbo_staircase(ax, ELBO, EVIDENCE[:3])


@pytest.mark.parametrize(("best", "winners"), [("min", {"BIC": 2, "AIC": 5}), ("max", {"BIC": 5, "AIC": 1})])
def test_the_best_k_is_ringed_and_returned(ax, best, winners):
    scores = {"BIC": [3.0, 1.0, 4.0], "AIC": [9.0, 5.0, 2.0]}
    assert plot_model_selection(ax, [1, 2, 5], scores, best=best) == winners
    for name, line in named(ax).items():
        assert np.array_equal(line.get_xydata(), np.column_stack([[1, 2, 5], scores[name]]))
    rings = [line.get_xydata()[0] for line in ax.lines if line.get_label().startswith("_")]
    pick = min if best == "min" else max
    assert [tuple(ring) for ring in rings] == [(winners[n], pick(scores[n])) for n in scores]


def test_convergence_is_drawn_on_a_logarithmic_scale_with_the_predicted_slope(ax):
    gap = 8.0 * 0.5 ** np.arange(9)
    (line,) = plot_convergence(ax, {"run": gap}, rates={"run": 0.5})
    assert ax.get_yscale() == "log"
    assert np.array_equal(line.get_xydata(), np.column_stack([np.arange(9), gap]))
    predicted = next(other for other in ax.lines if other is not line)
    assert np.allclose(predicted.get_ydata(), gap, rtol=1e-12, atol=0)


def test_convergence_needs_no_rates(ax):
    assert len(plot_convergence(ax, {"a": [1.0, 0.1], "b": [1.0, 0.5]})) == len(ax.lines) == 2


def test_the_predicted_slope_runs_through_the_middle_of_the_run(ax):
    gaps = np.array([9.0, 5.0, 4.0, 1.0, 0.7, 0.2])
    plot_convergence(ax, {"run": gaps}, rates={"run": 0.5})
    predicted = next(line for line in ax.lines if line.get_linestyle() == ":").get_ydata()
    assert np.flatnonzero(predicted == gaps).tolist() == [3]
    np.testing.assert_allclose(predicted[1:] / predicted[:-1], 0.5)
