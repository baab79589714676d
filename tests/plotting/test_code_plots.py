"""Circles hold the mass they are said to, and a code, its encoder and its density are where they are."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from scipy.stats import chi2

from emvae.plotting import plot_misplaced_code, plot_prior_circles
from emvae.plotting.style import COLOURS


@pytest.fixture
def ax():
    return plt.figure().add_subplot()


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


AXIS = np.array([-1.0, 0.0, 1.0])
PLACE = {"mean": [0.2, -0.3], "deviation": [0.1, 0.05], "best": [-0.5, 0.75]}


def test_a_code_its_encoder_and_its_density_are_drawn_where_they_are(ax):
    values = np.arange(9.0).reshape(3, 3) * 100
    image = plot_misplaced_code(ax, AXIS, values, **PLACE)
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


def test_the_ellipse_and_the_depth_may_be_chosen(ax):
    image = plot_misplaced_code(ax, AXIS, np.zeros((3, 3)), **PLACE, n_std=2.0, depth=7.0)
    assert image.get_clim()[0] == -7
    away = (ax.lines[1].get_xydata() - [0.2, -0.3]) / [0.1, 0.05]
    np.testing.assert_allclose(np.linalg.norm(away, axis=1), 2, rtol=1e-12)


@pytest.mark.parametrize("shape", [(9,), (3, 4), (3, 3, 1)])
def test_a_density_of_another_shape_is_refused(ax, shape):
    with pytest.raises(ValueError, match=r"^log_joint has shape .* for \(3,\) coordinates: pass \(n, n\)"):
        plot_misplaced_code(ax, AXIS, np.zeros(shape), **PLACE)
