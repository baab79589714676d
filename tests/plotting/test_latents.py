"""Codes, meshes, holes and the unit square are drawn where and as they are."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from emvae.latents import hole_map, to_unit_square
from emvae.mixtures import GaussianMixture
from emvae.plotting import component_colours, plot_codes, plot_hole_map, plot_mosaic, plot_unit_square

Z = np.array([[0.0, 1.0], [2.0, -3.0], [4.0, 5.0]])


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_ten_digits_have_ten_colours():
    colours = component_colours(10)
    assert colours.shape == (10, 3)
    apart = np.linalg.norm(colours[:, None] - colours, axis=2) + np.eye(10)
    assert apart.min() > 0.2


def test_codes_have_the_colours_of_their_digits(ax):
    drawn = plot_codes(ax, Z, [3, 0, 9], size=7)
    assert np.array_equal(drawn.get_offsets(), Z)
    assert np.allclose(drawn.get_facecolor()[:, :3], component_colours(10)[[3, 0, 9]], rtol=0, atol=1e-12)
    assert np.array_equal(drawn.get_sizes(), [7])
    assert ax.get_aspect() == 1.0


def test_the_legend_names_each_digit_in_its_colour(ax):
    plot_codes(ax, Z, [3, 0, 9])
    entries = ax.get_legend().legend_handles
    assert [entry.get_label() for entry in entries] == list("0123456789")
    assert [to_rgb(entry.get_color()) for entry in entries] == [tuple(c) for c in component_colours(10)]


def test_the_legend_may_be_left_out(ax):
    plot_codes(ax, Z, [3, 0, 9], legend=False)
    assert ax.get_legend() is None


@pytest.mark.parametrize("flat", [False, True])
def test_a_mosaic_has_each_image_in_its_place(ax, flat):
    images = np.random.default_rng(0).random((2, 3, 4, 4))
    drawn = plot_mosaic(ax, images.reshape(2, 3, 16) if flat else images).get_array()
    assert drawn.shape == (8, 12)
    for i in range(2):
        for j in range(3):
            assert np.array_equal(drawn[4 * i : 4 * i + 4, 4 * j : 4 * j + 4], images[i, j])
    assert not ax.get_xticks().size
    assert not ax.get_yticks().size


def test_a_mosaic_of_oblong_images(ax):
    images = np.random.default_rng(0).random((3, 2, 4, 5))
    image = plot_mosaic(ax, images)
    assert image.get_array().shape == (12, 10)
    assert image.get_clim() == (0.0, 1.0)
    assert image.get_cmap().name == "Greys"
    assert not any(spine.get_visible() for spine in ax.spines.values())


def test_each_pixel_of_the_map_is_painted_around_its_point(ax):
    axis, values = np.array([-1.0, 0.0, 1.0]), np.arange(9.0).reshape(3, 3)
    image = plot_hole_map(ax, axis, values, limit=3.0)
    assert image.get_extent() == [-1.5, 1.5, -1.5, 1.5]
    assert image.origin == "lower"
    assert np.array_equal(image.get_array(), values)
    assert image.get_clim() == (-3.0, 3.0)
    assert not [c for c in ax.collections if len(c.get_paths())]


def test_holes_are_red_and_crowds_blue(ax):
    image = plot_hole_map(ax, [0.0, 1.0], [[-4.0, 4.0], [0.0, 0.0]])
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
    u = np.array([[0.1, 0.9], [0.1, 0.9], [0.6, 0.1], [0.9, 0.9]])
    image = plot_unit_square(ax, u, n_bins=2)
    assert np.array_equal(image.get_array(), [[0.0, 1.0], [2.0, 1.0]])  # rows from bottom to top
    assert image.get_extent() == [0, 1, 0, 1]
    assert image.origin == "lower"
    assert image.get_clim() == (0.0, 2.0)
    assert ax.get_aspect() == 1.0


def test_draws_of_the_prior_have_density_one(ax):
    z = np.random.default_rng(0).normal(size=(40_000, 2))
    density = plot_unit_square(ax, to_unit_square(z), n_bins=10).get_array()
    assert density.shape == (10, 10)
    assert np.abs(density - 1).max() < 5 * np.sqrt(100 / 40_000)  # five standard deviations of a cell's count
    assert plot_unit_square(ax, to_unit_square(z)).get_array().shape == (40, 40)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ax: plot_codes(ax, np.zeros((3, 3)), [0, 1, 2]), r"z has shape \(3, 3\): a plane shows"),
        (lambda ax: plot_codes(ax, np.zeros(3), [0, 1, 2]), r"z has shape \(3,\): a plane"),
        (lambda ax: plot_codes(ax, np.zeros((0, 2)), []), r"z has shape \(0, 2\): a plane"),
        (lambda ax: plot_codes(ax, Z, [0, 1]), r"labels have shape \(2,\): pass one digit"),
        (lambda ax: plot_codes(ax, Z, [0, 1, 10]), "labels have shape .* from 0 to 9"),
        (lambda ax: plot_codes(ax, Z, [0, 1, -1]), "labels have shape .* from 0 to 9"),
        (lambda ax: plot_codes(ax, Z, [0.0, 1.0, 2.0]), "labels have shape .* from 0 to 9"),
        (lambda ax: plot_mosaic(ax, np.zeros((2, 3, 15))), r"images have shape \(2, 3, 15\): pass"),
        (lambda ax: plot_mosaic(ax, np.zeros((4, 4))), r"images have shape \(4, 4\): pass"),
        (lambda ax: plot_mosaic(ax, np.zeros((0, 3, 16))), r"images have shape \(0, 3, 4, 4\): pass"),
        (
            lambda ax: plot_hole_map(ax, [0.0, 1.0], np.zeros((3, 3))),
            r"log_ratio has shape \(3, 3\) for \(2,\)",
        ),
        (lambda ax: plot_hole_map(ax, [0.0], np.zeros((1, 1))), r"log_ratio has shape \(1, 1\) for \(1,\)"),
        (lambda ax: plot_hole_map(ax, np.eye(2), np.eye(2)), r"log_ratio has shape \(2, 2\) for \(2, 2\)"),
        (lambda ax: plot_unit_square(ax, Z), r"u should lie in \[0, 1\]: pass what to_unit_square"),
        (lambda ax: plot_unit_square(ax, np.full((2, 2), np.nan)), "u should lie in"),
        (lambda ax: plot_unit_square(ax, np.zeros((2, 3))), r"u has shape \(2, 3\): a plane"),
    ],
)
def test_what_does_not_fit_is_refused(ax, call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call(ax)
