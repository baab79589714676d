"""What a reader keeps: in this browser only, forgotten on request, and not missed where it cannot be kept."""

from playwright.sync_api import expect

FIRST, TEST = "book/1-responsibilities", "book/prerequisites"
NO_STORAGE = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("forbidden", "SecurityError"); },
})"""


def test_sections_that_were_read_are_remembered_until_they_are_forgotten(open_visit, site):
    visit = open_visit(FIRST)
    page = visit.page
    sections = page.locator("article h2").count()
    assert page.locator(".progress-tick").count() == sections
    expect(page.locator(".progress-line")).to_be_hidden()
    page.get_by_label("I have read “Problem”").check()
    page.get_by_label("I have read “Summary”").check()
    page.reload()
    expect(page.get_by_label("I have read “Summary”")).to_be_checked()
    expect(page.locator(".progress-mark")).to_have_text(f"2 of {sections} read")
    page.goto(site.url("book/glossary"))
    expect(page.locator(".progress-mark")).to_have_text(f"2 of {sections} read")
    page.get_by_role("button", name="Forget my progress").click()
    expect(page.locator(".progress-mark")).to_have_count(0)
    assert page.evaluate("localStorage.getItem('emvae-progress')") is None
    assert [url for url in visit.record.requests if not site.is_own(url)] == []


def test_the_self_test_counts_and_advises(open_page):
    page = open_page(TEST)
    answers = page.locator(".progress-answer")
    assert answers.count() == 10
    for i in range(10):
        answers.nth(i).get_by_label("Yes" if i < 8 else "Not quite").check()
    expect(page.locator(".progress-line")).to_contain_text("8 of 10 right: begin with chapter 1.")
    answers.nth(0).get_by_label("Not quite").check()
    expect(page.locator(".progress-line")).to_contain_text("7 of 10 right: read the sections")
    page.reload()
    expect(answers.nth(1).get_by_label("Yes")).to_be_checked()


def test_without_storage_nothing_of_it_shows_and_all_else_works(browser, site):
    context = browser.new_context()
    context.add_init_script(NO_STORAGE)
    page = context.new_page()
    page.goto(site.url(FIRST))
    expect(page.locator(".zoom-button").first).to_be_attached()
    assert page.locator(".progress-tick, .progress-line").count() == 0
    context.close()
