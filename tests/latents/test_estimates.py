"""A mean knows its error, a share its interval."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest, sem

from emvae.latents import Estimate, Proportion


def test_an_estimate_is_the_mean_with_its_standard_error():
    samples = np.random.default_rng(0).normal(3.0, 2.0, size=37)
    estimate = Estimate.of(samples)
    assert estimate.value == pytest.approx(samples.mean(), rel=1e-14)
    assert estimate.standard_error == pytest.approx(sem(samples), rel=1e-12)
    assert Estimate.of([1.0, 3.0]) == Estimate(2.0, 1.0)


@pytest.mark.parametrize(("happened", "trials"), [(0, 7), (7, 7), (1, 1), (3, 10), (999, 1000), (250, 1000)])
def test_the_interval_is_wilsons(happened, trials):
    share = Proportion.of(np.arange(trials) < happened)
    reference = binomtest(happened, trials).proportion_ci(0.95, method="wilson")
    assert share.value == happened / trials
    assert share.low == pytest.approx(reference.low, abs=1e-12)
    assert share.high == pytest.approx(reference.high, abs=1e-12)


def test_the_interval_stays_between_0_and_1():
    """Rounding, too, must not lead beyond: of 14 or 40 that all happened it would."""
    for n, happened in product((3, 14, 40), (False, True)):
        share = Proportion.of(np.full(n, happened))
        assert 0.0 <= share.low < share.high <= 1.0
