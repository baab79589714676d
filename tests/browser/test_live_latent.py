"""The latent explorer of chapter 6: the page computes what emvae does with the same weights."""

import re

import numpy as np
import pytest
import torch
from scipy.stats import norm

from emvae.datasets import mnist
from emvae.latents import inverse_cdf_mesh, log_density_ratio, to_unit_square
from tools.widgets import latent_figure, quantised_networks

PAGE = "book/6-latent-space"
LIMIT = 1_000_000  # bytes that the weights may weigh
POINTS = np.random.default_rng(0).standard_normal((40, 2))
RING = [[14 + 7 * np.cos(t), 14 + 9 * np.sin(t)] for t in np.linspace(0, 2 * np.pi, 40)]


@pytest.fixture(scope="module")
def page(new_visit):
    visit = new_visit(PAGE)
    visit.page.locator("figure.live-latent .live-status").scroll_into_view_if_needed()
    yield visit.page
    assert visit.record.errors == []
    visit.page.context.close()


@pytest.fixture
def figure(page):
    """Return the figure with nothing drawn and the pointer at the origin."""
    figure = page.locator("figure.live-latent")
    figure.get_by_role("button", name="Clear the drawing").click()
    page.evaluate("emvaeLive.figures.latent.moveTo([0, 0])")
    return figure


def place(page):
    """Return z, where the pointer is."""
    return np.array(page.evaluate("emvaeLive.figures.latent.state.z"))


def test_decoder_is_the_package_s(page):
    ours = page.evaluate(
        "z => z.map(one => [...emvaeLive.latent.decode(emvaeLive.figures.latent.decoder, one)])",
        POINTS.tolist(),
    )
    assert np.abs(np.array(ours) - latent_figure.decode(POINTS)).max() < 1e-4


def test_encoder_is_the_package_s(page):
    images = torch.tensor(mnist(flat=True).test_images[:30]) / 255
    ours = page.evaluate(
        "x => x.map(one => emvaeLive.latent.encode(emvaeLive.figures.latent.encoder, one))", images.tolist()
    )
    q = quantised_networks.load().encoder(images)
    assert np.abs(np.array([one["mean"] for one in ours]) - q.mean.numpy()).max() < 1e-4
    assert np.abs(np.array([one["deviation"] for one in ours]) - q.stddev.numpy()).max() < 1e-4


def test_map_of_holes_is_the_package_s(page):
    axis = np.linspace(-latent_figure.REACH, latent_figure.REACH, latent_figure.SIDE)
    z = axis[np.random.default_rng(1).integers(0, latent_figure.SIDE, (12, 2))]
    ours = page.evaluate(
        "z => z.map(one => emvaeLive.latent.logRatio(emvaeLive.figures.latent.map, one))", z.tolist()
    )
    lowest = -(2 ** (latent_figure.BITS - 1)) * latent_figure.STEP
    exact = log_density_ratio(latent_figure.aggregate(), z).clip(min=lowest)
    assert np.abs(ours - exact).max() < 1.001e-4


def test_square_is_the_package_s(page):
    u = page.evaluate("z => z.map(emvaeLive.latent.toSquare)", POINTS.tolist())
    back = page.evaluate("u => u.map(emvaeLive.latent.fromSquare)", u)
    mesh = page.evaluate("emvaeLive.latent.mesh(9)")
    assert np.abs(u - to_unit_square(POINTS)).max() < 1e-9
    assert np.abs(back - POINTS).max() < 1e-9
    assert np.abs(mesh - inverse_cdf_mesh(9).reshape(-1, 2)).max() < 1e-9


def test_prior_is_the_package_s(page):
    ours = page.evaluate("z => z.map(emvaeLive.latent.logPrior)", POINTS.tolist())
    assert np.abs(ours - norm.logpdf(POINTS).sum(axis=1)).max() < 1e-9


def test_weights_weigh_little():
    assert quantised_networks.FILE.stat().st_size < LIMIT


def test_drawn_digits_look_like_those_of_the_data(page):
    image = np.array(page.evaluate("strokes => [...emvaeLive.latent.imageOf(strokes)]", [RING])).reshape(
        28, 28
    )
    rows, columns = np.nonzero(image > 0.5)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == pytest.approx(20, abs=1)
    middle = (np.indices(image.shape) + 0.5).reshape(2, -1) @ image.ravel() / image.sum()
    assert np.abs(middle - 14).max() < 0.1
    assert image.max() == 1
    moved = (0.5 * np.array(RING) + 3).tolist()
    again = page.evaluate("strokes => [...emvaeLive.latent.imageOf(strokes)]", [moved])
    assert np.abs(np.subtract(again, image.ravel())).max() < 1e-9


def test_a_button_leads_into_holes(figure, page):
    for _ in range(3):
        figure.get_by_role("button", name="Go to a hole").click()
        figure.locator(".live-status").filter(has_text="Hole: codes are").wait_for()
        page.evaluate("emvaeLive.figures.latent.moveTo([0, 0])")
    holes = page.evaluate("emvaeLive.figures.latent.holes")
    assert (log_density_ratio(latent_figure.aggregate(), holes) < latent_figure.THRESHOLD).all()


def test_pointer_moves_by_keys_in_plane_and_square(figure, page):
    figure.get_by_role("slider", name="z, the latent plane").focus()
    page.keyboard.press("ArrowRight")
    right = place(page)
    assert right[0] > 0
    assert right[1] == pytest.approx(0, abs=1e-9)
    figure.get_by_role("slider", name="z, the unit square").focus()
    page.keyboard.press("Shift+ArrowUp")
    assert place(page)[1] > 0
    assert place(page)[0] == pytest.approx(right[0], abs=1e-6)


def test_pointer_jumps_to_the_mouse_and_follows_it(figure, page):
    box = figure.get_by_role("img", name=re.compile("^The latent plane")).bounding_box()
    x, y = box["x"] + 0.6 * box["width"], box["y"] + 0.3 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    first = place(page)
    page.mouse.move(x + 30, y, steps=3)
    page.mouse.up()
    assert np.hypot(*first) > 0.5
    assert place(page)[0] > first[0] + 0.3


def test_a_drawn_ring_is_a_zero(figure, page):
    box = figure.get_by_role("img", name="A field to draw a digit in").bounding_box()
    unit = box["width"] / 28
    for i, (across, down) in enumerate(RING):
        page.mouse.move(box["x"] + across * unit, box["y"] + down * unit)
        if i == 0:
            page.mouse.down()
    page.mouse.up()
    status = figure.locator(".live-status").filter(has_text="The drawing's posterior has mean")
    status.wait_for()
    mean = page.evaluate("emvaeLive.figures.latent.state.posterior.mean")
    page.wait_for_function(
        "mean => emvaeLive.figures.latent.state.z.every((v, i) => Math.abs(v - mean[i]) < 1e-9)", arg=mean
    )
    distances = np.hypot(*(latent_figure.places() - mean).T)
    assert distances.argmin() == 0


def test_a_digit_is_drawn_by_keys(figure, page):
    figure.get_by_role("slider", name=re.compile("^Pen")).focus()
    page.keyboard.press("Space")
    for _ in range(8):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    figure.locator(".live-status").filter(has_text="The drawing's posterior has mean").wait_for()
    assert page.evaluate("emvaeLive.figures.latent.state.strokes[0].length") == 9


def test_a_test_digit_is_encoded_where_the_package_has_it(figure, page):
    figure.get_by_role("button", name="Take a test digit").click()
    n = page.evaluate("emvaeLive.data.latent.examples[0].label")
    data = mnist(flat=True)
    image = torch.tensor(data.test_images[data.test_labels == n][:1]) / 255
    mean = page.evaluate("emvaeLive.figures.latent.state.posterior.mean")
    assert np.abs(quantised_networks.load().encoder(image).mean.numpy()[0] - mean).max() < 1e-4


def test_pointer_jumps_under_reduced_motion(open_page):
    page = open_page(PAGE, reduced_motion="reduce")
    page.locator("figure.live-latent").get_by_role("button", name="Go to a hole").click()
    hole = page.evaluate("emvaeLive.figures.latent.holes[0]")
    assert np.abs(place(page) - hole).max() < 1e-12


def test_a_step_of_the_pointer_takes_less_than_a_frame(figure, page):
    milliseconds = page.evaluate("""() => {
        const { moveTo, paint } = emvaeLive.figures.latent;
        const timed = (x) => {
            const began = performance.now();
            moveTo([x, 0.2]);
            paint();
            return performance.now() - began;
        };
        return Math.min(...Array.from({ length: 10 }, (_, i) => timed(i / 10)));
    }""")
    assert milliseconds < 33
