"""The plane shows the responsibilities of its model, and its lines lie where two are equal."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.contour import ContourSet

from emvae.mixtures import GaussianMixture
from emvae.plotting import mix_colours
from figures import plot_responsibility_plane

EXTENT = (-3.0, 4.0, -2.0, 2.5)
MODEL = GaussianMixture(
    [0.5, 0.3, 0.2], [[-1.0, 0.0], [2.0, 0.5], [0.5, 2.0]], [[1.0, 0.5], [0.4, 0.8], [0.6, 0.6]]
)


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_pixels_hold_the_responsibilities_of_their_points(ax):
    resp = plot_responsibility_plane(ax, MODEL, extent=EXTENT, n_pixels=40)
    across, up = np.linspace(-3, 4, 40), np.linspace(-2, 2.5, 40)
    for row, column in [(0, 0), (39, 0), (5, 31), (20, 20)]:
        expected = MODEL.responsibilities([[across[column], up[row]]])[0]
        np.testing.assert_allclose(resp[row, column], expected, rtol=1e-12, atol=1e-300)
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array(), mix_colours(resp))
    assert image.origin == "lower"
    assert ax.get_xlim() == (-3.0, 4.0)
    assert ax.get_ylim() == (-2.0, 2.5)


def test_pixels_are_centred_on_their_points(ax):
    plot_responsibility_plane(ax, MODEL, extent=EXTENT, n_pixels=8)
    left, right, bottom, top = ax.images[0].get_extent()
    assert (left, right) == pytest.approx((-3.5, 4.5))
    assert (bottom, top) == pytest.approx((-2 - 4.5 / 14, 2.5 + 4.5 / 14))


def test_on_the_boundaries_the_two_largest_responsibilities_are_equal(ax):
    plot_responsibility_plane(ax, MODEL, extent=EXTENT, n_pixels=400)
    lines = [c for c in ax.collections if isinstance(c, ContourSet)]
    assert len(lines) == 3
    points = np.concatenate([path.vertices for line in lines for path in line.get_paths()])
    assert len(points) > 300
    resp = np.sort(MODEL.responsibilities(points), axis=1)
    gap = resp[:, -1] - resp[:, -2]
    assert np.median(gap) < 1e-4
    assert gap.max() < 0.01  # one pixel, where three components meet and the largest has a kink


def test_a_boundary_is_drawn_between_components_that_hardly_differ(ax):
    alike = GaussianMixture([0.5, 0.5], [[-0.1, 0.0], [0.1, 0.0]], [[1.0, 1.0], [1.0, 1.0]])
    plot_responsibility_plane(ax, alike, extent=(-1.0, 1.0, -1.0, 1.0), n_pixels=40)
    lines = [c for c in ax.collections if isinstance(c, ContourSet)]
    points = np.concatenate([path.vertices for line in lines for path in line.get_paths()])
    np.testing.assert_allclose(points[:, 0], 0.0, atol=1e-12)


def test_no_boundary_is_drawn_where_there_is_none(ax):
    single = GaussianMixture([1.0], [[0.0, 0.0]], [[1.0, 1.0]])
    plot_responsibility_plane(ax, single, extent=EXTENT, n_pixels=20)
    assert len(ax.collections) == 0
