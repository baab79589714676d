"""What the figures of bounds show is what they were given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from emvae.elbo import ELBO
from emvae.plotting import plot_atoms, plot_bounds_against_samples, plot_density, plot_variance_pairs
from emvae.plotting.style import COLOURS


@pytest.fixture
def ax():
    return plt.figure().add_subplot()


THREE = ELBO(np.array([-9.0, -8.0, -7.0]), np.array([-2.0, -3.0, -4.0]), np.array([-1.5, 0.5, -0.5]))


def test_atoms_are_bars_and_their_sums_are_marks():
    axes = plt.figure().subplots(1, 2)
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
    first, second = [1.0, 2.0, 4.0, 8.0], [2.0, 1.0, 1.0, 8.0]
    share, points = plot_variance_pairs(ax, first, second, names=("form 1", "form 3"))
    assert share == 0.5
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


def test_bounds_and_their_limit(ax):
    plot_bounds_against_samples(ax, [1, 10, 100], {"a": [-3, -2, -1.5], "b": [-9, -8, -7]}, log_evidence=-1.0)
    a, b, limit = ax.lines
    np.testing.assert_array_equal(a.get_xydata(), [[1, -3], [10, -2], [100, -1.5]])
    np.testing.assert_array_equal(b.get_ydata(), [-9, -8, -7])
    assert set(limit.get_ydata()) == {-1.0}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b", r"$\ln p(x)$"]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("number of samples S", "nats")


def test_without_a_limit_none_is_drawn(ax):
    plot_bounds_against_samples(ax, [1, 10], {"a": [0, 0]})
    assert len(ax.lines) == 1


def test_the_contours_of_a_density_are_where_they_should_be(ax):
    """For a Gaussian of standard deviation s the level c lies at radius s sqrt(-2 ln c)."""
    centre, s = np.array([0.5, -0.3]), 0.7
    seen = []

    def log_density(z):
        seen.append(z.shape)
        return 3.0 - ((z - centre) ** 2).sum(axis=1) / (2 * s**2)

    plot_density(ax, log_density, limits=(-4, 4), n_points=201, colors="red")
    assert seen == [(201**2, 2)]
    (contours,) = ax.collections
    paths = contours.get_paths()
    np.testing.assert_allclose(contours.levels, [0.01, 0.1, 0.5])
    for path, level in zip(paths, contours.levels, strict=True):
        radius = np.linalg.norm(path.vertices - centre, axis=1)
        np.testing.assert_allclose(radius, s * np.sqrt(-2 * np.log(level)), rtol=0.01)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$z_1$", "$z_2$")
    assert ax.get_aspect() == 1


def test_121_points_are_the_default(ax):
    seen = []
    plot_density(ax, lambda z: (seen.append(len(z)), -(z**2).sum(axis=1))[1], limits=(-1, 1))
    assert seen == [121**2]


BAD = {
    "three panels": (
        lambda ax: plot_atoms([ax, ax, ax], THREE, np.zeros(3)),
        r"axes has 3 panels: pass two",
    ),
    "one evidence for three": (
        lambda ax: plot_atoms([ax, ax], THREE, np.zeros(1)),
        r"log_evidence \(1,\) and the atoms \(3,\) should be \(N,\) both",
    ),
    "atoms of draws": (
        lambda ax: plot_atoms([ax, ax], ELBO(*np.zeros((3, 2, 3))), np.zeros((2, 3))),
        r"log_evidence \(2, 3\) and the atoms \(2, 3\) should be",
    ),
    "lengths": (
        lambda ax: plot_variance_pairs(ax, [1.0, 2], [1.0], names=("a", "b")),
        r"first \(2,\) and second",
    ),
    "a table": (
        lambda ax: plot_variance_pairs(ax, np.ones((2, 2)), np.ones((2, 2)), names=("a", "b")),
        r"first \(2, 2\) and second \(2, 2\) should be",
    ),
    "no spread": (
        lambda ax: plot_variance_pairs(ax, [1.0, 0.0], [1.0, 1.0], names=("a", "b")),
        r"variances should be positive: drop",
    ),
    "no spread in the second": (
        lambda ax: plot_variance_pairs(ax, [1.0, 1.0], [0.0, 1.0], names=("a", "b")),
        r"variances should be positive: drop",
    ),
    "shape": (
        lambda ax: plot_density(ax, lambda z: z, limits=(0, 1)),
        r"log_density returns shape \(14641, 2\)",
    ),
    "nowhere finite": (
        lambda ax: plot_density(ax, lambda z: np.full(len(z), -np.inf), limits=(0, 1)),
        r"log_density returns shape \(14641,\): it should be finite",
    ),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD.keys())
def test_bad_arguments_are_refused(ax, call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call(ax)
