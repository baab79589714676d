"""Data and codes of the plane lie where they are, in the colours of their components and digits."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from emvae.plotting import component_colours, plot_codes, plot_data

Z = np.array([[0.0, 1.0], [2.0, -3.0], [4.0, 5.0]])


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_data_have_the_mixture_of_the_colours_of_their_components(ax):
    x = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    resp = np.array([[1.0, 0.0], [0.0, 1.0], [0.25, 0.75]])
    drawn = plot_data(ax, x, resp, size=7)
    assert np.array_equal(drawn.get_offsets(), x)
    assert np.allclose(drawn.get_facecolor()[:, :3], resp @ component_colours(2), rtol=0, atol=1e-12)
    assert np.array_equal(drawn.get_sizes(), [7])


def test_data_without_responsibilities_are_of_one_grey(ax):
    colours = plot_data(ax, np.zeros((3, 2))).get_facecolor()[:, :3]
    assert len(np.unique(colours, axis=0)) == 1
    assert len(set(colours[0])) == 1


def test_codes_have_the_colours_of_their_digits(ax):
    drawn = plot_codes(ax, Z, [3, 0, 9])
    assert np.array_equal(drawn.get_offsets(), Z)
    assert np.allclose(drawn.get_facecolor()[:, :3], component_colours(10)[[3, 0, 9]], rtol=0, atol=1e-12)
    assert ax.get_aspect() == 1.0


def test_the_legend_names_each_digit_in_its_colour(ax):
    plot_codes(ax, Z, [3, 0, 9])
    entries = ax.get_legend().legend_handles
    assert [entry.get_label() for entry in entries] == list("0123456789")
    assert [to_rgb(entry.get_color()) for entry in entries] == [tuple(c) for c in component_colours(10)]


def test_the_legend_may_be_left_out(ax):
    plot_codes(ax, Z, [3, 0, 9], legend=False)
    assert ax.get_legend() is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ax: plot_data(ax, np.zeros((4, 3))), r"x has shape \(4, 3\): a plane shows"),
        (lambda ax: plot_codes(ax, np.zeros((3, 3)), [0, 1, 2]), r"z has shape \(3, 3\): a plane shows"),
        (lambda ax: plot_codes(ax, np.zeros(3), [0, 1, 2]), r"z has shape \(3,\): a plane"),
        (lambda ax: plot_codes(ax, np.zeros((0, 2)), []), r"z has shape \(0, 2\): a plane"),
        (lambda ax: plot_codes(ax, Z, [0, 1]), r"labels have shape \(2,\): pass one digit"),
        (lambda ax: plot_codes(ax, Z, [0, 1, 10]), "labels have shape .* from 0 to 9"),
        (lambda ax: plot_codes(ax, Z, [0, 1, -1]), "labels have shape .* from 0 to 9"),
        (lambda ax: plot_codes(ax, Z, [0.0, 1.0, 2.0]), "labels have shape .* from 0 to 9"),
    ],
)
def test_what_does_not_fit_is_refused(ax, call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call(ax)
