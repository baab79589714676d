"""The gradient clouds of chapter 4: the page computes what emvae.gradients does, and keys can drive it."""

from itertools import product

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch.distributions import Normal

from emvae.gradients import pathwise_gradient, score_function_gradient

PAGE = "book/4-reparameterisation"
FUNCTIONS = {
    "bowl": lambda z, omega: 0.5 * z**2,
    "kink": lambda z, omega: abs(z),
    "wave": lambda z, omega: torch.sin(omega * z),
    "step": lambda z, omega: 0.5 * (torch.sign(z) + 1),  # with a derivative: zero
}
SETTINGS = [
    {"mu": 1.0, "sigma": 1.0, "omega": 5.0, "D": 5, "S": 300},
    {"mu": -0.35, "sigma": 0.7, "omega": 2.5, "D": 2, "S": 40},
]


@pytest.fixture(scope="module")
def page(new_visit):
    visit = new_visit(PAGE)
    visit.page.locator("figure.live-gradients .live-status").scroll_into_view_if_needed()
    yield visit.page
    assert visit.record.errors == []
    visit.page.context.close()


@pytest.fixture
def figure(page):
    """Return the figure as it starts."""
    page.evaluate(
        "() => { const f = emvaeLive.figures.gradients; f.change(emvaeLive.data.gradients.start); }"
    )
    return page.locator("figure.live-gradients")


def computed(page, name, *arguments):
    """Call a pure function of the figure; typed arrays come back as lists."""
    plain = """([name, args]) => JSON.parse(JSON.stringify(emvaeLive.gradients[name](...args),
        (_, value) => ArrayBuffer.isView(value) ? [...value] : value))"""
    return page.evaluate(plain, [name, list(arguments)])


def estimates(f, at):
    """Return the package's three estimates at these settings, the draws eps behind them, and E_q[f]."""
    parameters = {
        name: torch.full((at["D"],), at[key], dtype=torch.float64)
        for name, key in (("loc", "mu"), ("scale", "sigma"))
    }
    drawn = []

    def summed(z):
        drawn.append(z.detach())
        return FUNCTIONS[f](z, at["omega"]).sum(-1)

    def go():
        return {"n_samples": at["S"], "generator": torch.Generator().manual_seed(3)}

    z, weights = mesh(at["mu"], at["sigma"])
    mean = at["D"] * float(weights @ FUNCTIONS[f](torch.tensor(z), at["omega"]).numpy())
    found = {
        "pathwise": pathwise_gradient(summed, Normal, parameters, **go()),
        "baseline": score_function_gradient(summed, Normal, parameters, baseline=mean, **go()),
        "plain": score_function_gradient(summed, Normal, parameters, **go()),
    }
    return found, ((drawn[0] - at["mu"]) / at["sigma"]).numpy(), mean


def mesh(mu, sigma, width=10.0):
    """Nodes in z and weights of N(mu, sigma^2), by Gauss and Legendre on panels that meet at the kink."""
    x, w = np.polynomial.legendre.leggauss(20)
    edges = np.unique([*np.linspace(mu - width * sigma, mu + width * sigma, 81), 0.0])
    centre, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    z = (centre[:, None] + half[:, None] * x).ravel()
    return z, (half[:, None] * w).ravel() * norm.pdf(z, mu, sigma)


@pytest.mark.parametrize(("f", "at"), [*product(FUNCTIONS, SETTINGS)])
def test_single_samples_are_those_of_the_package(page, f, at):
    found, eps, _ = estimates(f, at)
    ours = computed(page, "samples", {"f": f, **at}, eps.ravel().tolist())
    for name, estimate in found.items():
        assert np.abs(ours[name] - estimate.samples["loc"][:, 0].numpy()).max() < 1e-9


@pytest.mark.parametrize(("f", "at"), [*product(FUNCTIONS, SETTINGS)])
def test_means_and_standard_errors_are_those_of_the_package(page, f, at):
    found, _, _ = estimates(f, at)
    for estimate in found.values():
        ours = computed(page, "running", estimate.samples["loc"][:, 0].tolist())
        assert abs(ours["mean"][-1] - estimate.estimate["loc"][0].item()) < 1e-9
        assert abs(ours["error"][-1] - estimate.standard_error["loc"][0].item()) < 1e-9


@pytest.mark.parametrize(("f", "at"), [*product(FUNCTIONS, [dict(setting, D=2) for setting in SETTINGS])])
def test_laws_agree_with_quadrature(page, f, at):
    law = computed(page, "laws", {"f": f, **at})
    z, w = mesh(at["mu"], at["sigma"])
    h = FUNCTIONS[f](torch.tensor(z), at["omega"]).numpy()
    score = (z - at["mu"]) / at["sigma"] ** 2
    truth = w @ (h * score)
    both, weights = np.add.outer(h, h), np.outer(w, w)
    assert abs(law["truth"] - truth) < 1e-9
    assert abs(law["mean"] - 2 * (w @ h)) < 1e-9
    for name, baseline in (("baseline", law["mean"]), ("plain", 0.0)):
        second = (weights * ((both - baseline) * score[:, None]) ** 2).sum()
        assert abs(law["variance"][name] - (second - truth**2)) < 1e-9
    slopes = torch.tensor(z, requires_grad=True)
    FUNCTIONS[f](slopes, at["omega"]).sum().backward()
    slope = slopes.grad.numpy()
    assert abs(law["expected"]["pathwise"] - w @ slope) < 1e-9
    assert abs(law["variance"]["pathwise"] - (w @ slope**2 - (w @ slope) ** 2)) < 1e-9


def test_laws_of_the_bowl_are_those_of_the_theorem(page):
    mu, sigma, n = 0.8, 1.3, 7
    variance = computed(page, "laws", {"f": "bowl", "mu": mu, "sigma": sigma, "D": n})["variance"]
    square = n * mu**2
    plain = square**2 / (4 * sigma**2) + (n + 4) / 2 * square + mu**2 + sigma**2 / 4 * (n + 2) * (n + 4)
    assert variance["pathwise"] == pytest.approx(sigma**2, abs=1e-9)
    assert variance["baseline"] == pytest.approx(square + mu**2 + sigma**2 * (n / 2 + 2), abs=1e-9)
    assert variance["plain"] == pytest.approx(plain, abs=1e-9)


def test_normal_distribution(page):
    z, u = np.linspace(-9, 9, 181), np.array([1e-12, 1e-5, 0.02, 0.3, 0.5, 0.8, 0.999])
    cdf = page.evaluate("z => z.map(emvaeLive.normalCdf)", z.tolist())
    quantile = page.evaluate("u => u.map(emvaeLive.normalQuantile)", u.tolist())
    assert np.abs(cdf / norm.cdf(z) - 1).max() < 1e-12
    assert np.abs(quantile - norm.ppf(u)).max() < 1e-12


def test_step_is_wrong_and_sure_of_it(figure, page):
    figure.get_by_role("radio", name="bowl").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    status = figure.locator(".live-status")
    status.filter(has_text="wrong and sure of it").wait_for()
    assert "True gradient in μ₁: 0.242" in status.text_content()
    assert "pathwise 0.00 ± 0.00" in status.text_content()


def test_fast_wave_makes_pathwise_lose(figure, page):
    page.evaluate("emvaeLive.figures.gradients.change({f: 'wave', mu: 0, D: 1})")
    status = figure.locator(".live-status")
    status.filter(has_text="Here pathwise loses").wait_for()
    assert "it needs 25 times the samples" in status.text_content()  # as chapter 4 finds at omega = 5


def test_handles_and_sliders_work_by_keyboard(figure, page):
    figure.get_by_role("slider", name="mu, the centre of q").focus()
    page.keyboard.press("Shift+ArrowLeft")
    assert page.evaluate("emvaeLive.figures.gradients.at.mu") < 1
    figure.get_by_role("slider", name="dimension D").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("emvaeLive.figures.gradients.at.D") == 10
    figure.get_by_role("slider", name="sigma, the width of q").focus()
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate("emvaeLive.figures.gradients.at.sigma") > 1
    assert figure.get_by_role("slider", name="σ").input_value() != "1"


def test_centre_is_dragged_by_the_mouse(figure, page):
    handle = figure.get_by_role("slider", name="mu, the centre of q")
    handle.scroll_into_view_if_needed()
    x, y = page.evaluate(
        "e => [e.getBoundingClientRect().x, e.getBoundingClientRect().y]", handle.element_handle()
    )
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y, steps=4)
    page.mouse.up()
    assert page.evaluate("emvaeLive.figures.gradients.at.mu") < 0.5


def test_samples_are_kept_while_knobs_are_turned(figure, page):
    before = page.evaluate("[...emvaeLive.figures.gradients.view.samples.z]")
    page.evaluate("emvaeLive.figures.gradients.change({mu: 1.5, D: 50})")
    after = page.evaluate("[...emvaeLive.figures.gradients.view.samples.z]")
    assert np.abs(np.subtract(after, before) - 0.5).max() < 1e-12


def test_new_samples_fly_in(figure, page):
    before = page.evaluate("emvaeLive.figures.gradients.view.samples.z[0]")
    figure.get_by_role("button", name="Draw anew").click()
    page.wait_for_function("emvaeLive.figures.gradients.view.shown < 300")
    page.wait_for_function("emvaeLive.figures.gradients.view.shown === 300")
    assert page.evaluate("emvaeLive.figures.gradients.view.samples.z[0]") != before


def test_nothing_flies_under_reduced_motion(open_page):
    page = open_page(PAGE, reduced_motion="reduce")
    figure = page.locator("figure.live-gradients")
    figure.get_by_role("button", name="Draw anew").click()
    assert page.evaluate("emvaeLive.figures.gradients.view.shown") == 300
    assert page.evaluate("emvaeLive.figures.gradients.view.age") is None


def test_a_thousand_samples_in_the_air_take_less_than_a_frame(figure, page):
    milliseconds = page.evaluate("""() => {
        const { view, change, paint } = emvaeLive.figures.gradients;
        change({ S: 1000 });
        view.age = () => 0.3;
        const timed = () => { const began = performance.now(); paint(); return performance.now() - began; };
        const times = Array.from({ length: 10 }, timed);
        view.age = null;
        return Math.min(...times);
    }""")
    assert milliseconds < 33
