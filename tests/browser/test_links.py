"""Links within the book lead somewhere: to a page, a file, or a place on a page."""

from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from tests.browser.conftest import HTML


class Targets(HTMLParser):
    """The places of a page that a link can lead to, and where its own links lead."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links = {""}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.ids.add(value)
            elif name in {"href", "src"} and tag != "base":
                self.links.append(value or "")


def broken(pages, exists):
    """Yield the links of pages, {path: Targets}, that lead to no file, or to no place on a page."""
    for path, page in pages.items():
        for link in set(page.links):
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            place = unquote(url.fragment)
            if not exists(target) or (place and target in pages and place not in pages[target].ids):
                yield f"{path.name}: {link}"


@pytest.fixture(scope="module")
def pages(site):
    return {path: Targets(path.read_text(encoding="utf-8")) for path in HTML.resolve().rglob("*.html")
            if "_static" not in path.parts}  # fmt: skip


def test_internal_links_lead_somewhere(pages):
    assert sum(len(page.links) for page in pages.values()) > 2000
    assert sorted(broken(pages, lambda path: path.exists())) == []


@pytest.mark.parametrize(
    ("link", "count"),
    [
        ("#here", 0), ("#there", 1), ("b.html#place", 0), ("b.html#here", 1), ("c.html", 1),
        ("https://example.org/x", 0), ("mailto:a@example.org", 0), ("", 0),
    ],
)  # fmt: skip
def test_a_broken_link_is_seen(tmp_path, link, count):
    a, b = tmp_path / "a.html", tmp_path / "b.html"
    pages = {a: Targets(f'<p id="here"><a href="{link}">x</a>'), b: Targets('<p id="place">')}
    assert len(list(broken(pages, pages.__contains__))) == count
