"""The book asks nobody: no page, from a server or from files, sends a request to another host."""

import re

import pytest

from tests.browser.conftest import HTML, OTHER_PAGES, PAGES

# Every kind of thing on a page that does something when it is clicked, one of each.
CLICKED = [
    ".theme-switch-button",
    "article summary",
    ".zoom-button",
    ".zoom-close",
    "button.copybtn",
    ".progress-tick input",
    ".progress-answer input",
    ".progress-line button",
    ".dropdown-download-buttons > button",
    ".secondary-toggle",
    ".primary-toggle",
    ".live-stage button",
    ".btn-fullscreen-button",
    ".search-button-field",
]
LOADED = re.compile(r"<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=\"(?:https?:)?//[^\"]*")
LINKED = re.compile(r"<link\b[^>]*\bhref=\"(?:https?:)?//[^\"]*")


def outside(visit, site):
    """Return the addresses on other hosts that a page has asked for."""
    return [url for url in visit.record.requests if not site.is_own(url)]


def test_a_page_from_a_server_asks_no_other_host(visit, site):
    assert len(visit.record.requests) > 5
    assert outside(visit, site) == []
    assert visit.record.failures == []
    assert visit.record.errors == []


@pytest.mark.parametrize("name", [*PAGES, *OTHER_PAGES])
def test_a_page_from_a_file_asks_no_other_host_whatever_is_clicked(name, site, open_visit):
    visit = open_visit(name, by_file=True)
    clicked = visit.page.evaluate(
        """selectors => selectors.filter(selector => {
          const found = [...document.querySelectorAll(selector)].slice(0, 2);
          found.forEach(element => element.click());
          return found.length;
        })""",
        CLICKED,
    )
    links = visit.page.locator("article a.internal[href*='#equation-']:visible")
    if links.count():
        links.last.focus()
    visit.page.wait_for_load_state("networkidle")
    assert set(clicked) >= {".theme-switch-button", ".primary-toggle", ".search-button-field"}
    assert len(visit.record.requests) > 5
    assert outside(visit, site) == []
    assert visit.record.failures == []
    assert visit.record.errors == []


def test_a_request_to_another_host_would_be_seen(site, open_visit):
    visit = open_visit("search")
    visit.page.evaluate("fetch('https://example.org/x').catch(() => 0)")
    assert outside(visit, site) == ["https://example.org/x"]


def test_no_page_names_a_script_or_style_of_another_host(site):
    pages = list(HTML.rglob("*.html"))
    assert len(pages) >= len(PAGES)
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert LOADED.findall(text) + LINKED.findall(text) == [], path.name
        assert re.findall(r"thebe|unpkg|jsdelivr|cdnjs", text, re.I) == [], path.name


def test_every_formula_is_set_and_can_be_read_aloud(visit):
    formulas = count_formulas(visit.name)
    count = "selector => document.querySelectorAll(selector).length"
    assert visit.page.evaluate(count, "mjx-container") == formulas
    assert visit.page.evaluate(count, "mjx-container > mjx-assistive-mml > math") == formulas
    assert visit.page.evaluate(count, "mjx-merror, merror, [data-mjx-error]") == 0


def count_formulas(name):
    """Count the formulas in the source of a built page."""
    source = (HTML / f"{name}.html").read_text(encoding="utf-8")
    return len(re.findall(r"<(?:span|div) class=\"[^\"]*\bmath\b", source))


def test_the_course_has_formulas(site):
    assert sum(map(count_formulas, PAGES)) > 2000
