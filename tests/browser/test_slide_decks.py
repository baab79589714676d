"""Each deck fits its screen, asks no other host for anything, and its live figures live."""

from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.browser.conftest import HTML, ROOT

SCREEN = {"width": 1280, "height": 720}
READABLE = 0.6  # of the size that a formula has where there is room
DECKS = sorted(path.stem for path in (ROOT / "book" / "slides").glob("*.yml"))
FITTED = "document.documentElement.dataset.fitted === 'yes'"
SHOW = """name => {
  const slides = [...document.querySelectorAll('section.slide')];
  Reveal.slide(slides.findIndex(slide => slide.querySelector(name)));
}"""
SIZES = """[...document.querySelectorAll('.content')].map(box => ({
  title: box.parentElement.querySelector('h2').textContent,
  fit: Number(getComputedStyle(box).getPropertyValue('--fit')),
  over: Math.max(box.scrollHeight - box.clientHeight, box.scrollWidth - box.clientWidth),
  room: box.clientHeight,
  numbers: [...box.querySelectorAll('div.math:has(.eqno)')].filter(line => {
    const place = name => line.querySelector(name).getBoundingClientRect();
    return place('mjx-math').right > place('.eqno').left;
  }).length,
  broken: [...box.querySelectorAll('img')].filter(image => !image.naturalWidth).length,
}))"""


@pytest.fixture(scope="module", params=DECKS)
def deck(new_visit, request):
    """Return an open deck, its formulas set and its slides fitted."""
    if not (HTML / "slides" / f"{request.param}.html").exists():
        pytest.fail("the slides are not there: run `make slides` first")
    visit = new_visit(f"slides/{request.param}.html", viewport=SCREEN)
    visit.page.wait_for_function(FITTED)
    yield visit
    visit.page.context.close()


def test_a_deck_is_a_lecture_and_asks_no_other_host(deck, site):
    assert 15 <= deck.page.evaluate("Reveal.getTotalSlides()") <= 25
    assert [url for url in deck.record.requests if not site.is_own(url)] == []
    assert deck.record.failures + deck.record.errors == []


def test_every_slide_fits_the_screen(deck):
    sizes = deck.page.evaluate(SIZES)
    assert len(sizes) >= 14
    fits = [s["over"] <= 1 and s["fit"] >= READABLE and s["room"] >= 400 for s in sizes]
    assert [s for s, good in zip(sizes, fits, strict=True) if not good or s["numbers"] or s["broken"]] == []


def test_live_figures_live(deck):
    names = deck.page.evaluate("Object.keys(globalThis.emvaeLive?.figures ?? {})")
    assert len(names) == deck.page.locator("figure.live").count()
    for name in names:
        figure = deck.page.locator(f"section:has(figure.live-{name})")
        deck.page.evaluate(SHOW, f"figure.live-{name}")
        canvas = figure.locator("canvas").first
        box = canvas.bounding_box()
        assert box["width"] > 150
        assert box["y"] + box["height"] < SCREEN["height"]


def open_deck(open_visit, name, **options):
    visit = open_visit(f"slides/{name}.html", viewport=SCREEN, **options)
    visit.page.wait_for_function(FITTED)
    return visit.page


def test_em_steps_on_its_slide_and_space_presses_the_button(open_visit):
    page = open_deck(open_visit, "2-gaussian-mixture", reduced_motion="reduce")
    page.keyboard.press("ArrowRight")
    page.locator("section.present").get_by_role("button", name="-step ▶").press(" ")
    assert page.evaluate("emvaeLive.figures.em.run().cursor") == 1
    assert page.evaluate("Reveal.getIndices().h") == 1
    page.keyboard.press("ArrowRight")
    assert page.evaluate("Reveal.getIndices().h") == 2


def test_an_answer_comes_with_the_next_key(open_visit):
    page = open_deck(open_visit, "2-gaussian-mixture")
    answer = page.locator(".question .answer").first
    page.evaluate(SHOW, ".answer")
    place = page.evaluate("Reveal.getIndices().h")
    assert not answer.is_visible()
    page.keyboard.press("ArrowRight")
    answer.wait_for(state="visible")
    assert page.evaluate("Reveal.getIndices().h") == place


def test_a_deck_prints_a_page_for_each_slide(open_visit):
    page = open_deck(open_visit, "2-gaussian-mixture")
    pages = PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))).pages
    assert len(pages) == page.evaluate("Reveal.getTotalSlides()")
    assert len(pages[1].images) == 1  # the picture of the live figure


def test_a_deck_opens_as_a_file(open_visit):
    page = open_deck(open_visit, Path(DECKS[-1]).name, by_file=True)
    assert page.locator("section.present h1").is_visible()
    assert page.locator("mjx-container").count() > 10
