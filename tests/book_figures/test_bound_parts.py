"""What the figures of bounds show is what they were given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from emvae.elbo import ELBO
from emvae.plotting.style import COLOURS
from figures import plot_atoms, plot_density, plot_variance_pairs


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


THREE = ELBO(np.array([-9.0, -8.0, -7.0]), np.array([-2.0, -3.0, -4.0]), np.array([-1.5, 0.5, -0.5]))


def test_atoms_are_bars_and_their_sums_are_marks():
    _, axes = plt.subplots(1, 2)
    plot_atoms(axes, THREE, [-12.0, -10.0, -11.0])
    left, right = axes
    widths = [[bar.get_width() for bar in bars] for ax in axes for bars in ax.containers]
    assert widths == [[-9, -8, -7], [-2, -3, -4], [-1.5, 0.5, -0.5]]
    middles = [[bar.get_y() + bar.get_height() / 2 for bar in bars] for bars in right.containers]
    np.testing.assert_allclose(middles, [[-0.2, 0.8, 1.8], [0.2, 1.2, 2.2]])
    marks = [line.get_xydata().tolist() for ax in axes for line in ax.lines]
    assert marks == [
        [[-12.5, 0], [-10.5, 1], [-11.5, 2]],  # the bound
        [[-12, 0], [-10, 1], [-11, 2]],  # what it bounds
        [[3.5, 0], [2.5, 1], [4.5, 2]],  # the divergence
    ]
    named = [text.get_text() for ax in axes for text in ax.get_legend().get_texts()]
    assert [name.strip("$").split("[")[0] for name in named] == [
        "ELBO", r"\ln p(x)", r"\mathbb{E}_q", r"\mathrm{KL}(q \parallel p)", r"\mathbb{E}_q", r"\mathbb{H}",
    ]  # fmt: skip
    assert left.yaxis_inverted()
    assert right.yaxis_inverted()
    assert [ax.get_xlabel() for ax in axes] == ["nats", "nats"]
    np.testing.assert_array_equal(left.get_yticks(), [0, 1, 2])


def test_variance_pairs_tell_who_wins(ax):
    first, second = np.array([1.0, 2.0, 4.0, 8.0]), np.array([2.0, 1.0, 1.0, 8.0])
    assert plot_variance_pairs(ax, first, second, ("form 1", "form 3")) == 0.5
    (points,) = ax.collections
    np.testing.assert_array_equal(points.get_offsets(), np.column_stack([first, second]))
    below, above = (to_rgba(COLOURS[i], 0.6) for i in (1, 0))
    np.testing.assert_allclose(points.get_facecolors(), [above, below, below, above])
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("form 1", "form 3")
    assert [text.get_text() for text in ax.texts] == ["below: 50 %"]
    assert ax.get_xlim() == ax.get_ylim() == (1 / 1.5, 12.0)
    (diagonal,) = ax.lines
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    np.testing.assert_array_equal(diagonal.get_xdata(), ax.get_xlim())


def test_the_contours_of_a_density_are_where_they_should_be(ax):
    """For a Gaussian of standard deviation s the level c lies at radius s sqrt(-2 ln c)."""
    centre, s = np.array([0.5, -0.3]), 0.7
    seen = []

    def log_density(z):
        seen.append(z.shape)
        return 3.0 - ((z - centre) ** 2).sum(axis=1) / (2 * s**2)

    plot_density(ax, log_density, limits=(-4, 4), colors="red")
    assert seen == [(121**2, 2)]
    (contours,) = ax.collections
    paths = contours.get_paths()
    np.testing.assert_allclose(contours.levels, [0.01, 0.1, 0.5])
    for path, level in zip(paths, contours.levels, strict=True):
        radius = np.linalg.norm(path.vertices - centre, axis=1)
        np.testing.assert_allclose(radius, s * np.sqrt(-2 * np.log(level)), rtol=0.01)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$z_1$", "$z_2$")
    assert ax.get_aspect() == 1
