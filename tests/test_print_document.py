"""The pages of a built book become one document in which every link leads where it led."""

import pytest
from bs4 import BeautifulSoup

from tests.small_book import make_small_book
from tools.print.built_pages import Page, prepare, read_page
from tools.print.document import assemble


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    root = make_small_book(tmp_path_factory.mktemp("book"))
    return BeautifulSoup(assemble(root, author="Anna Ny", edition="Edition <1>"), "html.parser")


def test_pages_stand_in_reading_order_without_the_theme_around_them(document):
    assert [page["id"] for page in document.select(".print-page")] == ["index", "1-one", "2-two"]
    assert "menu" not in document.get_text()
    assert document.select(".headerlink") == []
    assert document.select("main script") == []


def test_no_id_occurs_twice_and_every_link_within_leads_to_one(document):
    ids = [tag["id"] for tag in document.find_all(id=True)]
    links = [tag["href"] for tag in document.select("a[href^='#']")]
    assert len(ids) == len(set(ids))
    assert [link for link in links if link[1:] not in ids] == []
    assert {"#1-one", "#2-two--problem", "#1-one--problem", "#2-two--equation-e"} <= set(links)


def test_links_that_leave_the_book_stay_and_links_to_what_is_not_printed_go(document):
    assert document.find("a", string="out")["href"] == "https://example.org/#x"
    assert not document.find("a", string="search").has_attr("href")


def test_drawings_keep_their_arrows(document):
    assert document.find("path")["marker-end"] == f"url(#{document.find('marker')['id']})"


def test_pictures_and_styles_are_those_of_the_built_book(document):
    assert {image["src"] for image in document.find_all("img")} == {"../html/_static/dot.svg"}
    assert [tag["href"] for tag in document.find_all("link")] == ["../html/_static/print.css"]
    scripts = [tag.get("src") for tag in document.find_all("script")]
    assert scripts == [None, "../html/_static/mathjax/tex-chtml.js"]


def test_proofs_are_unfolded_and_checks_stand_as_one_line(document):
    proof, check = document.find_all("details")
    assert proof.has_attr("open")
    assert "It is folded." in proof.get_text()
    assert check.get_text() == "✓ (2.7) checked"


def test_contents_list_parts_chapters_and_sections(document):
    lines = [line.get_text(" ", strip=True) for line in document.select(".print-contents p")]
    chapters = ["1 One", "1.1 Problem", "2 Two", "2.1 Problem"]
    assert lines == ["Small & plain", "The course", *chapters]
    assert document.select_one(".print-contents .print-h2 a")["href"] == "#1-one--problem"


def test_the_cover_has_title_picture_and_edition(document):
    cover = document.select_one(".print-cover")
    assert cover.get_text(" ", strip=True) == "Small & plain A book in two chapters. Anna Ny. Edition <1>"
    assert cover.img["alt"] == ""


def test_each_page_has_its_title_in_the_footer(document):
    style = document.style.string
    assert '@page sheet-2-two { @bottom-left { content: "2. Two"; } }' in style
    assert document.find(id="2-two")["style"] == "page: sheet-2-two"


def test_a_page_that_is_none_is_named(tmp_path):
    (tmp_path / "x.html").write_text("<html><article>nothing</article></html>")
    with pytest.raises(ValueError, match=r"x\.html has no article with a heading"):
        read_page(tmp_path, "x")


def test_pages_of_one_name_in_two_folders_are_two():
    links = '<a href="../../1-one.html#b">chapter</a><a href="#a">here</a><img src="../../../_images/p.png"/>'
    article = BeautifulSoup(f'<article><h1 id="a">A</h1>{links}</article>', "html.parser").article
    prepare(Page("book/more/1-one/1-one", article), {"1-one", "more-1-one-1-one"})
    assert article["id"] == "more-1-one-1-one"
    assert [a["href"] for a in article.find_all("a")] == ["#1-one--b", "#more-1-one-1-one--a"]
    assert article.img["src"] == "../html/_images/p.png"
