"""A page's facts in a line below its title: what time it takes, what it needs, what can be downloaded.

The times stand once, in ``reading_times`` of _config.yml; the role ``{reading-times}`` writes them elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

logger = logging.getLogger(__name__)

READINGS = ("first reading", "with derivations", "with exercises")


class ReadingTimes(SphinxRole):
    """``{reading-times}`book/1-responsibilities` ``: the page's times, as short as they are."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Look them up."""
        minutes = self.config.reading_times.get(self.text)
        if not minutes:
            where = self.get_location()
            logger.warning("%s has no reading_times in _config.yml", self.text, location=where)
        return [nodes.Text(" / ".join(map(duration, minutes or [])))], []


def duration(minutes: int) -> str:
    """Write a time: 40 min, 1 h 40 min, 2 h."""
    hours, rest = divmod(minutes, 60) if minutes >= 90 else (0, minutes)
    parts = [f"{hours} h" if hours else "", f"{rest} min" if rest else ""]
    return " ".join(filter(None, parts)).replace(" ", "\N{NO-BREAK SPACE}")


def times(minutes: list[int]) -> str:
    """Say how long a page takes: one time, or one for each kind of reading."""
    if len(minutes) == 1:
        return f"About {duration(minutes[0])}"
    told = ", ".join(f"{kind} {duration(n)}" for kind, n in zip(READINGS, minutes, strict=False))
    return told[0].upper() + told[1:]


def add_facts(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put a line below the title: times, what the page needs, what can be downloaded."""
    if app.builder.format != "html":
        return
    title = next(iter(doctree.findall(nodes.title)), None)
    if title is None:
        return
    items = []
    if docname in app.config.reading_times:
        items.append([nodes.Text(times(app.config.reading_times[docname]))])
    needed = list(existing(app, docname))
    if needed:
        links = [link(app, docname, name, short(app, name)) for name in needed]
        items.append([nodes.Text("Needs "), *comma_separated(links)])
    if app.env.doc2path(docname).endswith(".ipynb"):
        own = relative(app, docname, f"_sources/{docname}.ipynb")
        course = relative(app, docname, app.config.course_archive)
        links = [to(own, "this notebook"), nodes.Text(" or "), to(course, "the course")]
        items.append([nodes.Text("Download "), *links])
    if not items:
        return
    facts = nodes.bullet_list(classes=["page-facts"])
    facts += [nodes.list_item("", nodes.paragraph("", "", *item)) for item in items]
    title.parent.insert(title.parent.index(title) + 1, facts)


def existing(app: Sphinx, docname: str) -> Iterator[str]:
    """Yield the pages that a page needs; warn of one that there is not."""
    for name in app.config.reading_needs.get(docname, []):
        if name in app.env.titles:
            yield name
        else:
            logger.warning("reading_needs in _config.yml: %s needs %s, which is no page", docname, name)


def short(app: Sphinx, docname: str) -> str:
    """Name a page in a few words: its chapter, or its title."""
    number = docname.rpartition("/")[2].partition("-")[0]
    return f"chapter {number}" if number.isdigit() else app.env.titles[docname].astext().lower()


def link(app: Sphinx, docname: str, target: str, text: str) -> nodes.reference:
    """Return a link from one page to another."""
    return to(app.builder.get_relative_uri(docname, target), text)


def to(address: str, text: str) -> nodes.reference:
    """Return a link."""
    return nodes.reference("", text, refuri=address, internal=True)


def relative(app: Sphinx, docname: str, path: str) -> str:
    """Return the address of a built file as seen from a page."""
    return "../" * docname.count("/") + path


def comma_separated(parts: list[nodes.reference]) -> Iterator[nodes.Node]:
    """Yield links with a comma or an "and" between them."""
    for i, part in enumerate(parts):
        if i:
            yield nodes.Text(" and " if i == len(parts) - 1 else ", ")
        yield part


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the settings, the role, and what adds the line."""
    app.add_config_value("reading_needs", {}, "env", dict)
    app.add_config_value("reading_times", {}, "env", dict)
    app.add_role("reading-times", ReadingTimes())
    app.connect("doctree-resolved", add_facts, priority=910)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
