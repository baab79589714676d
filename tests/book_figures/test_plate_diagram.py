"""A plate diagram shows each quantity once, shades what is seen, and its arrows stop at the rims."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Circle, FancyBboxPatch

from figures.plate_diagram import DOT, RADIUS, SEEN, plot_plate_diagram

PLACES = {"a": (0.0, 0.0), "z": (2.0, 0.0), "x": (4.0, 1.0)}
EDGES = [("a", "z"), ("z", "x")]
PLATES = {"N": (1.2, 5.0, -1.0, 2.0)}


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    plot_plate_diagram(axes, PLACES, EDGES, observed={"x"}, parameters={"a"}, plates=PLATES)
    yield axes
    plt.close(figure)


def circles(ax):
    return {patch.center: patch for patch in ax.patches if isinstance(patch, Circle)}


def test_random_quantities_are_circles_and_parameters_are_dots(ax):
    assert {place: patch.radius for place, patch in circles(ax).items()} == {
        PLACES["a"]: DOT,
        PLACES["z"]: RADIUS,
        PLACES["x"]: RADIUS,
    }


def test_only_what_is_observed_is_shaded(ax):
    faces = {place: patch.get_facecolor()[:3] for place, patch in circles(ax).items()}
    assert faces[PLACES["x"]] == to_rgb(SEEN)
    assert faces[PLACES["z"]] == to_rgb("white")


def test_each_arrow_leads_from_rim_to_rim_along_the_straight_line(ax):
    arrows = [(np.array(text.xyann), np.array(text.xy)) for text in ax.texts if hasattr(text, "arrow_patch")]
    assert len(arrows) == len(EDGES)
    radii = {"a": DOT, "z": RADIUS, "x": RADIUS}
    for (start, end), (a, b) in zip(arrows, EDGES, strict=True):
        places = np.array(PLACES[a]), np.array(PLACES[b])
        assert np.linalg.norm(start - places[0]) == pytest.approx(radii[a], rel=1e-12)
        assert np.linalg.norm(end - places[1]) == pytest.approx(radii[b], rel=1e-12)
        whole = np.linalg.norm(places[1] - places[0])
        assert np.linalg.norm(end - start) == pytest.approx(whole - radii[a] - radii[b], rel=1e-12)


def test_a_plate_has_its_box_and_its_letter_inside(ax):
    (plate,) = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    box = plate.get_x(), plate.get_x() + plate.get_width(), plate.get_y(), plate.get_y() + plate.get_height()
    assert box == pytest.approx(PLATES["N"])
    (letter,) = [text for text in ax.texts if text.get_text() == "N"]
    x, y = letter.get_position()
    assert 4.5 < x < 5.0
    assert -1.0 < y < -0.5


def test_every_label_stands_at_its_place(ax):
    places = {text.get_text(): text.get_position() for text in ax.texts}
    assert places["z"] == PLACES["z"]
    assert places["x"] == PLACES["x"]
    assert places["a"][0] == PLACES["a"][0]
    assert places["a"][1] > DOT


def test_all_of_it_lies_within_the_axes(ax):
    left, right = ax.get_xlim()
    bottom, top = ax.get_ylim()
    assert left < -DOT
    assert right > 5.0
    assert bottom < -1.0
    assert top > 2.0
