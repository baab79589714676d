"""A check is one line that opens, a quick question one choice of three: with scripts, without, on paper."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.browser.test_reading import FIRST
from tests.browser.test_reading_progress import NO_STORAGE

LINE = re.compile(r"^✓ (\(1\.\d+\)|Figure 1\.\d+).* checked: .*error \S+ \(tolerance \S+\)$")


@pytest.fixture(scope="module")
def first(new_visit):
    """Return chapter 1, for tests that leave no trace."""
    visit = new_visit(FIRST)
    yield visit.page
    visit.page.context.close()


@pytest.fixture
def without_scripts(browser, site):
    """Return chapter 1 as it is where no scripts run."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url(FIRST))
    yield page
    context.close()


def test_every_check_is_one_line_that_names_numbers(first):
    lines = first.locator(".check-line > summary").all_inner_texts()
    assert len(lines) > 5
    assert [line for line in lines if not LINE.match(line) and not line.startswith("✓ Checked: ")] == []
    assert first.get_by_text("holds, error at most").filter(visible=True).count() == 0


def test_a_line_is_as_high_as_a_line_or_two(first):
    heights = first.locator(".check-line > summary").evaluate_all(
        "lines => lines.map(line => line.getBoundingClientRect().height)"
    )
    assert max(heights) <= 50


def test_a_line_opens_and_closes_by_keyboard(first):
    line = first.locator(".check-line").first
    code = line.locator(".cell_input")
    expect(code).to_be_hidden()
    line.locator("summary").focus()
    first.keyboard.press("Enter")
    expect(code).to_be_visible()
    expect(line.locator(".cell_output").first).to_be_visible()
    first.keyboard.press("Space")
    expect(code).to_be_hidden()


def test_the_line_of_a_figure_stands_directly_below_it(first):
    below = first.evaluate("""() => [...document.querySelectorAll('.of-figure')].map(line => {
      let above = line.previousElementSibling;
      while (above.matches('.of-figure')) above = above.previousElementSibling;
      return above.matches('figure') || above.querySelector('figure') !== null;
    })""")
    assert len(below) > 0
    assert all(below)


def test_the_browsers_own_search_opens_a_line(open_page, first):
    words = first.locator(".check-line pre").first.evaluate("e => e.textContent.trim().split('\\n')[0]")
    page = open_page(f"{FIRST}.html#:~:text={words.replace('-', '%2D').replace(',', '%2C')}")
    expect(page.locator(".check-line[open]").first).to_be_attached()


def test_on_paper_a_line_stands_without_its_code_and_a_question_with_its_answer(open_page):
    page = open_page(FIRST)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator(".check-line > summary").first).to_be_visible()
    assert page.locator(".check-line .cell_input").filter(visible=True).count() == 0
    question = page.locator("fieldset.question").first
    expect(question.locator(".answer p").first).to_be_visible()
    expect(question.locator("li").nth(2)).to_be_visible()
    assert question.locator("input").filter(visible=True).count() == 0


def test_both_do_without_scripts(without_scripts):
    line = without_scripts.locator(".check-line").first
    line.locator("summary").click()
    expect(line.locator(".cell_input")).to_be_visible()
    question = without_scripts.locator("fieldset.question").first
    assert question.locator("li").count() == 3
    assert question.locator("input").count() == 0
    question.locator("summary").click()
    expect(question.locator(".answer p").first).to_contain_text(re.compile(r"^[abc] is right\. "))


def options(page):
    """Return the first question, its right option and a wrong one."""
    question = page.locator("fieldset.question").first
    right = int(question.get_attribute("data-right"))
    radios = question.get_by_role("radio")
    assert radios.count() == 3
    return question, radios.nth(right - 1), radios.nth(right % 3)


@pytest.mark.parametrize("viewport", [None, PHONE])
def test_a_choice_is_judged_at_once_kept_and_forgotten(open_page, viewport):
    page = open_page(FIRST, **({"viewport": viewport} if viewport else {}))
    question, right, wrong = options(page)
    verdict = question.get_by_role("status")
    expect(question.locator(".answer")).not_to_have_attribute("open", "")
    wrong.check()
    expect(verdict).to_have_text("Not this one.")
    expect(question.locator(".answer p").first).to_be_visible()
    right.check()
    expect(verdict).to_have_text("Right.")
    page.reload()
    question, right, wrong = options(page)
    expect(right).to_be_checked()
    expect(question.get_by_role("status")).to_have_text("Right.")
    page.get_by_role("button", name="Forget my progress").click()
    expect(right).not_to_be_checked()
    expect(question.locator(".question-verdict")).to_be_empty()
    expect(question.locator(".answer p").first).to_be_hidden()


def test_a_choice_is_made_by_keyboard(open_page):
    page = open_page(FIRST)
    question, *_ = options(page)
    radios = question.get_by_role("radio")
    radios.first.focus()
    page.keyboard.press("Space")
    expect(radios.first).to_be_checked()
    page.keyboard.press("ArrowDown")
    expect(radios.nth(1)).to_be_checked()
    expect(question.get_by_role("status")).to_have_text(re.compile("Right|Not this one"))


def test_a_screen_reader_hears_question_and_options(first):
    question, *_ = options(first)
    asked = question.locator("legend").inner_text().split("\n")[0][:20]
    expect(first.get_by_role("group", name=asked).first).to_be_attached()
    labels = question.evaluate(
        "e => [...e.querySelectorAll('input')].map(i => i.labels[0].textContent.trim())"
    )
    assert all(labels)
    assert len(set(labels)) == 3


def test_a_choice_is_judged_where_nothing_can_be_kept(browser, site):
    context = browser.new_context()
    context.add_init_script(NO_STORAGE)
    page = context.new_page()
    page.goto(site.url(FIRST))
    question, right, _ = options(page)
    right.check()
    expect(question.get_by_role("status")).to_have_text("Right.")
    assert page.locator(".progress-line").count() == 0
    context.close()
