"""A predicted slope, a ringed forecast, paired errors and the extent of a covariance are what was passed."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from figures.going_further import (
    plot_decay,
    plot_fit_and_forecast,
    plot_paired_differences,
    plot_spread,
)


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_a_geometric_run_lies_on_the_predicted_line(ax):
    plot_decay(ax, 5 * 0.8 ** (2 * np.arange(60.0)), 0.8)
    run, predicted = (line.get_ydata() for line in ax.lines)
    np.testing.assert_allclose(predicted, run, rtol=1e-9)
    assert run.min() > 1e-7


def test_another_rate_leaves_the_run(ax):
    plot_decay(ax, 5 * 0.8 ** (2 * np.arange(30.0)), 0.9)
    run, predicted = (line.get_ydata() for line in ax.lines)
    slopes = [np.diff(np.log(values)) for values in (run, predicted)]
    np.testing.assert_allclose(slopes[1], 2 * np.log(0.9), rtol=1e-9)
    assert np.abs(slopes[0] - slopes[1]).min() > 0.2


def test_the_best_forecast_is_ringed_and_not_the_best_fit(ax):
    plot_fit_and_forecast(ax, [2, 5, 10], [-3.0, -2.0, -1.0], [-4.0, -3.5, -6.0])
    ring = ax.lines[-1].get_xydata()
    np.testing.assert_array_equal(ring, [[5, -3.5]])


def test_bars_are_standard_errors_of_differences(ax):
    scores = np.array([[1.0, 5.0, 9.0, 2.0], [2.0, 6.0, 10.0, 3.0], [4.0, 6.0, 12.0, 3.0]])
    plot_paired_differences(ax, [1, 2, 3], {"full": scores}, reference=2)
    (container,) = ax.containers
    line, _, (bars,) = container
    np.testing.assert_allclose(line.get_ydata(), [-1, 0, 1])  # each curve has a spread of three
    lengths = [np.ptp(segment[:, 1]) / 2 for segment in bars.get_segments()]
    differences = [2.0, 0.0, 2.0, 0.0]
    np.testing.assert_allclose(lengths, [0, 0, np.std(differences, ddof=1) / 2], atol=1e-12)


def test_points_of_the_ellipse_are_one_standard_deviation_away(ax):
    covariance = np.array([[2.0, 0.6], [0.6, 0.5]])
    ellipse = plot_spread(ax, covariance)
    points = ellipse.get_patch_transform().transform(ellipse.get_path().vertices)[:-1]
    on_curve = points[::3]  # the others are the curve's control points
    distances = np.einsum("pi,ij,pj->p", on_curve, np.linalg.inv(covariance), on_curve)
    np.testing.assert_allclose(distances, 1, rtol=1e-2)
