"""Data and Gaussians of the plane are drawn where and as they are."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from emvae.mixtures import GaussianMixture
from emvae.plotting import component_colours, plot_data, plot_ellipses

FULL = np.array([[[4.0, 1.0], [1.0, 2.0]], [[0.5, -0.2], [-0.2, 3.0]]])
SHAPES = {
    "full": FULL,
    "tied": FULL[:1],
    "diagonal": FULL[:, [0, 1], [0, 1]],
    "spherical": np.array([[2.0], [0.3]]),
}
AS_MATRICES = {
    "full": FULL,
    "tied": np.stack([FULL[0], FULL[0]]),
    "diagonal": FULL * np.eye(2),
    "spherical": np.array([2 * np.eye(2), 0.3 * np.eye(2)]),
}


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def model(kind="full", weights=(0.4, 0.6)):
    return GaussianMixture(weights, [[1.0, -2.0], [5.0, 3.0]], SHAPES[kind])


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("s", [1.0, 2.5])
def test_every_point_of_an_ellipse_is_s_standard_deviations_away(ax, kind, s):
    m = model(kind)
    for k, ellipse in enumerate(plot_ellipses(ax, m, n_std=[s])):
        circle = np.array([[np.cos(t), np.sin(t)] for t in np.linspace(0, 6, 17)])
        points = ellipse.get_patch_transform().transform(circle) - m.means[k]
        precision = np.linalg.inv(AS_MATRICES[kind][k])
        distance = np.einsum("pi,ij,pj->p", points, precision, points)
        assert np.allclose(distance, s**2, rtol=1e-10, atol=0)
        assert tuple(ellipse.get_edgecolor()[:3]) == tuple(component_colours(2)[k])


def test_means_are_marked_in_the_component_colours_and_only_on_request(ax):
    m = model()
    plot_ellipses(ax, m)
    assert np.array_equal([line.get_xydata()[0] for line in ax.lines], m.means)
    assert [to_rgb(line.get_color()) for line in ax.lines] == [tuple(c) for c in component_colours(2)]
    assert len(ax.patches) == 4
    plot_ellipses(ax, m, means=False)
    assert len(ax.lines) == 2


def test_a_component_of_weight_zero_is_not_drawn(ax):
    (ellipse,) = plot_ellipses(ax, model(weights=(0.0, 1.0)), n_std=[1.0])
    assert ellipse.get_center() == (5.0, 3.0)
    assert tuple(ellipse.get_edgecolor()[:3]) == tuple(component_colours(2)[1])


def test_the_view_holds_the_ellipses(ax):
    plot_ellipses(ax, model(), n_std=[3.0])
    (low_x, high_x), (low_y, high_y) = ax.get_xlim(), ax.get_ylim()
    assert low_x <= 1 - 3 * 2 <= 1 + 3 * 2 <= high_x
    assert low_y <= -2 - 3 * np.sqrt(2) <= 3 + 3 * np.sqrt(3) <= high_y


def test_data_have_the_mixture_of_the_colours_of_their_components(ax):
    x = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    resp = np.array([[1.0, 0.0], [0.0, 1.0], [0.25, 0.75]])
    drawn = plot_data(ax, x, resp, size=7)
    assert np.array_equal(drawn.get_offsets(), x)
    assert np.allclose(drawn.get_facecolor()[:, :3], resp @ component_colours(2), rtol=0, atol=1e-12)
    assert np.array_equal(drawn.get_sizes(), [7])


def test_data_without_responsibilities_are_of_one_grey(ax):
    colours = plot_data(ax, np.zeros((3, 2))).get_facecolor()[:, :3]
    assert len(np.unique(colours, axis=0)) == 1
    assert len(set(colours[0])) == 1


def test_what_is_not_of_the_plane_is_refused(ax):
    with pytest.raises(ValueError, match=r"x has shape \(4, 3\)"):
        plot_data(ax, np.zeros((4, 3)))
    line = GaussianMixture([1.0], [[0.0]], [[1.0]])
    with pytest.raises(ValueError, match="D = 1"):
        plot_ellipses(ax, line)
