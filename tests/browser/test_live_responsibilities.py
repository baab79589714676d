"""The live plane of chapter 1: its numbers are the package's; mouse, finger and keys can drive it."""

import numpy as np
import pytest

from emvae.mixtures import GaussianMixture
from emvae.plotting import mix_colours
from emvae.responsibilities import log_normalize
from tools.widgets import responsibilities_figure

PAGE = "book/1-responsibilities"
FIGURE = "figure.live-responsibilities"


@pytest.fixture(scope="module")
def visit(new_visit):
    visit = new_visit(PAGE)
    yield visit
    assert visit.record.errors == []
    visit.page.context.close()


@pytest.fixture
def figure(visit):
    """Return the figure as it starts, in view."""
    figure = visit.page.locator(FIGURE)
    figure.get_by_role("button", name="Reset the figure").click()
    figure.locator("canvas").scroll_into_view_if_needed()
    return figure


def models():
    """Yield mixtures of ordinary, nearly singular and lopsided Gaussians."""
    yield responsibilities_figure.model()
    rng = np.random.default_rng(0)
    for stretch in (1.0, 1e-3, 30.0):
        roots = rng.normal(size=(3, 2, 2)) * [1.0, stretch]
        covariances = roots @ np.swapaxes(roots, 1, 2) + 1e-3 * stretch**2 * np.eye(2)
        yield GaussianMixture(rng.dirichlet(np.ones(3)), rng.normal(0, 2, (3, 2)), covariances)


def as_plain(model):
    return {name: getattr(model, name).tolist() for name in ("weights", "means", "covariances")}


def computed(visit, model, point, repeats):
    call = "([m, x, n]) => emvaeLive.responsibilities.compute(m, x, n)"
    return visit.page.evaluate(call, [as_plain(model), list(point), repeats])


@pytest.mark.parametrize("repeats", [1, 7, 392])
@pytest.mark.parametrize("model", list(models()))
def test_bayes_rule_is_the_packages(visit, model, repeats):
    for point in np.random.default_rng(1).normal(0, 2, (5, 2)):
        found = computed(visit, model, point, repeats)
        log_likelihood = repeats * model.log_likelihood(point[None])[0]
        log_posterior, log_evidence = log_normalize(log_likelihood + model.log_prior())
        assert found["logLikelihood"] == pytest.approx(log_likelihood, rel=1e-9, abs=1e-9)
        assert found["logPosterior"] == pytest.approx(log_posterior, rel=1e-9, abs=1e-9)
        assert found["logEvidence"] == pytest.approx(log_evidence, rel=1e-9, abs=1e-9)
        assert found["resp"] == pytest.approx(np.exp(log_posterior), rel=1e-9 * repeats, abs=1e-300)


def test_the_naive_product_is_pythons_and_underflows(visit):
    model, point = responsibilities_figure.model(), [0.3, 0.2]
    densities = np.exp(model.log_likelihood([point])[0])
    for repeats in (1, 20, 100):
        product = model.weights * densities**repeats
        naive = computed(visit, model, point, repeats)["naive"]
        assert naive["product"] == pytest.approx(product, rel=1e-11)
        assert naive["resp"] == pytest.approx(product / product.sum(), rel=1e-11)
    lost = computed(visit, model, point, 392)
    assert lost["naive"]["product"] == [0, 0, 0]
    assert all(np.isnan(lost["naive"]["resp"]))
    assert sum(lost["resp"]) == pytest.approx(1, abs=1e-12)


def test_the_plane_is_painted_as_the_packages(visit):
    model = responsibilities_figure.model()
    xs, ys = np.linspace(-4, 4, 9), np.linspace(3, -3, 7)
    found = visit.page.evaluate(
        """([model, xs, ys]) => {
            const pixels = new Uint8ClampedArray(4 * xs.length * ys.length);
            const leads = model.means.map(() => new Float64Array(xs.length * ys.length));
            const colours = model.means.map((_, k) => emvaeLive.colour(k));
            emvaeLive.responsibilities.plane(model, 1, {xs, ys, colours}, pixels, leads);
            return [[...pixels], leads.map(lead => [...lead])];
        }""",
        [as_plain(model), xs.tolist(), ys.tolist()],
    )
    points = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    log_posterior = model.log_posterior(points)
    pixels = np.array(found[0]).reshape(-1, 4)
    assert np.abs(pixels[:, :3] - 255 * mix_colours(np.exp(log_posterior))).max() <= 1
    for k, lead in enumerate(found[1]):
        others = np.delete(log_posterior, k, axis=1).max(axis=1)
        assert lead == pytest.approx(log_posterior[:, k] - others, abs=1e-9)


@pytest.mark.parametrize("axis", ["Long", "Short"])
def test_keys_move_means_and_stretch_covariances(visit, figure, axis):
    before = visit.page.evaluate("emvaeLive.figures.responsibilities.model()")
    mean = figure.get_by_role("slider", name="Mean of source 2")
    mean.press("ArrowRight")
    mean.press("Shift+ArrowDown")
    figure.get_by_role("slider", name=f"{axis} axis of source 1").press("Shift+ArrowUp")
    after = visit.page.evaluate("emvaeLive.figures.responsibilities.model()")
    moved = np.subtract(after["means"], before["means"])
    assert moved[1][0] > 0 > moved[1][1]
    assert moved[1][1] == pytest.approx(-5 * moved[1][0], rel=1e-9)
    assert np.abs(np.subtract(after["covariances"], before["covariances"])).max(axis=(1, 2))[0] > 0.01
    assert after["covariances"][2] == before["covariances"][2]


def test_the_mouse_drags_and_a_click_brings_the_probe(visit, figure):
    mean = figure.get_by_role("slider", name="Mean of source 3")
    box = mean.bounding_box()
    mouse = visit.page.mouse
    mouse.move(box["x"], box["y"])
    mouse.down()
    mouse.move(box["x"] - 60, box["y"] + 40, steps=4)
    mouse.up()
    moved = mean.bounding_box()
    assert [moved["x"] - box["x"], moved["y"] - box["y"]] == pytest.approx([-60, 40], abs=1)
    figure.locator("canvas").click(position={"x": 100, "y": 50})
    probe = figure.get_by_role("slider", name="Probe", exact=True).bounding_box()
    canvas = figure.locator("canvas").bounding_box()
    assert [probe["x"] - canvas["x"], probe["y"] - canvas["y"]] == pytest.approx([100, 50], abs=1)


def test_a_finger_drags_on_a_telephone(open_page):
    page = open_page(PAGE, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    handle = page.locator(FIGURE).get_by_role("slider", name="Mean of source 1")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    touch = page.context.new_cdp_session(page)
    for kind, dx in (("touchStart", 0), ("touchMove", 15), ("touchMove", 30), ("touchEnd", None)):
        points = [] if dx is None else [{"x": box["x"] + dx, "y": box["y"]}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_function(
        "([role, x]) => document.querySelector(role).getBoundingClientRect().x > x + 25",
        arg=[f"{FIGURE} [aria-label='Mean of source 1']", box["x"]],
    )


def test_weights_add_up_and_uniform_restores_them(visit, figure):
    weight = figure.get_by_role("slider", name="π₁")
    uniform = figure.get_by_label("uniform prior")
    weight.press("End")
    weights = visit.page.evaluate("emvaeLive.figures.responsibilities.model().weights")
    assert weights == pytest.approx([0.98, 0.01, 0.01], abs=1e-12)
    assert not uniform.is_checked()
    uniform.check()
    weights = visit.page.evaluate("emvaeLive.figures.responsibilities.model().weights")
    assert weights == pytest.approx([1 / 3] * 3, abs=1e-12)


def test_one_covariance_makes_boundaries_straight(visit, figure):
    figure.get_by_label("one covariance for all").check()
    covariances = visit.page.evaluate("emvaeLive.figures.responsibilities.model().covariances")
    assert covariances == [covariances[0]] * 3


def test_the_numbers_stand_in_words_and_in_the_table(visit, figure):
    seen = figure.get_by_role("slider", name="The probe was seen")
    seen.press("End")
    seen.press("ArrowLeft")
    figure.get_by_text("naively r = 0/0, not a number").wait_for()
    assert seen.get_attribute("aria-valuetext") == "392 times"
    result = computed(visit, responsibilities_figure.model(), responsibilities_figure.PROBE, 392)
    total = figure.locator("tfoot").inner_text().replace("−", "-")
    assert f"{result['logEvidence']:.2f}" in total


def test_the_canvas_follows_theme_and_size(visit, figure):
    page = visit.page
    before = page.evaluate("emvaeLive.theme().paper")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function(
        "before => emvaeLive.theme().dark && emvaeLive.theme().paper !== before", arg=before
    )
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.wait_for_function("before => emvaeLive.theme().paper === before", arg=before)


def test_the_picture_stands_without_scripts_and_in_print(open_visit, browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url(PAGE))
    assert page.locator(f"{FIGURE} img").is_visible()
    context.close()
    page = open_visit(PAGE).page
    assert page.locator(f"{FIGURE} img").is_hidden()
    page.emulate_media(media="print")
    assert page.locator(f"{FIGURE} img").is_visible()
    assert page.locator(f"{FIGURE} canvas").is_hidden()
