"""A staircase shows the numbers it is given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from figures import plot_elbo_staircase


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def named(ax):
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


ELBO = np.array([-9.0, -7.0, -4.0, -3.0])
EVIDENCE = np.array([-7.0, -7.0, -3.0, -3.0])


def test_staircase_is_level_over_each_half_step(ax):
    plot_elbo_staircase(ax, ELBO, EVIDENCE)
    for line, values in zip(named(ax).values(), (EVIDENCE, ELBO), strict=True):
        x, y = line.get_data()
        for h in range(4):
            inside = (x >= h - 0.5) & (x <= h + 0.5)
            assert values[h] in y[inside]
        assert np.array_equal(y, np.repeat(values, 2))
        assert np.array_equal(x[::2], np.arange(4) - 0.5)
        assert np.array_equal(x[1::2], np.arange(4) + 0.5)


def test_the_shaded_area_is_the_sum_of_the_gaps(ax):
    plot_elbo_staircase(ax, ELBO, EVIDENCE)
    (x, y) = ax.collections[0].get_paths()[0].vertices.T
    area = 0.5 * abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))
    assert area == pytest.approx((EVIDENCE - ELBO).sum(), rel=1e-12)
