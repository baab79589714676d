"""A built book of three small pages, as Sphinx would leave it: what tools/print makes one document of."""

import importlib.util
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOC = """
root: book/index
parts:
  - caption: The course
    chapters:
      - file: book/1-one
        sections:
          - file: book/2-two
"""
HEAD = """<head><title>t</title>
<link rel="stylesheet" href="../_static/print.css"/>
<link rel="next" href="1-one.html"/>
<script src="../_static/other.js"></script>
<script>window.MathJax = {}</script>
<script defer src="../_static/mathjax/tex-chtml.js"></script></head>"""
INDEX = """<section id="home"><h1>Small &amp; plain<a class="headerlink" href="#home">#</a></h1>
<p><strong>A book in two chapters.</strong> More of it.</p>
<figure id="fig"><img alt="A dot" src="../_static/dot.svg"/></figure>
<p><a href="1-one.html">one</a> <a href="2-two.html#problem">two</a> <a href="../search.html">search</a>
<a href="https://example.org/#x">out</a></p></section>"""
ONE = """<section id="one"><h1><span class="section-number">1. </span>One</h1>
<section id="problem"><h2><span class="section-number">1.1. </span>Problem</h2>
<svg><defs><marker id="arrow"></marker></defs><path marker-end="url(#arrow)"></path></svg>
<section id="deep">
<h3>Deep, and with so long a name that one line of paper does not hold it, so it goes on in a second</h3>
<details class="sd-dropdown"><summary>Proof</summary>
<div id="content"><p>It is folded.</p></div><div id="content"></div></details>
<details class="fold thin check-line"><summary>✓ (2.7) checked</summary><p>report("eq-e")</p></details>
</section></section></section>
<script>late()</script>"""
TWO = r"""<section id="two"><h1><span class="section-number">2. </span>Two</h1>
<section id="problem"><h2><span class="section-number">2.1. </span>Problem</h2>
<div class="math" id="equation-e"><span class="eqno">(2.7)</span>
\[x = 1 + \mathbb E\mathcal N\]</div>
<p><a href="#equation-e">(2.7)</a> <a href="1-one.html#problem">before</a></p></section></section>"""
CODE = 'html[data-theme="light"] .k { color: #900 }\nhtml[data-theme="dark"] .k { color: #f99 }\n'
DOT = """<!DOCTYPE svg>
<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M1 1H8V8z"/><path id="p"/></svg>"""


def make_small_book(root):
    """Write table of contents, pages and what the pages load into a folder."""
    static, book = root / "_build/html/_static", root / "_build/html/book"
    static.mkdir(parents=True)
    book.mkdir()
    (root / "_toc.yml").write_text(TOC)
    (static / "dot.svg").write_text(DOT)
    (static / "pygments.css").write_text(CODE)
    shutil.copy(ROOT / "book/_static/print.css", static)
    (static / "mathjax").symlink_to(mathjax())
    for name, article in {"index": INDEX, "1-one": ONE, "2-two": TWO}.items():
        body = f'<body><nav>menu</nav><article class="bd-article">{article}</article></body>'
        (book / f"{name}.html").write_text(f"<html>{HEAD}{body}</html>")
    return root


def mathjax():
    """Return the folder of MathJax that the installed extension carries."""
    package = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent
    return next(package.rglob("tex-chtml.js")).parent
