"""Everybody can read it: axe finds nothing, in light or dark; headings, alt texts and colours are right."""

import json
from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import PAGES

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
EVERYTHING = {
    "runOnly": {"type": "tag", "values": TAGS},
    # It takes a formula for nothing; a test below asks instead.
    "rules": {"empty-table-header": {"enabled": False}},
    "resultTypes": ["violations"],
    "preload": False,  # axe would fetch imported styles, from where they are not
}
# A theme changes colours and nothing else.
COLOURS = EVERYTHING | {"runOnly": ["color-contrast", "link-in-text-block"]}

# Folds are opened, so that axe sees what is in them. It need not see every word of a listing: one of each
# colour stands for all. Nor the glyphs that MathJax draws, for which the MathML that is read aloud stands.
PREPARE = """() => {
  document.querySelectorAll("article details").forEach(fold => { fold.open = true; });
  const style = document.createElement("style");
  style.textContent = ".seen-before { display: none !important; }";
  document.head.append(style);
  const seen = new Set();
  for (const token of document.querySelectorAll("article pre span[class]")) {
    const key = `${token.closest(".cell_output, .cell_input, .highlight").className} ${token.className}`;
    token.classList.toggle("seen-before", seen.has(key));
    seen.add(key);
  }
  document.querySelectorAll("mjx-math").forEach(glyphs => { glyphs.style.visibility = "hidden"; });
}"""
RESTORE = """() => {
  document.querySelectorAll("article details").forEach(fold => { fold.open = false; });
  document.querySelectorAll(".seen-before").forEach(element => element.classList.remove("seen-before"));
  document.querySelectorAll("mjx-math").forEach(glyphs => { glyphs.style.visibility = ""; });
}"""
HEADINGS = """() => [...document.querySelectorAll("main :is(h1, h2, h3, h4, h5, h6)")]
  .filter(heading => heading.offsetParent).map(heading => Number(heading.tagName[1]))"""


def violations(page, options):
    """Return what axe finds, as lines that say where."""
    found = Axe().run(page, options=options).response["violations"]
    nodes = [(violation["id"], node) for violation in found for node in violation["nodes"]]
    return [f"{name}: {n['target']} {n['html'][:120]} {json.dumps(n['any'])[:300]}" for name, n in nodes]


@pytest.fixture
def prepared(visit):
    """Return a page whose folds are open, and close them afterwards."""
    visit.page.evaluate(PREPARE)
    yield visit.page
    visit.page.evaluate(RESTORE)


def test_axe_finds_nothing_in_light(prepared):
    assert violations(prepared, EVERYTHING) == []


def test_axe_finds_nothing_in_dark(prepared):
    prepared.emulate_media(color_scheme="dark")
    expect(prepared.locator("html")).to_have_attribute("data-theme", "dark")
    prepared.evaluate("Promise.all(document.getAnimations().map(animation => animation.finished))")
    found = violations(prepared, COLOURS)
    prepared.emulate_media(color_scheme="light")
    expect(prepared.locator("html")).to_have_attribute("data-theme", "light")
    assert found == []


def test_axe_would_find_something(open_page):
    page = open_page("search")
    page.evaluate("document.querySelector('main').append(new Image(9, 9))")
    assert [line.partition(":")[0] for line in violations(page, EVERYTHING)] == ["image-alt"]


def test_language_title_and_headings(visit):
    assert visit.page.get_attribute("html", "lang") == "en"
    assert "From EM to the VAE" in visit.page.title()
    levels = visit.page.evaluate(HEADINGS)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert [pair for pair in pairwise(levels) if pair[1] > pair[0] + 1] == []


WEIGHTS = """() => [...document.querySelectorAll("article :is(h1, h2, h3, h4)")].map(heading => {
  const {fontSize, fontWeight} = getComputedStyle(heading);
  return [Number(heading.tagName[1]), -parseFloat(fontSize), -Number(fontWeight)];
})"""


def test_a_heading_is_larger_than_those_below_it_and_no_lighter(visit):
    looks = sorted({tuple(look) for look in visit.page.evaluate(WEIGHTS)})
    assert len(looks) == len({level for level, *_ in looks})
    for above, below in pairwise(looks):
        assert above[1] < below[1]
        assert above[2] <= below[2]


def test_a_column_is_headed_by_words_or_a_formula(visit):
    heads = visit.page.locator("article th").all_text_contents()
    assert [text for text in heads if not text.strip()] == []


def test_a_picture_is_named_by_what_it_shows(visit):
    names = visit.page.evaluate("() => [...document.querySelectorAll('article img')].map(image => image.alt)")
    assert [name for name in names if len(name.split()) < 6] == []
    assert len(names) > 0 or not visit.name.split("/")[-1][0].isdigit()


def test_every_chapter_is_judged():
    assert len([name for name in PAGES if name.split("/")[-1][0].isdigit()]) == 6
