"""Sphinx directive ``{live} em``: a picture, and in its place a live figure where scripts run.

::

    ```{live} em
    :alt: What the picture shows.

    **The claim in one sentence.** Then the rest of the caption.
    ```

``:small:`` makes a figure that has no name and fewer controls, for a page that only invites.

The picture is ``book/_static/live/em.png``, which ``make widgets`` draws; readers without JavaScript, the
printed book and every builder but HTML show it. The figure is numbered and has the name ``fig-live-em``.
A page that holds live figures loads the shared scripts and each figure's own, in the order of PARTS, all
deferred; other pages load none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FOLDER = Path(__file__).resolve().parent.parent / "_static" / "live"
# In the order in which they are loaded: <name>-<part>.js, then <name>.js.
PARTS = {
    "shared": ("data", "maths", "normal", "canvas", "controls", "run", "staircase", "player"),
    "responsibilities": ("data", "maths", "words"),
    "em": ("data", "maths", "draw", "words"),
    "bits": ("data", "maths"),
    "gradients": ("data", "maths", "draw"),
    "latent": ("data", "networks", "maths", "draw", "pad"),
}


class LiveFigure(SphinxDirective):
    """A figure whose picture a script of the same name replaces."""

    required_arguments = 1
    has_content = True
    option_spec = {"alt": directives.unchanged_required, "small": directives.flag}  # noqa: RUF012  docutils' way

    def run(self) -> list[nodes.Node]:
        """Make the numbered figure of picture and caption."""
        name = self.arguments[0]
        if name not in PARTS:
            raise self.error(f"live figure {name!r} has no scripts: name them in PARTS of book/_ext/live.py")
        if "alt" not in self.options or not self.content:
            raise self.error(f"live figure {name!r} needs an :alt: text and a caption")
        picture = f"/{FOLDER.relative_to(Path(self.env.srcdir).resolve()).as_posix()}/{name}.png"
        figure = nodes.figure("", nodes.image(uri=picture, alt=self.options["alt"]))
        figure["classes"] += ["live", f"live-{name}"]
        if "small" in self.options:
            figure["classes"].append("live-small")
        else:
            figure["names"].append(f"fig-live-{name}")
            self.state.document.note_explicit_target(figure)
        self.set_source_info(figure)
        text = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, text)
        paragraph, *rest = text.children
        figure += nodes.caption("", "", *paragraph.children)
        if rest:
            raise self.error(f"the caption of live figure {name!r} should be one paragraph")
        return [figure]


def scripts(names: list[str]) -> list[str]:
    """Return the files that a page with these figures loads, in order, relative to ``_static``."""
    return [f"live/{file}.js" for name in ("shared", *names) for file in files(name)]


def files(name: str) -> list[str]:
    """Return the scripts of one figure, or the shared ones, in order and without suffix."""
    return [*(f"{name}-{part}" for part in PARTS[name]), name]


def add_scripts(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Load what a page's live figures need, on that page alone."""
    figures = doctree.findall(nodes.figure) if doctree is not None else []
    classes = [figure["classes"] for figure in figures if "live" in figure["classes"]]
    if classes:
        app.add_css_file("live/live.css")
        for file in scripts([names[1].removeprefix("live-") for names in classes]):
            app.add_js_file(file, loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("live", LiveFigure)
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
