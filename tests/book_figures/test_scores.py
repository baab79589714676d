"""The best K is ringed; a confusion shows the shares of its rows."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from figures import plot_confusion, plot_model_selection


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def named(ax):
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


@pytest.mark.parametrize(("best", "winners"), [("min", {"BIC": 2, "AIC": 5}), ("max", {"BIC": 5, "AIC": 1})])
def test_the_best_k_is_ringed(ax, best, winners):
    scores = {"BIC": [3.0, 1.0, 4.0], "AIC": [9.0, 5.0, 2.0]}
    plot_model_selection(ax, [1, 2, 5], scores, best=best)
    for name, line in named(ax).items():
        assert np.array_equal(line.get_xydata(), np.column_stack([[1, 2, 5], scores[name]]))
    rings = [line.get_xydata()[0] for line in ax.lines if line.get_label().startswith("_")]
    pick = min if best == "min" else max
    assert [tuple(ring) for ring in rings] == [(winners[n], pick(scores[n])) for n in scores]


COUNTS = np.array([[6, 2, 0], [6, 994, 0], [9951, 0, 49]])


def test_a_confusion_shows_the_shares_of_each_row(ax):
    plot_confusion(ax, COUNTS, "abc")
    (image,) = ax.images
    np.testing.assert_allclose(image.get_array(), [[0.75, 0.25, 0], [0.006, 0.994, 0], [0.9951, 0, 0.0049]])
    assert image.get_clim() == (0, 1)


def test_a_confusion_prints_per_cent_from_a_half_on_legible_on_their_ink(ax):
    plot_confusion(ax, COUNTS, "abc")
    printed = {text.get_position(): (text.get_text(), text.get_color()) for text in ax.texts}
    white = {(0, 0): ("75", "white"), (1, 1): ("99", "white"), (0, 2): ("100", "white")}
    assert printed == {**white, (1, 0): ("25", "black"), (0, 1): ("1", "black")}


def test_rows_have_the_given_names_and_columns_are_numbered(ax):
    plot_confusion(ax, COUNTS, "abc")
    for labels, ticks, shown in (
        (ax.get_yticklabels(), ax.get_yticks(), "abc"),
        (ax.get_xticklabels(), ax.get_xticks(), "012"),
    ):
        assert "".join(label.get_text() for label in labels) == shown
        np.testing.assert_array_equal(ticks, [0, 1, 2])
