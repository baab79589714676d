"""Colours that eyes tell apart, in colour and in grey, and a sheet that is really applied."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from emvae.plotting import component_colours, mix_colours, use_style

# Wong (2011), Nature Methods 8, 441: blue, vermillion, bluish green, orange, sky blue, reddish purple.
PUBLISHED = ["#0072b2", "#d55e00", "#009e73", "#e69f00", "#56b4e9", "#cc79a7", "#000000", "#f0e442"]


def test_the_first_colours_are_the_published_ones():
    for n in (1, 3, 8):
        assert [to_hex(colour) for colour in component_colours(n)] == PUBLISHED[:n]


@pytest.mark.parametrize("n", [9, 10, 500])
def test_many_components_run_through_viridis(n):
    colours = component_colours(n)
    assert colours.shape == (n, 3)
    assert to_hex(colours[0]) == "#440154"
    assert to_hex(colours[-1]) == "#fde725"
    grey = colours @ [0.299, 0.587, 0.114]
    assert (np.diff(grey) >= 0).all()
    assert len(np.unique(grey)) == min(n, 256)
    assert 0 <= colours.min() < colours.max() <= 1


def test_colours_mix_by_responsibility():
    one, two = component_colours(2)
    resp = np.array([[1.0, 0.0], [0.0, 1.0], [0.25, 0.75]])
    expected = [one, two, 0.25 * one + 0.75 * two]
    np.testing.assert_allclose(mix_colours(resp), expected, rtol=1e-13)
    np.testing.assert_allclose(mix_colours(resp[None]), [expected], rtol=1e-13)
    assert mix_colours(np.zeros((4, 5, 3))).shape == (4, 5, 3)
    assert mix_colours(np.full((1, 3), 1 / 3 + 1e-15)).max() <= 1
    np.testing.assert_array_equal(mix_colours([[2.0, 2.0]]).clip(0, 1), mix_colours([[2.0, 2.0]]))


def test_the_sheet_gives_an_opaque_white_ground_and_the_published_cycle():
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.use("Agg")
        use_style()
        assert mpl.colors.to_rgba(plt.rcParams["figure.facecolor"]) == (1, 1, 1, 1)
        assert mpl.colors.to_rgba(plt.rcParams["savefig.facecolor"]) == (1, 1, 1, 1)
        cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
        assert [to_hex(c if c.startswith("#") else f"#{c}") for c in cycle] == PUBLISHED
        assert plt.rcParams["image.interpolation"] == "nearest"
        assert plt.rcParams["figure.constrained_layout.use"]
        assert not plt.rcParams["axes.spines.top"]
        assert plt.rcParams["image.cmap"] == "cividis"


def test_neighbouring_colours_differ_in_grey_or_in_hue():
    """No two of the first eight colours are close: at least 0.25 apart in RGB."""
    colours = component_colours(8)
    distance = np.linalg.norm(colours[:, None] - colours, axis=2) + 9 * np.eye(8)
    assert distance.min() > 0.25
