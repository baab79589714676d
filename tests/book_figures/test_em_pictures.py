"""The pictures of EM in chapter 2 show the numbers that they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch
from scipy.stats import norm

from emvae.plotting.style import COLOURS
from figures.bells import plot_bells
from figures.em_cycle import plot_em_cycle
from figures.jensen import plot_jensen
from figures.touching_bounds import plot_touching_bounds


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


LINE = np.array([-2.0, -1.0, 1.0, 2.0, 3.0])
BELLS = {"weights": [0.3, 0.7], "means": [-1.5, 0.5], "variances": [0.8, 2.5]}


def test_bells_are_the_weighted_densities_and_their_sum(ax):
    plot_bells(ax, LINE, **BELLS)
    first, second, total = ax.lines[:3]
    at = first.get_xdata()
    np.testing.assert_allclose(first.get_ydata(), 0.3 * norm(-1.5, np.sqrt(0.8)).pdf(at), rtol=1e-12)
    np.testing.assert_allclose(second.get_ydata(), 0.7 * norm(0.5, np.sqrt(2.5)).pdf(at), rtol=1e-12)
    np.testing.assert_allclose(total.get_ydata(), first.get_ydata() + second.get_ydata(), rtol=1e-12)
    assert [to_hex(line.get_color()).upper() for line in (first, second)] == list(COLOURS[:2])


def test_data_stand_at_their_places_with_their_responsibilities(ax):
    resp = plot_bells(ax, LINE, **BELLS)
    joint = np.stack([0.3 * norm(-1.5, np.sqrt(0.8)).pdf(LINE), 0.7 * norm(0.5, np.sqrt(2.5)).pdf(LINE)], 1)
    np.testing.assert_allclose(resp, joint / joint.sum(axis=1, keepdims=True), rtol=1e-12)
    points = ax.collections[-1]
    np.testing.assert_array_equal(points.get_offsets()[:, 0], LINE)
    name, *numbers = ax.texts
    assert name.get_text() == "$r_{n2}$:"
    assert [text.get_position()[0] for text in numbers] == LINE.tolist()
    assert [text.get_text() for text in numbers] == [f"{share:.2f}" for share in resp[:, 1]]


def test_three_bells_carry_no_numbers(ax):
    three = {"weights": [0.2, 0.3, 0.5], "means": [-1, 0, 1], "variances": [1, 1, 1]}
    assert plot_bells(ax, LINE, **three).shape == (5, 3)
    assert not ax.texts


def test_the_cycle_runs_over_the_top_and_back_below(ax):
    plot_em_cycle(ax, parameters="theta", responsibilities="r", e_step="E", m_step="M")
    places = {text.get_text(): text.get_position() for text in ax.texts}
    assert places["theta"][0] < places["r"][0]
    assert places["M"][1] < places["theta"][1] < places["E"][1]
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    (start, bend, end), (back_start, back_bend, back_end) = (a.get_path().vertices[:3] for a in arrows)
    assert start[0] < bend[0] < end[0]
    assert back_end[0] < back_bend[0] < back_start[0]
    assert back_bend[1] < 0.5 < bend[1]
    assert [to_hex(arrow.get_edgecolor()).upper() for arrow in arrows] == list(COLOURS[:2])
    assert [text.get_color() for text in ax.texts[2:]] == list(COLOURS[:2])


def test_the_chord_lies_below_the_logarithm_by_the_divergence(ax):
    """With p(x, k) = p(x) (1/4, 3/4) and q = (1/2, 1/2), it is ln 2 - (ln 3) / 2."""
    gap = plot_jensen(ax, [0.05, 0.15], [0.5, 0.5])
    assert gap == pytest.approx(np.log(2) - np.log(3) / 2, rel=1e-12)
    curve, chord, slack, top, bound = ax.lines[:5]
    np.testing.assert_allclose(np.exp(curve.get_ydata()), curve.get_xdata(), rtol=1e-12)
    np.testing.assert_allclose(chord.get_xdata(), [0.1, 0.3], rtol=1e-12)
    np.testing.assert_allclose(np.exp(chord.get_ydata()), [0.1, 0.3], rtol=1e-12)
    assert top.get_xydata()[0] == pytest.approx([0.2, np.log(0.2)], rel=1e-12)
    assert bound.get_xydata()[0] == pytest.approx([0.2, np.mean(np.log([0.1, 0.3]))], rel=1e-12)
    assert np.ptp(slack.get_ydata()) == pytest.approx(gap, rel=1e-12)


def test_at_the_posterior_the_chord_is_a_point(ax):
    assert plot_jensen(ax, [0.05, 0.15], [0.25, 0.75]) == pytest.approx(0, abs=1e-15)
    np.testing.assert_allclose(ax.lines[1].get_xdata(), [0.2, 0.2], rtol=1e-12)


def test_bounds_touch_where_the_walk_was_and_end_where_it_goes(ax):
    """The hill -x^4 and tangent parabolas under it, which touch at 1 and at 1/2."""
    grid = np.linspace(-2, 2, 401)
    walk = [1.0, 0.5, 0.25]
    bounds = [-(grid**2) * 6 + 4 * grid, -(grid**2) + 1 / 4 - 1 / 16]
    heights = plot_touching_bounds(ax, grid, -(grid**4), bounds, walk)
    np.testing.assert_allclose(heights, [-1, -1 / 16, -1 / 256], atol=1e-4)
    labelled = [line for line in ax.lines if not line.get_label().startswith("_")]
    np.testing.assert_array_equal(labelled[0].get_ydata(), -(grid**4))
    for line, values in zip(labelled[1:], bounds, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), values)
    marks = [line.get_xydata()[0] for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(marks, [[1, -1], [0.5, -1 / 16]], atol=1e-4)
    tops = [line.get_xydata()[0] for line in ax.lines if line.get_marker() == "^"]
    np.testing.assert_allclose(tops, [[0.5, 0.5], [0.25, 0.125]], atol=1e-3)
