"""The live EM of chapter 2: its half-steps are the package's, back and forth, in collapse, on the floor."""

from itertools import islice

import numpy as np
import pytest

from emvae.datasets import old_faithful
from emvae.elbo import discrete_elbo
from emvae.em import em_steps
from emvae.mixtures import GaussianMixture
from tools.widgets import em_figure
from tools.widgets.shared_constants import TOLERANCE

PAGE = "book/2-gaussian-mixture"
FIGURE = "figure.live-em"
X = old_faithful().x
FLOOR = em_figure.FLOOR * X.var(axis=0)


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
    figure.get_by_label("variance floor").uncheck()
    figure.get_by_label("draw your own").check()
    figure.get_by_label("Old Faithful").check()
    figure.locator("canvas").first.scroll_into_view_if_needed()
    return figure


def current(visit):
    return visit.page.evaluate(
        """() => {
            const {cursor, collapsed, current} = emvaeLive.figures.em.run();
            return {cursor, collapsed, ...current};
        }"""
    )


def as_plain(model, floor):
    parts = {name: getattr(model, name).tolist() for name in ("weights", "means", "covariances")}
    return {**parts, "floor": list(floor)}


def starts():
    """Yield starts with and without a floor, one of them on it."""
    yield em_figure.start(), (0.0, 0.0)
    for n in (1, 3, 5):
        rng = np.random.default_rng(n)
        yield GaussianMixture.initialise(X, n, rng=rng, min_variance=FLOOR), tuple(FLOOR)
    narrow = np.tile(np.diag(FLOOR), (4, 1, 1))
    yield GaussianMixture(np.full(4, 0.25), X[:4], narrow, min_variance=FLOOR), tuple(FLOOR)


@pytest.mark.parametrize(("model", "floor"), list(starts()))
def test_every_half_step_is_the_packages(visit, model, floor):
    n_iter = 25
    call = "([m, x, n]) => emvaeLive.run.trace(emvaeLive.em, m, x, n)"
    found = visit.page.evaluate(call, [as_plain(model, floor), X.tolist(), 2 * n_iter + 1])
    q = np.full((len(X), model.n_components), 1 / model.n_components)
    for step in islice(em_steps(model, X), n_iter + 1):
        before, after = found[2 * step.iteration : 2 * step.iteration + 2]
        for moment in (before, after):
            assert moment["logLikelihood"] == pytest.approx(step.log_evidence, rel=1e-9)
            assert moment["model"]["weights"] == pytest.approx(step.model.weights, rel=1e-9)
            assert np.array(moment["model"]["means"]) == pytest.approx(step.model.means, rel=1e-9)
            covariances = np.array(moment["model"]["covariances"])
            assert covariances == pytest.approx(step.model.covariances, rel=1e-9, abs=1e-9)
        assert before["elbo"] == pytest.approx(discrete_elbo(step.model, X, q).value.sum(), rel=1e-9)
        q = step.model.responsibilities(X)
        assert np.array(after["q"]) == pytest.approx(q, rel=1e-9, abs=1e-12)
        assert after["kl"] == pytest.approx(0, abs=1e-9)


def test_the_picture_shows_the_chapters_run():
    elbo, evidence = em_figure.half_steps(3)
    assert len(elbo) == len(evidence) == 7
    assert np.diff(elbo).min() > 0
    assert evidence[1::2] - elbo[1::2] == pytest.approx(np.zeros(3), abs=1e-9)


def test_steps_go_forward_and_back_by_keys(visit, figure):
    ahead = figure.get_by_role("button", name="-step ▶")
    assert ahead.inner_text() == "E-step ▶"
    for _ in range(3):
        ahead.press("Enter")
    third = current(visit)
    assert (third["cursor"], third["half"]) == (3, "E")
    assert ahead.inner_text() == "M-step ▶"
    figure.get_by_role("button", name="Half-step back").press("Enter")
    assert (current(visit)["cursor"], current(visit)["half"]) == (2, "M")
    ahead.press("Enter")
    assert current(visit) == third
    figure.get_by_role("button", name="Back to the start").press("Enter")
    assert current(visit)["cursor"] == 0


def test_a_run_under_reduced_motion_ends_at_once_where_the_package_ends(visit, figure):
    figure.get_by_role("button", name="Run").click()
    figure.get_by_text("Converged").wait_for()
    reached = current(visit)
    iteration = reached["cursor"] // 2
    steps = list(islice(em_steps(em_figure.start(), X), iteration + 1))
    gains = np.diff([step.log_evidence for step in steps]) / len(X)
    assert gains[-1] < TOLERANCE < gains[-2]
    assert reached["logLikelihood"] == pytest.approx(steps[-1].log_evidence, rel=1e-9)


def test_a_run_moves_by_itself_and_pauses(open_page):
    page = open_page(PAGE)
    figure = page.locator(FIGURE)
    figure.get_by_role("button", name="Run").click()
    page.wait_for_function("emvaeLive.figures.em.run().cursor > 3")
    figure.get_by_role("button", name="Pause").click()
    figure.get_by_text("ln p(D | θ) = −1").wait_for()
    assert figure.get_by_role("button", name="Run").is_visible()


def test_it_breaks_without_the_floor_and_holds_with_it(visit, figure):
    figure.get_by_role("button", name="Break it").click()
    run = figure.get_by_role("button", name="Run")
    run.click()
    figure.get_by_text("Component 2 has collapsed").wait_for()
    broken = current(visit)
    assert (broken["cursor"], broken["collapsed"]) == (3, 1)
    assert np.linalg.eigvalsh(broken["model"]["covariances"][1]).min() < 1e-8
    assert run.is_disabled()
    figure.get_by_label("variance floor").check()
    figure.get_by_role("button", name="Break it").click()
    run.click()
    figure.get_by_text("Converged").wait_for()
    scaled = np.array(current(visit)["model"]["covariances"]) / np.sqrt(np.outer(FLOOR, FLOOR))
    assert np.linalg.eigvalsh(scaled).min() > 1 - 1e-9
    trace = visit.page.evaluate("emvaeLive.figures.em.run().moments.map(m => [m.elbo, m.logLikelihood])")
    assert np.diff(trace, axis=0).min() > -1e-9


def test_means_are_put_by_click_and_by_keys(visit, figure):
    canvas = figure.locator("canvas").first
    box = canvas.bounding_box()
    canvas.click(position={"x": 120, "y": 60})
    handle = figure.get_by_role("slider", name="Mean of component 1")
    placed = handle.bounding_box()
    assert [placed["x"] - box["x"], placed["y"] - box["y"]] == pytest.approx([120, 60], abs=1)
    before = current(visit)["model"]["means"]
    handle.press("Shift+ArrowRight")
    after = current(visit)
    assert after["cursor"] == 0
    assert after["model"]["means"][0][0] > before[0][0]
    assert after["model"]["means"][1] == before[1]


@pytest.mark.parametrize("k", [1, 4])
def test_k_and_new_starts(visit, figure, k):
    figure.get_by_label(str(k), exact=True).check()
    first = current(visit)["model"]["means"]
    assert len(first) == k
    figure.get_by_role("button", name="New start").click()
    assert current(visit)["model"]["means"] != first
    assert figure.get_by_role("slider", name="Mean of component").count() == k


def test_points_are_drawn_by_mouse_and_by_keys(visit, figure):
    figure.get_by_label("draw your own").check()
    assert figure.get_by_role("button", name="-step ▶").is_disabled()
    pen = figure.get_by_role("slider", name="Pen")
    pen.press("Enter")
    pen.press("Shift+ArrowRight")
    pen.press("Enter")
    box = figure.locator("canvas").first.bounding_box()
    mouse = visit.page.mouse
    mouse.move(box["x"] + 60, box["y"] + 60)
    mouse.down()
    mouse.move(box["x"] + 160, box["y"] + 100, steps=10)
    mouse.up()
    assert visit.page.evaluate("emvaeLive.figures.em.run().x.length") > 8
    figure.get_by_role("button", name="-step ▶").click()
    figure.get_by_role("button", name="-step ▶").click()
    assert current(visit)["half"] == "M"
    figure.get_by_role("button", name="Remove all points").click()
    figure.get_by_text("No data yet").wait_for()


def test_the_landing_page_has_a_small_one_without_what_the_chapter_keeps(open_page):
    page = open_page("book/index", reduced_motion="reduce")
    figure = page.locator("figure.live-small.live-on")
    figure.get_by_role("button", name="-step ▶").click()
    assert page.evaluate("emvaeLive.figures.em.run().cursor") == 1
    assert figure.get_by_role("button").filter(visible=True).count() == 4
    assert figure.get_by_role("group", name="Data and model").count() == 0
    assert page.locator("#fig-live-em").count() == 0
