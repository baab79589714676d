"""Holes, squares, and a code its encoder misses are drawn where they are."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from emvae.latents import hole_map, to_unit_square
from emvae.mixtures import GaussianMixture
from emvae.plotting.style import COLOURS
from figures import plot_hole_map, plot_misplaced_code, plot_unit_square


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_each_pixel_of_the_map_is_painted_around_its_point(ax):
    axis, values = np.array([-1.0, 0.0, 1.0]), np.arange(9.0).reshape(3, 3)
    image = plot_hole_map(ax, axis, values, threshold=2.0)
    assert image.get_extent() == [-1.5, 1.5, -1.5, 1.5]
    assert image.origin == "lower"
    assert np.array_equal(image.get_array(), values)
    assert image.get_clim() == (-4.0, 4.0)


def test_holes_are_red_and_crowds_blue(ax):
    image = plot_hole_map(ax, np.arange(2.0), np.array([[-4.0, 4.0], [0.0, 0.0]]), threshold=1.0)
    red, blue, white = image.cmap(image.norm([-4.0, 4.0, 0.0]))[:, :3]
    assert red[0] > 0.3 > red[2]
    assert blue[2] > 0.3 > blue[0]
    assert white.min() > 0.9


def test_the_contour_is_at_the_threshold(ax):
    narrow = GaussianMixture([1.0], np.zeros((1, 2)), np.full((1, 2), 0.36))
    drawn = hole_map(narrow, half_width=3.0, n_side=121)
    plot_hole_map(ax, drawn.axis, drawn.log_ratio, threshold=-2.0)
    (contour,) = ax.collections
    radius = np.sqrt(2 * (-2 * np.log(0.6) + 2.0) / (1 / 0.36 - 1))
    for path in contour.get_paths():
        assert np.allclose(np.linalg.norm(path.vertices, axis=1), radius, rtol=0, atol=0.01)


def test_the_density_of_the_unit_square(ax):
    u = np.array([[0.101, 0.901], [0.102, 0.902], [0.601, 0.101], [0.901, 0.901]])
    image = plot_unit_square(ax, u)
    density = image.get_array()
    assert density.shape == (60, 60)
    found = {(int(row), int(column)): density[row, column] for row, column in np.argwhere(density)}
    assert found == {(54, 6): 1800.0, (6, 36): 900.0, (54, 54): 900.0}  # rows from bottom to top
    assert image.get_extent() == [0, 1, 0, 1]
    assert image.origin == "lower"
    assert image.get_clim() == (0.0, 2.0)
    assert ax.get_aspect() == 1.0


def test_draws_of_the_prior_have_density_one(ax):
    z = np.random.default_rng(0).normal(size=(400_000, 2))
    density = plot_unit_square(ax, to_unit_square(z)).get_array()
    assert np.abs(density - 1).max() < 5 * np.sqrt(3600 / 400_000)  # five deviations of a cell's count


AXIS = np.array([-1.0, 0.0, 1.0])
PLACE = {"mean": [0.2, -0.3], "deviation": [0.1, 0.05], "best": [-0.5, 0.75]}


def test_a_code_its_encoder_and_its_density_are_drawn_where_they_are(ax):
    values = np.arange(9.0).reshape(3, 3) * 100
    plot_misplaced_code(ax, AXIS, values, **PLACE)
    (image,) = ax.images
    assert image.get_extent() == [-1, 1, -1, 1]
    assert image.origin == "lower"
    assert image.get_clim() == (650, 800)
    np.testing.assert_array_equal(image.get_array(), values)
    cross, ellipse, dot = ax.lines
    assert cross.get_xydata().tolist() == [[0.2, -0.3]]
    assert dot.get_xydata().tolist() == [[-0.5, 0.75]]
    away = (ellipse.get_xydata() - [0.2, -0.3]) / [0.1, 0.05]
    np.testing.assert_allclose(np.linalg.norm(away, axis=1), 5, rtol=1e-12)
    blue, vermillion = (to_rgba(colour) for colour in COLOURS[:2])
    assert [to_rgba(line.get_color()) for line in ax.lines] == [vermillion, vermillion, blue]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$z_1$", "$z_2$")
