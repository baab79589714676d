"""On paper: the PDF of a whole book, and a page that a reader prints with Ctrl-P."""

import re
import zipfile
from html import unescape
from io import BytesIO
from xml.etree import ElementTree

import pytest
from PIL import Image
from pypdf import PdfReader

from tests.small_book import make_small_book
from tools.print.browser import chromium, opened
from tools.print.document import assemble
from tools.print.epub import make_epub, picture
from tools.print.pdf import outline, page_numbers, print_pdf

LONG = "Deep, and with so long a name that one line of paper does not hold it, so it goes on in a second"
HEADINGS = ["Contents", "Small & plain", "1. One", "1.1. Problem", LONG, "2. Two", "2.1. Problem"]


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    root = make_small_book(tmp_path_factory.mktemp("book"))
    path = root / "_build/print/book.html"
    path.parent.mkdir()
    path.write_text(assemble(root, author="Anna Ny", edition="Edition 1"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def pdf(document, browser):
    return print_pdf(document, browser)


@pytest.fixture(scope="module")
def sheets(pdf):
    return [sheet.extract_text() for sheet in PdfReader(BytesIO(pdf)).pages]


def test_the_outline_is_the_headings(pdf):
    assert outline(pdf) == HEADINGS


def test_cover_contents_and_each_chapter_begin_a_page(sheets):
    assert len(sheets) == 5
    assert ["Edition 1" in sheets[0], "Contents" in sheets[1], "It is folded." in sheets[3]] == [True] * 3


def test_the_contents_have_the_pages_to_which_their_links_lead(pdf, sheets):
    numbers = page_numbers(pdf)
    assert (numbers["1-one"], numbers["2-two--problem"]) == (4, 5)
    assert [line for line in sheets[1].splitlines() if "Problem" in line] == [
        "1.1 Problem 4",
        "2.1 Problem 5",
    ]


def test_equations_keep_their_numbers_and_pages_have_theirs(sheets):
    assert sheets[4].count("(2.7)") == 2
    assert sheets[4].splitlines()[0] == "52. Two"  # the footer's two ends


def test_a_missing_picture_is_named(document, browser):
    broken = document.with_name("broken.html")
    broken.write_text(document.read_text().replace("dot.svg", "nowhere.svg"))
    with pytest.raises(SystemExit, match=r"^emvae: the book was not printed: 2 pictures .*nowhere\.svg$"):
        print_pdf(broken, browser)


def test_a_formula_in_error_is_named(document, browser):
    broken = document.with_name("wrong.html")
    broken.write_text(document.read_text().replace("x = 1", r"\unheard"))
    with pytest.raises(SystemExit, match=r"formulas are wrong, the first is .*unheard"):
        print_pdf(broken, browser)


def test_what_is_wider_than_the_page_is_set_smaller(document, browser):
    wide = document.with_name("wide.html")
    wide.write_text(document.read_text().replace("x = 1", "x = 1" + " + 123456789" * 12))
    with opened(wide, browser) as page:
        formula, column = (page.locator(s).bounding_box() for s in ("mjx-math >> nth=0", "#\\32-two"))
        assert formula["x"] + formula["width"] <= column["x"] + column["width"]


@pytest.mark.parametrize(
    ("named", "said"), [("", "no Chromium was found"), ("/no/such", "/no/such (CHROMIUM)")]
)
def test_a_machine_without_chromium_is_told_what_to_install(monkeypatch, tmp_path, named, said):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CHROMIUM", named)
    with pytest.raises(SystemExit) as ended:
        chromium()
    assert said in str(ended.value)
    assert "apt install chromium" in str(ended.value)


PRINTED = "book/4-reparameterisation"


@pytest.fixture(scope="module", params=["light", "dark"])
def paper(new_visit, request):
    """Return a page as Ctrl-P prints it, with the reader's theme light or dark."""
    visit = new_visit(PRINTED, scheme=request.param, viewport={"width": 650, "height": 1000})
    visit.page.emulate_media(media="print", color_scheme=request.param)
    yield visit.page
    visit.page.context.close()


def test_only_the_article_is_printed(paper):
    around = ".bd-header, .bd-sidebar-primary, .bd-sidebar-secondary, .prev-next-footer, .bd-footer, .copybtn"
    assert paper.locator(around).count() > 3
    assert paper.locator(f":is({around}):visible").count() == 0
    assert paper.locator(".bd-article h1").is_visible()


def test_ink_is_dark_on_white(paper):
    colours = "e => [getComputedStyle(document.body).backgroundColor, getComputedStyle(e).color]"
    assert paper.locator(".bd-article section > p").first.evaluate(colours) == [
        "rgb(255, 255, 255)",
        "rgb(0, 0, 0)",
    ]
    backs = paper.locator(".bd-article :is(blockquote, .admonition, pre)").evaluate_all(
        "all => all.map(e => getComputedStyle(e).backgroundColor.match(/[\\d.]+/g).map(Number))"
    )
    assert [back for back in backs if back[3:] != [0] and min(back[:3]) < 225] == []
    code = paper.locator(".highlight .k, .highlight .kn").evaluate_all(
        "all => all.map(e => getComputedStyle(e).color.match(/\\d+/g).slice(0, 3).map(Number))"
    )
    assert len(code) > 10
    assert [colour for colour in code if min(colour) > 110] == []


def test_solutions_and_proofs_are_unfolded(paper):
    folded = paper.locator("article details > :not(summary)")
    heights = folded.evaluate_all("all => all.map(e => e.checkVisibility() ? e.clientHeight : 0)")
    assert len(heights) > 5
    assert [height for height in heights if height == 0] == []


def test_nothing_is_cut_at_the_right_margin(paper):
    cut = """all => all.filter(e => e.scrollWidth > e.clientWidth + 1
        && getComputedStyle(e).overflowX !== 'visible').map(e => e.textContent.slice(0, 60))"""
    assert paper.locator(".bd-article :is(pre, table, div)").evaluate_all(cut) == []
    wide = paper.locator(".bd-article pre").evaluate_all("all => all.filter(e => e.scrollWidth > 652).length")
    assert wide == 0


def test_a_packed_picture_is_unpacked_for_an_epub(tmp_path):
    drawn = Image.new("RGB", (3, 2), "#0072b2")
    drawn.save(tmp_path / "a.webp", lossless=True)
    name, content = picture(tmp_path / "a.webp")
    assert name == "a.png"
    assert Image.open(BytesIO(content)).tobytes() == drawn.tobytes()


@pytest.fixture(scope="module")
def epub(document, browser):
    with zipfile.ZipFile(BytesIO(make_epub(document, browser))) as archive:
        assert archive.infolist()[0].filename == "mimetype"
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_epub_lists_what_it_holds_and_its_contents_lead_to_sections(epub):
    package = ElementTree.fromstring(epub["book.opf"])
    listed = {item.get("href") for item in package.iter("{http://www.idpf.org/2007/opf}item")}
    assert listed == epub.keys() - {"mimetype", "META-INF/container.xml", "book.opf"}
    links = re.findall(r'href="([^"]+)">([^<]+)<', epub["contents.xhtml"].decode())
    assert ("2-two.xhtml#2-two--problem", "2.1. Problem") in links
    assert [unescape(text) for _, text in links] == [h for h in HEADINGS if h not in {"Contents", LONG}]


def test_pages_of_an_epub_are_xml_with_formulas_in_mathml_and_links_to_each_other(epub):
    page = ElementTree.fromstring(epub["2-two.xhtml"])
    assert "".join(page.find(".//{http://www.w3.org/1998/Math/MathML}math").itertext()) == "x=1+𝔼𝒩"
    targets = [link.get("href") for link in page.iter("{http://www.w3.org/1999/xhtml}a")]
    assert targets == ["2-two.xhtml#2-two--equation-e", "1-one.xhtml#1-one--problem"]
    assert b'src="dot.svg"' in epub["index.xhtml"]
    assert epub["dot.svg"].endswith(b'8z"/><path d="M0 0" id="p"/></svg>')
    assert b"DOCTYPE" not in epub["dot.svg"]
    assert epub["pygments.css"] == b".k { color: #900 }"
