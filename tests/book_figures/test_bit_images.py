"""A step by hand shows its numbers, a coin its one maximum, rows of images their names."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from emvae.plotting import component_colours
from figures import plot_coins, plot_hand_step, plot_image_rows

IMAGES = np.array([[1, 0, 0], [0, 1, 1]])
PROBS = np.array([[0.75, 0.5, 0.25], [0.0, 1.0, 0.375]])
RESP = np.array([[0.9, 0.1], [0.25, 0.75]])


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def boxes(ax, colour):
    return [p for p in ax.patches if p.get_fill() and np.allclose(p.get_facecolor()[:3], to_rgb(colour))]


def test_a_hand_step_prints_every_probability_and_the_first_responsibility(ax):
    plot_hand_step(ax, IMAGES, PROBS, RESP)
    assert [text.get_text() for text in ax.texts] == [
        "0.75", "0.5", "0.25", "0", "1", "0.375", "0.90", "0.25",
    ]  # fmt: skip
    assert [text.get_color() for text in ax.texts[:6]] == [
        "white", "black", "black", "black", "white", "black",
    ]  # fmt: skip


def test_a_hand_step_draws_responsibilities_as_lengths(ax):
    plot_hand_step(ax, IMAGES, PROBS, RESP)
    for k, colour in enumerate(component_colours(2)):
        bars = boxes(ax, colour)
        np.testing.assert_allclose([bar.get_width() for bar in bars], 3 * RESP[:, k])
        starts = [bar.get_x() for bar in bars]
        np.testing.assert_allclose(starts, 3.4 + (0 if k == 0 else 3 * RESP[:, 0]))


def test_ink_is_black_and_a_probability_its_grey(ax):
    plot_hand_step(ax, IMAGES, PROBS, RESP)
    strips = [p for p in ax.patches if p.get_fill() and p.get_linewidth() > 0]
    greys = [p.get_facecolor()[0] for p in strips]
    np.testing.assert_allclose(greys, 1 - np.concatenate([PROBS.ravel(), IMAGES.ravel()]))


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_a_coin_has_its_maximum_at_the_share_of_heads(ax, share):
    plot_coins(ax, [share])
    curve, dot = ax.lines
    theta, value = curve.get_xdata(), curve.get_ydata()
    assert theta[np.argmax(value)] == pytest.approx(share, abs=2e-3)
    inside = (theta > 0) & (theta < 1)
    expected = share * np.log(theta[inside]) + (1 - share) * np.log(1 - theta[inside])
    np.testing.assert_allclose(value[inside], expected)
    (x,), (y,) = dot.get_data()
    assert x == share
    assert y == pytest.approx(value.max())


def test_rows_of_images_have_names():
    figure, axes = plt.subplots(2)
    plot_image_rows(axes, {"digits": np.zeros((3, 4)), "samples": np.ones((3, 4))})
    assert [ax.get_ylabel() for ax in axes] == ["digits", "samples"]
    for ax, value in zip(axes, (0, 1), strict=True):
        assert len(ax.images) == 3
        assert all((image.get_array() == value).all() for image in ax.images)
    plt.close(figure)


def test_rows_and_axes_go_together():
    figure, axes = plt.subplots(2)
    with pytest.raises(ValueError, match="zip"):
        plot_image_rows(axes, {"digits": np.zeros((3, 4))})
    plt.close(figure)
