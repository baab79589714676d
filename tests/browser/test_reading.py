"""What helps to read: facts, folds, previews, zoom, keys, a phone; and pages complete without scripts."""

import re

import book_pages
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PAGES, PHONE, ROOT

NOTEBOOKS = [page.name for page in book_pages.read_book(ROOT) if page.is_notebook]
CHAPTERS = [name for name in PAGES if name.split("/")[-1][0].isdigit()]
FIRST, SECOND = CHAPTERS[:2]
SOLUTION = "sol-responsibility-logistic"


@pytest.fixture(scope="module")
def first(new_visit):
    """Return chapter 1, for tests that leave no trace."""
    visit = new_visit(FIRST)
    yield visit.page
    visit.page.context.close()


def test_a_chapter_says_how_long_it_takes_and_what_it_needs(visit):
    facts = visit.page.locator(".page-facts")
    if visit.name not in NOTEBOOKS:
        assert facts.locator("a[href$='.zip']").count() == 0
        return
    text = facts.inner_text()
    assert re.search(r"First reading \d+\s(h|min)", text)
    assert "Needs " in text
    assert visit.page.locator(".prev-next-footer a").count() == 2


def test_the_sheet_speaks_in_every_chapter(visit):
    says = visit.page.locator(".sheet-says")
    assert (says.count() > 0) == (visit.name in CHAPTERS)
    assert all("The sheet says" in text for text in says.all_text_contents())


FOLDS = "open => document.querySelectorAll('article details').forEach(fold => { fold.open = open; })"
# The page marks what is wide when its size has changed: two frames later at most.
SETTLED = """() => new Promise(
  done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"""
TOO_WIDE = """() => [document.documentElement.scrollWidth, [...document.querySelectorAll("article *")].filter(
  element => element.getBoundingClientRect().right > innerWidth + 1
             && !element.closest("mjx-container, table, [aria-hidden]")
).map(element => element.outerHTML.slice(0, 120))]"""
CUT = """() => [...document.querySelectorAll("article pre")].filter(
  listing => listing.scrollWidth > listing.clientWidth + 1
).map(listing => listing.textContent.slice(0, 120))"""


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_no_line_of_a_listing_is_cut(visit, size):
    visit.page.set_viewport_size(size)
    visit.page.evaluate(FOLDS, True)
    cut = visit.page.evaluate(CUT)
    visit.page.evaluate(FOLDS, False)
    visit.page.set_viewport_size(DESKTOP)
    assert cut == []


def test_nothing_but_formulas_and_tables_is_wider_than_a_phone(visit):
    visit.page.set_viewport_size(PHONE)
    visit.page.evaluate(FOLDS, True)
    visit.page.evaluate(SETTLED)
    width, wide = visit.page.evaluate(TOO_WIDE)
    visit.page.evaluate(FOLDS, False)
    visit.page.set_viewport_size(DESKTOP)
    assert width <= PHONE["width"]
    assert wide == []


def test_a_link_into_a_fold_opens_it(open_page):
    page = open_page(f"{FIRST}.html#{SOLUTION}")
    fold = page.locator(f"#{SOLUTION}")
    assert fold.evaluate("fold => fold.open && fold.tagName === 'DETAILS'")
    expect(fold.locator("summary")).to_be_in_viewport()
    inside = page.locator("details:not([open]) div.math[id]").first.get_attribute("id")
    page.evaluate("id => { location.hash = id; }", inside)
    expect(page.locator(f"#{inside}")).to_be_in_viewport()


def test_a_fold_opens_by_keyboard(first):
    fold = first.locator("details.fold").nth(1)
    fold.locator("summary").focus()
    first.keyboard.press("Enter")
    assert fold.evaluate("fold => fold.open")
    first.keyboard.press("Enter")
    assert not fold.evaluate("fold => fold.open")


@pytest.mark.parametrize("by_file", [False, True])
def test_search_finds_a_word_and_opens_the_fold_that_holds_it(open_visit, by_file):
    visit = open_visit("search.html?q=logistic", by_file=by_file)
    results = visit.page.locator("#search-results li a")
    expect(results.first).to_be_visible()
    excerpt = visit.page.locator("#search-results li", has_text="Responsibilities").locator("p.context").first
    expect(excerpt).to_contain_text("logistic")
    result = visit.page.locator("#search-results a[href*='1-responsibilities']").first
    result.click()
    expect(visit.page.locator("details[open] .highlighted").first).to_be_attached()
    assert visit.record.errors == []
    assert visit.record.failures == []


def test_a_reference_on_the_page_shows_its_equation(first):
    link = first.locator("article > section p a.internal[href='#equation-eq-responsibility-bayes']").first
    link.hover()
    preview = first.locator("#preview")
    expect(preview.locator("mjx-container")).to_be_visible()
    assert link.get_attribute("aria-describedby") == "preview"
    first.keyboard.press("Escape")
    expect(preview).to_be_hidden()
    assert link.get_attribute("aria-describedby") is None
    first.mouse.move(0, 0)


@pytest.mark.parametrize("by_file", [False, True])
def test_a_reference_to_another_page_shows_its_equation(open_visit, by_file):
    visit = open_visit(CHAPTERS[2], by_file=by_file)
    visit.page.locator("a.internal[href^='1-responsibilities.html#equation-']").first.hover()
    formula = visit.page.locator("#preview mjx-container")
    expect(formula).to_be_visible()
    assert visit.page.locator("#preview mjx-merror").count() == 0
    assert visit.record.errors == []


def test_a_figure_is_enlarged_and_closed_by_keyboard(first):
    button = first.locator(".zoom-button:visible").first  # a live figure has taken the place of its picture
    button.focus()
    first.keyboard.press("Enter")
    dialog = first.locator("dialog.zoom-dialog")
    expect(dialog.locator("img")).to_be_visible()
    assert len(dialog.locator("img").get_attribute("alt").split()) > 5
    first.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()


def test_a_listing_can_be_copied(first):
    assert first.locator("button.copybtn").count() >= first.locator(".cell_input").count() > 10


def test_arrow_keys_turn_the_page(open_page):
    page = open_page(FIRST)
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**/{SECOND}.html")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**/{FIRST}.html")
    page.locator(".search-button-field").focus()
    page.keyboard.press("ArrowRight")
    assert page.url.endswith(f"{FIRST}.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_light_or_dark_before_it_is_seen(browser, site, scheme):
    page = browser.new_page(color_scheme=scheme)
    page.add_init_script(
        "document.addEventListener('readystatechange',"
        " () => { window.firstTheme ??= document.documentElement.dataset.theme; })"
    )
    page.goto(site.url(FIRST))
    assert page.evaluate("window.firstTheme") == scheme
    page.context.close()


def test_a_page_does_without_scripts(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url(FIRST))
    assert page.locator("article h2").count() > 5
    page.locator("details.fold:has(section) > summary").first.click()
    expect(page.locator("details.fold[open] section").first).to_be_visible()
    assert page.locator("figure img").first.is_visible()
    assert page.locator(".zoom-button, .progress-tick, #preview").count() == 0
    context.close()
