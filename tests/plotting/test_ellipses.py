"""Gaussians of the plane are drawn where and as they are; circles hold the mass they are said to."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from scipy.stats import chi2

from emvae.mixtures import GaussianMixture
from emvae.plotting import component_colours, plot_ellipses, plot_prior_circles

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


def test_what_is_not_of_the_plane_is_refused(ax):
    line = GaussianMixture([1.0], [[0.0]], [[1.0]])
    with pytest.raises(ValueError, match="D = 1"):
        plot_ellipses(ax, line)


def test_circles_hold_their_share_of_the_prior(ax):
    shares = [0.1, 0.5, 0.99]
    radii = plot_prior_circles(ax, shares)
    np.testing.assert_allclose(chi2(2).cdf(radii**2), shares, rtol=1e-12)
    for line, radius in zip(ax.lines, radii, strict=True):
        np.testing.assert_allclose(np.hypot(*line.get_data()), radius, rtol=1e-12)
        np.testing.assert_allclose(line.get_xydata()[0], line.get_xydata()[-1], rtol=0, atol=1e-12)
        assert (line.get_color(), line.get_linestyle(), line.get_linewidth()) == ("black", "--", 0.8)


def test_half_and_nineteen_in_twenty_are_the_default_and_a_style_may_be_given(ax):
    radii = plot_prior_circles(ax, linestyle="-", color="red")
    np.testing.assert_allclose(1 - np.exp(-(radii**2) / 2), [0.5, 0.95], rtol=1e-12)
    styles = {(line.get_color(), line.get_linestyle(), line.get_linewidth()) for line in ax.lines}
    assert styles == {("red", "-", 0.8)}


@pytest.mark.parametrize("shares", [[0.0], [0.5, 1.0], [-0.1], [np.nan]])
def test_a_share_is_between_nothing_and_all(ax, shares):
    with pytest.raises(ValueError, match=r"^shares = .*: they should be above 0 and below 1"):
        plot_prior_circles(ax, shares)
