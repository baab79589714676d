"""The live EM of chapter 3: its half-steps on digits are the package's, and equal prototypes stay equal."""

from itertools import islice

import numpy as np
import pytest

from emvae.elbo import discrete_elbo
from emvae.em import em_steps
from emvae.mixtures import BernoulliMixture
from tools.widgets import bits_figure

PAGE = "book/3-bernoulli-mixture"
FIGURE = "figure.live-bits"
X = bits_figure.digits()[0]


@pytest.fixture(scope="module")
def visit(new_visit):
    visit = new_visit(PAGE, reduced_motion="reduce")
    yield visit
    assert visit.record.errors == []
    visit.page.context.close()


@pytest.fixture
def figure(visit):
    """Return the figure as it starts, in view."""
    figure = visit.page.locator(FIGURE)
    figure.get_by_label("2", exact=True).check()
    figure.get_by_label("10", exact=True).check()
    figure.get_by_label("nearly equal").check()
    figure.locator("canvas").first.scroll_into_view_if_needed()
    return figure


def current(visit):
    return visit.page.evaluate("emvaeLive.figures.bits.run().current")


def test_the_digits_are_the_packages(visit):
    ones = visit.page.evaluate("emvaeLive.bits.unpack(emvaeLive.data.bits.packed, 784)")
    assert ones == [np.flatnonzero(row).tolist() for row in X]
    labels = bits_figure.digits()[1]
    assert labels[bits_figure.watched()].tolist() == list(range(10))


@pytest.mark.parametrize("k", [1, 4])
def test_every_half_step_is_the_packages(visit, k):
    n_iter, n = 8, 200
    x = X[:n]
    rng = np.random.default_rng(k)
    model = BernoulliMixture.initialise(x, k, rng=rng, min_prob=bits_figure.MIN_PROB)
    plain = {
        "weights": model.weights.tolist(),
        "probs": model.probs.tolist(),
        "minProb": bits_figure.MIN_PROB,
    }
    call = """([m, n, count]) => {
        const x = emvaeLive.bits.unpack(emvaeLive.data.bits.packed, 784).slice(0, n);
        return emvaeLive.run.trace(emvaeLive.bits, m, x, count);
    }"""
    found = visit.page.evaluate(call, [plain, n, 2 * n_iter + 1])
    q = np.full((n, k), 1 / k)
    for step in islice(em_steps(model, x), n_iter + 1):
        before, after = found[2 * step.iteration : 2 * step.iteration + 2]
        for moment in (before, after):
            assert moment["logLikelihood"] == pytest.approx(step.log_evidence, rel=1e-9)
            assert moment["model"]["weights"] == pytest.approx(step.model.weights, rel=1e-9)
            assert np.array(moment["model"]["probs"]) == pytest.approx(step.model.probs, rel=1e-9)
        assert before["elbo"] == pytest.approx(discrete_elbo(step.model, x, q).value.sum(), rel=1e-9)
        q = step.model.responsibilities(x)
        assert np.array(after["q"]) == pytest.approx(q, rel=1e-9, abs=1e-12)
        assert after["kl"] == pytest.approx(0, abs=1e-7)


def test_equal_prototypes_stay_equal_until_they_are_nudged(visit, figure):
    figure.get_by_label("equal", exact=True).check()
    step = figure.get_by_role("button", name="-step ▶")
    for _ in range(4):
        step.press("Enter")
    stuck = current(visit)
    probs = np.array(stuck["model"]["probs"])
    assert np.ptp(probs, axis=0).max() == 0
    low = bits_figure.MIN_PROB
    assert probs[0] == pytest.approx(X.mean(axis=0).clip(low, 1 - low), rel=1e-9)
    figure.get_by_text("All prototypes are equal").wait_for()
    figure.get_by_role("button", name="Nudge").press("Enter")
    for _ in range(12):
        step.press("Enter")
    free = current(visit)
    assert free["logLikelihood"] > stuck["logLikelihood"] + 15 * len(X)


def test_prototypes_emerge_and_the_text_says_to_which_each_digit_belongs(visit, figure):
    for _ in range(9):
        figure.get_by_role("button", name="-step ▶").click()
    figure.get_by_text("The ten digits belong: 0 to").wait_for()
    q = np.array(current(visit)["q"])[bits_figure.watched()]
    assert f"0 to {q[0].argmax() + 1}," in figure.get_by_role("status").inner_text()
    trace = visit.page.evaluate("emvaeLive.figures.bits.run().moments.map(m => m.elbo)")
    assert np.diff(trace).min() > -1e-6


def test_the_canvas_grows_with_k_on_a_telephone(open_page):
    page = open_page(PAGE, viewport={"width": 390, "height": 844})
    figure = page.locator(FIGURE)
    ten = figure.locator("canvas").first.bounding_box()["height"]
    figure.get_by_label("5", exact=True).check()
    assert figure.locator("canvas").first.bounding_box()["height"] < ten - 50
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
