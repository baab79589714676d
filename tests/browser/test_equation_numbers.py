"""A failing check of an assignment says "(1.16), section 1.3.7": the built pages say the same."""

import json
import re
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "emvae" / "data" / "equations.json"
NUMBERED = re.compile(
    r'<h\d><span class="section-number">(?P<section>[\d.]+)\. </span>'
    r'|<span class="eqno">\((?P<number>[\d.]+)\)<a class="headerlink" href="#equation-(?P<label>[\w-]+)"'
)


def shown(page, html):
    """Yield the label of each equation of a page, and where it stands."""
    section = ""
    for found in NUMBERED.finditer(html):
        section = found["section"] or section
        if found["label"]:
            yield found["label"], {"page": page, "number": found["number"], "section": section}


def test_equations_and_sections_have_the_numbers_that_messages_give(site):
    stored = json.loads(DATA.read_text(encoding="utf-8"))
    pages = dict.fromkeys(place["page"] for place in stored.values())
    built = {}
    for page in pages:
        built |= shown(page, (site.folder / f"{page}.html").read_text(encoding="utf-8"))
    assert built == stored
