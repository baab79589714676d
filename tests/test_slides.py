"""Decks refer to what their chapters hold, and a slide shows it with the chapter's own words beside it."""

from pathlib import Path

import book_pages
import pytest

from tools.slides.deck import Chapter, labels_of, read_entries, slides

ROOT = Path(__file__).resolve().parent.parent
DECKS = sorted((ROOT / "book" / "slides").glob("*.yml"))

PAGE = rb"""
<script src="../_static/mathjax/startup.js"></script>
<article><h1><span class="section-number">7. </span>Made up<a class="headerlink" href="#x">#</a></h1>
<section id="one"><h2><span class="section-number">7.1. </span>One<a class="headerlink" href="#one">#</a></h2>
<blockquote><p>The sheet's words.</p></blockquote>
<p>Before it, <a href="#fig-a">a link</a>.</p>
<div class="math" id="equation-eq-a">
<span class="eqno">(7.1)<a class="headerlink" href="#e">#</a></span>\[a = b.\]
</div>
<p>After it.</p>
<div class="cell"><div class="cell_input"><div class="highlight-ipython3"><pre>def em(x):
    return x</pre></div></div></div>
<figure id="fig-a"><img src="a.png" alt="A."><figcaption><p><span class="caption-number">Fig. 7.1 </span>
<span class="caption-text"><strong>It is <em>so</em>.</strong> And more.</span></p></figcaption></figure>
<figure class="live live-em live-on" id="fig-live-em"><img src="em.png" alt="EM."><figcaption><p>
<span class="caption-text"><strong>It lives.</strong></span></p></figcaption></figure>
<div class="proof theorem" id="thm-a">
<p class="admonition-title"><span class="caption-number">Theorem 7.1 </span> (A name)</p>
<section id="proof-content"><p>Let it be.</p></section></div>
<fieldset class="question" id="question-which-one"><legend>Which one?</legend><ol><li><p>This.</p></li></ol>
<details class="answer"><summary>Answer</summary><p><strong>a is right. </strong>Why.</p></details></fieldset>
</section><section id="two"><h2>Two</h2><ul><li>An aim.</li></ul></section></article>
"""


@pytest.fixture(scope="module")
def chapter():
    return Chapter(PAGE, "../book/7.html")


def slide(chapter, **entry):
    (made,) = slides(chapter, [entry])
    return made


def test_there_is_a_deck_for_each_chapter():
    chapters = [Path(name).name for name in book_pages.read_toc(ROOT) if Path(name).name[0].isdigit()]
    assert [path.stem for path in DECKS] == chapters


@pytest.mark.parametrize("path", DECKS, ids=lambda path: path.stem)
def test_a_deck_has_a_lecture_of_slides_and_refers_to_its_chapter(path):
    entries = read_entries(path)
    page = book_pages.read_page(ROOT, f"book/{path.stem}")
    source = "\n".join(cell["source"] + str(cell["metadata"]) for cell in page.cells)
    assert 15 <= 1 + len(entries) <= 25
    named = labels_of(entries) + [entry["question"] for entry in entries if "question" in entry]
    lacking = [name for name in named if name.replace("fig-live-", "{live} ") not in source]
    assert lacking == []


def test_a_figure_brings_its_claim_as_title_and_its_caption_as_notes(chapter):
    made = slide(chapter, show=["fig-a"])
    assert (made.title, made.kind, made.section) == ("It is <em>so</em>", "picture", "Section 7.1")
    assert 'src="a.png"' in made.content
    assert "figcaption" not in made.content
    assert "And more." in made.notes
    assert "Fig. 7.1" not in made.notes
    assert made.address == "../book/7.html#one"


def test_an_equation_keeps_its_number_and_stands_among_its_paragraphs(chapter):
    made = slide(chapter, show=["eq-a"], lines=["Here $x^2$."], say="Ask.")
    assert (made.title, made.kind) == ("One", "formula")
    assert r"\[a = b\]" in made.content
    assert "(7.1)" in made.content
    assert r'<li>Here <span class="math">\(x^2\)</span>.</li>' in made.content
    assert made.notes == "<p><strong>Ask.</strong></p><p>Before it, a link.</p><p>After it.</p>"


def test_a_question_keeps_its_answer_for_the_next_key(chapter):
    made = slide(chapter, question="Which")
    assert made.title == "Which one?"
    places = [made.content.index(words) for words in ("This.", 'class="fragment answer"', "Why.")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("entry", "title", "kind", "words"),
    [
        ({"show": ["thm-a"]}, "A name", "formula", "Let it be."),
        ({"show": ["fig-live-em"]}, "It lives", "live", 'class="live live-em'),
        ({"code": "em"}, "One", "code", "def em(x):"),
        ({"sheet": "One", "title": "The sheet"}, "The sheet", "sheet", "The sheet's words."),
        ({"list": "Two"}, "Two", "list", "An aim."),
    ],
)
def test_what_a_slide_may_show(chapter, entry, title, kind, words):
    made = slide(chapter, **entry)
    assert (made.title, made.kind) == (title, kind)
    assert words in made.content
    assert [mark for mark in ("headerlink", ' id="', "<a ") if mark in made.content] == []


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"show": ["eq-none"]}, "slide 1: the page has no label 'eq-none'"),
        ({"question": "What"}, "no question that begins with 'What'"),
        ({"code": "none"}, "no listing of 'none'"),
        ({"sheet": "Two"}, "no section 'Two' that has such a part"),
    ],
)
def test_a_reference_that_leads_nowhere_names_its_slide(chapter, entry, message):
    with pytest.raises(ValueError, match=message):
        slide(chapter, **entry)


def test_a_key_that_nobody_reads_is_refused(tmp_path):
    path = tmp_path / "7.yml"
    path.write_text("- eq-a\n- shows: eq-a\n")
    with pytest.raises(ValueError, match="slide 2: 'shows' is none of"):
        read_entries(path)
