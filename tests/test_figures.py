"""The landing page's figure shows what its caption says, and its map leads to pages that exist."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from book_pages import read_toc

from tools import make_figures


@pytest.fixture(scope="module")
def run():
    return make_figures.learn_digits()


def test_the_start_is_sixteen_almost_equal_blurs(run):
    probs = run.steps[0].model.probs
    assert len(probs) == 16
    assert np.abs(probs - probs.mean(axis=0)).max() < 0.01


def test_an_image_gains_forty_nine_nats_and_most_of_them_early(run):
    assert [step.iteration for step in run.steps] == list(make_figures.SHOWN)
    assert run.per_image[0] == pytest.approx(-206.0, abs=0.2)
    assert run.per_image[-1] == pytest.approx(-156.7, abs=0.2)
    assert (np.diff(run.per_image) > 0).all()
    gained_by_the_fifth = run.per_image[4] - run.per_image[0]
    assert gained_by_the_fifth > 0.9 * (run.per_image[-1] - run.per_image[0])


def test_every_digit_has_a_prototype_though_no_label_was_used(run):
    assert set(run.classes) == set(range(10))
    assert run.class_counts.sum() == run.n == 60_000


def test_fours_and_nines_share_prototypes(run):
    shared = run.class_counts[run.classes == 4].sum(axis=0)
    assert shared[9] > 0.5 * shared[4]


def test_the_drawing_holds_every_prototype_of_every_shown_iteration(run):
    figure = make_figures.draw_emergence(run)
    (image,) = figure.axes[0].images
    rows, columns = len(run.steps), len(run.classes)
    tiles = np.asarray(image.get_array()).reshape(rows, 24, columns, 24).transpose(0, 2, 1, 3)
    order = np.lexsort((-run.class_counts.max(axis=1), run.classes))
    expected = [step.model.probs.reshape(-1, 28, 28)[order, 2:-2, 2:-2] for step in run.steps]
    assert np.array_equal(tiles, expected)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts[-columns:] == [str(k) for k in sorted(run.classes)]
    plt.close(figure)


def test_the_map_links_all_chapters_and_further_pages_that_exist_and_no_other():
    linked = re.findall(r'href="([^"]+)[.]html"', (make_figures.STATIC / "course-map.svg").read_text())
    pages = [name.removeprefix("book/") for name in read_toc(make_figures.STATIC.parent.parent)]
    assert linked == [name for name in pages if name[0].isdigit() or name.startswith("further/")]
