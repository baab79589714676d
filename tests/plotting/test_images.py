"""Images are drawn once each, in their place, with their own pixels, framed or edge to edge."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import Rectangle

from emvae.plotting import plot_images, plot_mosaic


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def grid(drawn):
    """Column and row of each image, from where it lies."""
    boxes = np.array([image.get_extent() for image in drawn])  # left, right, bottom, top
    left, top = boxes[:, 0], boxes[:, 3]
    return np.searchsorted(np.unique(left), left), np.searchsorted(np.unique(top), top)


def overlaps(a, b):
    """Whether two boxes (left, right, bottom, top), with y downwards, share any area."""
    return a[0] < b[1] and b[0] < a[1] and a[3] < b[2] and b[3] < a[2]


def test_each_image_is_drawn_once_with_its_own_pixels(ax):
    images = np.random.default_rng(0).random((5, 3, 4))
    drawn = plot_images(ax, images)
    assert list(ax.images) == drawn
    for image, artist in zip(images, drawn, strict=True):
        np.testing.assert_array_equal(artist.get_array(), image)


def test_flat_images_are_square_images_row_by_row(ax):
    flat = np.arange(18.0).reshape(2, 9) / 18
    drawn = plot_images(ax, flat)
    np.testing.assert_array_equal(drawn[1].get_array(), flat[1].reshape(3, 3))


@pytest.mark.parametrize(
    ("n", "n_columns", "columns"), [(1, None, 1), (4, None, 2), (5, None, 3), (9, None, 3), (10, None, 4),
                                    (10, 5, 5), (10, 7, 7), (3, 8, 3)]
)  # fmt: skip
def test_images_fill_the_grid_row_by_row(ax, n, n_columns, columns):
    drawn = plot_images(ax, np.zeros((n, 2, 2)), n_columns=n_columns)
    column, row = grid(drawn)
    np.testing.assert_array_equal(column, np.arange(n) % columns)
    np.testing.assert_array_equal(row, np.arange(n) // columns)


@pytest.mark.parametrize("labels", [None, list("abcdef")])
def test_images_keep_their_shape_do_not_overlap_and_lie_within_the_axes(ax, labels):
    boxes = [image.get_extent() for image in plot_images(ax, np.zeros((6, 4, 8)), labels=labels)]
    (x0, x1), (y1, y0) = ax.get_xlim(), ax.get_ylim()
    for i, (left, right, bottom, top) in enumerate(boxes):
        assert (bottom - top) / (right - left) == pytest.approx(0.5)
        assert x0 < left
        assert right < x1
        assert y0 < top
        assert bottom < y1
        assert not any(overlaps(boxes[i], other) for other in boxes[:i])
    assert ax.get_aspect() == 1


@pytest.mark.parametrize(("n", "n_columns"), [(1, 1), (3, 2), (7, 3), (6, 6)])
def test_the_axes_end_where_the_images_end(ax, n, n_columns):
    boxes = np.array(
        [image.get_extent() for image in plot_images(ax, np.zeros((n, 3, 3)), n_columns=n_columns)]
    )
    margin = -ax.get_xlim()[0]
    assert 0 < margin < 0.2
    assert ax.get_xlim()[1] - boxes[:, 1].max() == pytest.approx(margin)
    assert ax.get_ylim()[0] - boxes[:, 2].max() == pytest.approx(margin)


def test_rows_without_labels_are_as_close_as_columns(ax):
    first, right, below, _ = (i.get_extent() for i in plot_images(ax, np.zeros((4, 3, 3)), n_columns=2))
    assert below[3] - first[2] == pytest.approx(right[0] - first[1])


def test_each_image_has_a_frame_of_its_size(ax):
    drawn = plot_images(ax, np.zeros((3, 2, 2)))
    frames = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    for image, frame in zip(drawn, frames, strict=True):
        left, right, bottom, top = image.get_extent()
        assert (frame.get_x(), frame.get_y()) == (left, top)
        assert (frame.get_width(), frame.get_height()) == pytest.approx((right - left, bottom - top))


def test_each_label_stands_below_its_image_and_above_the_next(ax):
    drawn = plot_images(ax, np.zeros((4, 2, 2)), labels=["a", "b", "c", "d"], n_columns=2)
    assert [text.get_text() for text in ax.texts] == ["a", "b", "c", "d"]
    for text, image in zip(ax.texts, drawn, strict=True):
        left, right, bottom, _ = image.get_extent()
        x, y = text.get_position()
        assert x == pytest.approx((left + right) / 2)
        assert y > bottom
    assert ax.texts[0].get_position()[1] < drawn[2].get_extent()[3]


def test_without_labels_there_is_no_text(ax):
    plot_images(ax, np.zeros((2, 2, 2)))
    assert not ax.texts


def test_zero_is_paper_one_is_ink_and_unknown_is_no_grey(ax):
    (image,) = plot_images(ax, np.array([[[0.0, 1.0], [0.5, np.nan]]]))
    rgb = image.to_rgba(image.get_array())[..., :3]
    assert rgb[0, 0].min() > 0.95
    assert rgb[0, 1].max() < 0.05
    assert np.ptp(rgb[1, 0]) < 0.05
    assert np.ptp(rgb[1, 1]) > 0.2


def test_limits_and_colour_map_are_the_callers(ax):
    (image,) = plot_images(ax, np.zeros((1, 2, 2)), limits=(-2, 3), cmap="RdBu")
    assert image.get_clim() == (-2, 3)
    assert image.get_cmap().name == "RdBu"


def test_ticks_and_spines_are_gone_and_a_title_is_kept(ax):
    ax.set_title("kept")
    plot_images(ax, np.zeros((1, 2, 2)))
    assert ax.get_title() == "kept"
    assert len(ax.get_xticks()) == len(ax.get_yticks()) == 0
    assert not any(spine.get_visible() for spine in ax.spines.values())


@pytest.mark.parametrize("images", [np.zeros(4), np.zeros((2, 5)), np.zeros((0, 4)), np.zeros((1, 2, 2, 2))])
def test_images_of_another_shape_are_refused(ax, images):
    with pytest.raises(ValueError, match="images have shape"):
        plot_images(ax, images)


def test_labels_for_other_images_are_refused(ax):
    with pytest.raises(ValueError, match="labels has 1 texts for 2 images"):
        plot_images(ax, np.zeros((2, 2, 2)), labels=["a"])


def test_no_columns_are_refused(ax):
    with pytest.raises(ValueError, match="n_columns = 0"):
        plot_images(ax, np.zeros((2, 2, 2)), n_columns=0)


# --- edge to edge


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


@pytest.mark.parametrize("shape", [(2, 3, 15), (4, 4), (0, 3, 16)])
def test_a_mosaic_of_another_shape_is_refused(ax, shape):
    with pytest.raises(ValueError, match=r"^images have shape .*: pass"):
        plot_mosaic(ax, np.zeros(shape))
