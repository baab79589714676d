"""Heights and shares on a line are drawn as they are, and their values are written beside them."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from figures.line_shares import plot_line_shares

LINE = np.array([0.0, 1.0, 2.0, 3.0])
HEIGHTS = np.array([[4.0, 1.0], [3.0, 1.0], [2.0, 2.0], [1.0, 4.0]])
SHARES = np.array([[0.8, 0.2], [0.75, 0.25], [0.5, 0.5], [0.2, 0.8]])


@pytest.fixture
def drawn():
    figure, axes = plt.subplots(2, 1)
    shares = plot_line_shares(axes, LINE, HEIGHTS, at=1.2, names=("one", "two"))
    yield axes, shares
    plt.close(figure)


def texts(ax):
    return {text.get_text(): text for text in ax.texts}


def test_the_shares_are_heights_over_their_sum(drawn):
    np.testing.assert_allclose(drawn[1], SHARES, rtol=1e-15)


def test_the_curves_are_the_heights(drawn):
    (upper, _), _ = drawn
    curves = [line.get_ydata() for line in upper.lines if len(line.get_xdata()) == 4]
    np.testing.assert_array_equal(np.transpose(curves), HEIGHTS)


def test_the_bands_lie_upon_each_other_and_reach_one(drawn):
    (_, lower), _ = drawn
    bands = [drawn for drawn in lower.collections if isinstance(drawn, PolyCollection)]
    for k, band in enumerate(bands):
        vertices = band.get_paths()[0].vertices
        at_3 = vertices[vertices[:, 0] == 3.0][:, 1]
        assert (at_3.min(), at_3.max()) == pytest.approx([(0.0, 0.2), (0.2, 1.0)][k])
    assert len(bands) == 2


def test_the_point_has_dots_at_its_heights_and_both_kinds_of_values(drawn):
    (upper, lower), _ = drawn
    dots = [line.get_xydata()[0].tolist() for line in upper.lines if line.get_marker() == "o"]
    assert dots == [[1.0, 3.0], [1.0, 1.0]]  # the nearest point of the line to 1.2
    above, below = texts(upper), texts(lower)
    assert above["3.000"].xy == (1.0, 3.0)
    assert above["1.000"].xy == (1.0, 1.0)
    assert below["0.750"].xy == pytest.approx((1.0, 0.375))
    assert below["0.250"].xy == pytest.approx((1.0, 0.875))


def test_each_source_is_named_at_its_peak(drawn):
    above = texts(drawn[0][0])
    assert above["one"].get_position()[0] == 0.0
    assert above["two"].get_position()[0] == 3.0
