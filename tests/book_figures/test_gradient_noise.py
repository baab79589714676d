"""Bells, graphs, clouds and laws are drawn where and as they are."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from emvae.plotting import component_colours
from figures import plot_bell, plot_computation_graph, plot_gradient_clouds, plot_scaling

GREY = to_rgb("#777777")
VERMILLION = tuple(component_colours(2)[1])


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


# --- the bell


def test_both_bells_are_the_densities_of_their_gaussians(ax):
    outline = plot_bell(ax, np.array([0.5]), mean=2.0, deviation=0.5)
    z, curve = outline.get_data()
    np.testing.assert_allclose(curve - 1, np.exp(-((z - 2) ** 2) / 0.5) / np.sqrt(0.5 * np.pi), rtol=1e-12)
    assert (z[0], z[-1]) == (0.0, 4.0)
    eps, base = ax.lines[0].get_data()
    np.testing.assert_allclose(base, np.exp(-(eps**2) / 2) / np.sqrt(2 * np.pi), rtol=1e-12)
    assert (eps[0], eps[-1]) == (-4.0, 4.0)


def test_each_draw_is_led_from_the_lower_foot_to_its_z(ax):
    eps = np.array([-1.0, 0.0, 2.0])
    plot_bell(ax, eps, mean=3.0, deviation=0.5)
    paths = [line.get_xydata() for line in ax.lines if len(line.get_xdata()) == 2]
    expected = [[[e, 0.0], [3 + 0.5 * e, 1.0]] for e in eps]
    np.testing.assert_array_equal(paths, expected)


def test_the_areas_stand_under_the_bells(ax):
    plot_bell(ax, np.array([]), mean=0.0, deviation=2.0)
    low, high = (area.get_paths()[0].vertices for area in ax.collections)
    assert low[:, 1].min() == 0.0
    assert low[:, 1].max() == pytest.approx(1 / np.sqrt(2 * np.pi), rel=1e-12)
    assert high[:, 1].min() == 1.0
    assert high[:, 1].max() == pytest.approx(1 + 0.5 / np.sqrt(2 * np.pi), rel=1e-12)
    assert len(ax.get_yticks()) == 0
    assert not ax.spines["left"].get_visible()


# --- the graph

POSITIONS = {"phi": (0.2, 0.2), "eps": (0.8, 0.2), "z": (0.5, 0.5), "f": (0.5, 0.9)}
EDGES = [("phi", "z"), ("eps", "z"), ("z", "f")]


def arrows(ax):
    """From, to, colour and bend of each arrow."""
    found = []
    for text in ax.texts:
        if arrow := getattr(text, "arrow_patch", None):
            bend = arrow.get_connectionstyle().rad
            found.append((text.xyann, text.xy, tuple(arrow.get_edgecolor()[:3]), bend))
    return found


def test_every_edge_has_an_arrow_and_every_gradient_one_back(ax):
    plot_computation_graph(ax, POSITIONS, EDGES, random={"eps"}, gradients=[("phi", "z"), ("z", "f")])
    drawn = arrows(ax)
    forward = [(a, b) for a, b, colour, bend in drawn if colour == GREY and bend == 0]
    back = [(a, b) for a, b, colour, bend in drawn if colour == VERMILLION and bend != 0]
    assert forward == [(POSITIONS[a], POSITIONS[b]) for a, b in EDGES]
    assert back == [(POSITIONS[b], POSITIONS[a]) for a, b in (EDGES[0], EDGES[2])]
    assert len(drawn) == 5


def test_what_is_random_is_a_circle_and_the_rest_are_boxes(ax):
    plot_computation_graph(ax, POSITIONS, EDGES, random={"eps", "z"}, gradients=())
    shapes = {
        text.get_text(): (type(text.get_bbox_patch().get_boxstyle()).__name__, text.get_position())
        for text in ax.texts
        if text.get_text()
    }
    assert shapes == {
        label: ("Circle" if label in ("eps", "z") else "Round", place) for label, place in POSITIONS.items()
    }
    fills = {text.get_text(): text.get_bbox_patch().get_facecolor() for text in ax.texts if text.get_text()}
    assert fills["eps"] == fills["z"] != fills["f"] == fills["phi"]


def test_a_graph_has_no_frame(ax):
    plot_computation_graph(ax, POSITIONS, EDGES, random=(), gradients=())
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 1), (0, 1))
    assert len(ax.get_xticks()) == len(ax.get_yticks()) == 0
    assert not any(spine.get_visible() for spine in ax.spines.values())


# --- the clouds


@pytest.fixture
def panels():
    figure, axes = plt.subplots(1, 2)
    yield axes
    plt.close(figure)


def test_clouds_lie_at_their_gradients_and_the_crosses_at_the_truth(panels):
    rng = np.random.default_rng(0)
    samples = {"wide": 5 * rng.normal(size=(40, 2)), "narrow": rng.normal(size=(30, 2))}
    plot_gradient_clouds(panels, samples, (1.0, -2.0))
    for ax, name, colour in zip(panels, samples, component_colours(2), strict=True):
        (cloud,) = ax.collections
        np.testing.assert_array_equal(cloud.get_offsets(), samples[name])
        assert tuple(cloud.get_facecolor()[0, :3]) == tuple(colour)
        assert cloud.get_facecolor()[0, 3] < 1
        (cross,) = ax.lines
        np.testing.assert_array_equal(cross.get_xydata(), [[1.0, -2.0]])
        assert ax.get_title(loc="center") == name


# --- the laws


def test_measurements_are_markers_and_theory_a_line_of_the_same_colour(ax):
    x, fine = np.array([1.0, 10.0, 100.0]), np.array([1.0, 3.0, 100.0])
    plot_scaling(ax, x, {"a": x**2, "b": 3 / x}, predicted={"b": 3 / fine}, at=fine)
    lines = [line for line in ax.lines if line.get_marker() != "None"]
    assert [line.get_linestyle() for line in lines] == ["-", "None"]
    assert len({line.get_marker() for line in lines}) == 2
    np.testing.assert_array_equal(lines[0].get_xydata(), np.stack([x, x**2], axis=1))
    (theory,) = [line for line in ax.lines if line not in lines]
    np.testing.assert_array_equal(theory.get_xydata(), np.stack([fine, 3 / fine], axis=1))
    assert theory.get_color() == lines[1].get_color()
    assert [tuple(to_rgb(line.get_color())) for line in lines] == [tuple(c) for c in component_colours(2)]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert all(axis.get_minor_formatter()(2.0) == "" for axis in (ax.xaxis, ax.yaxis))


def test_theory_stands_at_the_measurements_by_default(ax):
    plot_scaling(ax, [1.0, 2.0], {"a": [3.0, 4.0]}, predicted={"a": [5.0, 6.0]})
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), [[1.0, 5.0], [2.0, 6.0]])
