"""Images stand at their points in their colours, none outside and none upon another."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.offsetbox import AnnotationBbox

from figures.digit_plane import plot_images_in_plane

EXTENT = (0.0, 10.0, -1.0, 1.0)
RNG = np.random.default_rng(0)
POINTS = np.column_stack([RNG.uniform(-1, 11, 300), RNG.uniform(-1.2, 1.2, 300)])
IMAGES, COLOURS = RNG.random((300, 3, 4)), RNG.random((300, 3))


@pytest.fixture
def drawn():
    figure, ax = plt.subplots()
    indices = plot_images_in_plane(ax, POINTS, IMAGES, COLOURS, extent=EXTENT, spacing=0.1, zoom=0.5)
    yield ax, indices
    plt.close(figure)


def test_each_image_stands_at_its_point_in_its_colour(drawn):
    ax, indices = drawn
    boxes = [artist for artist in ax.artists if isinstance(artist, AnnotationBbox)]
    assert len(boxes) == len(indices) > 20
    for box, n in zip(boxes, indices, strict=True):
        assert box.xy == tuple(POINTS[n])
        picture = np.asarray(box.offsetbox.get_data())
        np.testing.assert_array_equal(picture[..., 3], IMAGES[n])
        np.testing.assert_array_equal(picture[..., :3], np.broadcast_to(COLOURS[n], (3, 4, 3)))


def test_no_image_is_outside_or_too_near_to_an_earlier_one(drawn):
    ax, indices = drawn
    relative = (POINTS[indices] - [0, -1]) / [10, 2]
    assert relative.min() > 0
    assert relative.max() < 1
    distances = np.abs(relative[:, None] - relative).max(axis=2)
    assert distances[~np.eye(len(indices), dtype=bool)].min() >= 0.1
    assert ax.get_xlim() == (0.0, 10.0)
    assert ax.get_ylim() == (-1.0, 1.0)


def test_an_image_is_left_out_only_for_a_reason(drawn):
    _, indices = drawn
    relative = (POINTS - [0, -1]) / [10, 2]
    for n in set(range(len(POINTS))) - set(indices.tolist()):
        earlier = relative[indices[indices < n]]
        near = len(earlier) and np.abs(earlier - relative[n]).max(axis=1).min() < 0.1
        at_the_rim = relative[n].min() <= 0.02 or relative[n].max() >= 0.98
        assert near or at_the_rim
