"""Bars have the area of their shares, the curve is the density, triangles stand at the means."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from figures.grid_posterior import plot_grid_posterior

Z = np.linspace(-4, 6, 2001)
DENSITY = np.exp(-((Z - 1) ** 2) / 2) / np.sqrt(2 * np.pi)
NODES, SHARES = np.array([0.0, 0.5, 1.0]), np.array([0.2, 0.5, 0.3])


@pytest.fixture
def drawn():
    figure, ax = plt.subplots()
    bars = plot_grid_posterior(ax, Z, DENSITY, NODES, SHARES)
    yield ax, bars
    plt.close(figure)


def test_each_bar_is_centred_on_its_node_and_has_the_area_of_its_share(drawn):
    _, bars = drawn
    for bar, node, share in zip(bars, NODES, SHARES, strict=True):
        assert bar.get_x() + bar.get_width() / 2 == pytest.approx(node)
        assert bar.get_width() * bar.get_height() == pytest.approx(share, rel=1e-12)


def test_the_curve_is_the_density(drawn):
    ax, _ = drawn
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), np.column_stack([Z, DENSITY]))


def test_the_triangles_stand_at_the_two_means(drawn):
    ax, _ = drawn
    exact, on_the_grid = (line.get_xdata()[0] for line in ax.lines if line.get_marker() == "^")
    assert exact == pytest.approx(1.0, abs=1e-4)
    assert on_the_grid == pytest.approx(0.55, rel=1e-12)
