"""Colours that eyes tell apart, in colour and in grey, and a sheet that is really applied."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from emvae.plotting import component_colours, mix_colours, use_style

# Wong (2011), Nature Methods 8, 441: blue, vermillion, bluish green.
PUBLISHED = ["#0072b2", "#d55e00", "#009e73"]
# Machado, Oliveira and Fernandes (2009): what eyes without one kind of cones make of linear RGB.
EYES = {
    "all cones": np.eye(3),
    "no red": [[0.1522, 1.0525, -0.2048], [0.1145, 0.7862, 0.0992], [-0.0038, -0.0481, 1.0519]],
    "no green": [[0.3673, 0.8606, -0.2279], [0.2800, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9688]],
    "no blue": [[1.2555, -0.0767, -0.1787], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6913, 0.3039]],
}  # fmt: skip


def linear(colours):
    """Undo sRGB's curve."""
    return np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)


def lab(colours):
    """Return CIELAB coordinates of linear RGB, in which a step of about 2 is just seen."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(colours.clip(0.0, 1.0) @ np.transpose(to_xyz) / [0.9505, 1, 1.089]).T
    return np.stack([116 * y, 500 * (x - y), 200 * (y - z)], axis=1)


def test_the_first_colours_are_the_published_ones():
    for n in (1, 2, 3):
        assert [to_hex(colour) for colour in component_colours(n)] == PUBLISHED[:n]
    assert [to_hex(colour) for colour in component_colours(10)[:3]] == PUBLISHED


@pytest.mark.parametrize("n", [1, 10, 11, 500])
def test_every_colour_stands_out_from_white_paper(n):
    luminance = linear(component_colours(n)) @ [0.2126, 0.7152, 0.0722]
    assert (1.05 / (luminance + 0.05)).min() >= 3


@pytest.mark.parametrize("eye", EYES)
def test_ten_colours_are_told_apart_by_every_eye(eye):
    seen = lab(linear(component_colours(10)) @ np.transpose(EYES[eye]))
    distance = np.linalg.norm(seen[:, None] - seen, axis=2) + 99 * np.eye(10)
    assert distance.min() > 16.9


@pytest.mark.parametrize("n", [11, 20, 500])
def test_many_components_run_through_viridis(n):
    colours = component_colours(n)
    assert colours.shape == (n, 3)
    assert to_hex(colours[0]) == "#440154"
    grey = colours @ [0.299, 0.587, 0.114]
    assert (np.diff(grey) >= 0).all()
    assert len(np.unique(grey)) == min(n, 154)
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
        assert [to_hex(c if c.startswith("#") else f"#{c}") for c in cycle] == [
            to_hex(colour) for colour in component_colours(10)
        ]
        assert plt.rcParams["image.interpolation"] == "nearest"
        assert plt.rcParams["figure.constrained_layout.use"]
        assert not plt.rcParams["axes.spines.top"]
        assert plt.rcParams["image.cmap"] == "cividis"
