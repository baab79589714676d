"""The pages that come of a graded folder: one for each student, one for the lecturer.

A student's texts are Markdown with formulas in MathML, which browsers set without a network.
"""

from __future__ import annotations

import html
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any
from xml.etree import ElementTree

import jinja2
from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markupsafe import Markup, escape
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from tools.grading.sources import HIDDEN, Assignment, grade_id, is_locked, is_test, is_written, task
from tools.grading.submissions import Submission

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
ADDRESS = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]]")
ORDER = ("graded", "graded-with-faults", "needs-attention", "missing")
LOOK = ("needs-attention", "graded-with-faults", "missing")
COLOURED = 20_000  # characters of a cell; the code of a longer one has no colours
LONG = 600  # characters that agree by copying alone
LONGEST = 50_000  # characters of a text; a longer one is shown as it is
FORMULA = 4000  # characters of a formula
ALIGNED = re.compile(r"\\(begin|end)\{(?:aligned|split|gathered|equation\*?|gather\*?|multline\*?)\}")
KEPT = {
    "display", "stretchy", "fence", "separator", "form", "minsize", "maxsize", "mathvariant", "accent",
    "displaystyle", "scriptlevel", "columnalign", "linethickness", "lspace", "rspace", "movablelimits",
    "columnspacing", "rowspacing", "width", "linebreak",
}  # fmt: skip
VALUE = re.compile(r"[-a-z ]{1,40}|-?\d{0,2}(\.\d{1,3})?(em|ex|px|pt|mu|cm)?")


def feedback(found: Submission) -> str:
    """Return a page that says to a student what each task gave and why."""
    cells = [_cell(c, found) for c in found.notebook.cells] if found.notebook else []
    return TEMPLATES.get_template("feedback.html.j2").render(
        found=found,
        who=found.student.name or found.student.id,
        assignment=found.assignment,
        cells=[cell for cell in cells if cell["kind"] != "nothing"],
        tasks=list(_tasks(found)),
        style=HtmlFormatter().get_style_defs(".code"),
    )


def report(results: list[Submission]) -> str:
    """Return a page that tells the lecturer how it went, and whom to look at."""
    assignments = {r.assignment.name: r.assignment for r in results}
    parts = [_summary(a, [r for r in results if r.assignment is a]) for a in assignments.values()]
    return TEMPLATES.get_template("report.html.j2").render(parts=parts, order=ORDER)


def file_name(found: Submission) -> str:
    """Return where a student's page stands in the folder of feedback."""
    return f"{found.assignment.name}/{found.student.id}.html"


def visible(source: str) -> str:
    """Return a test cell without its hidden part, of which the page says that there is one."""
    return HIDDEN.sub(r"\g<indent># ... and further tests\n", source).strip()


def _tasks(found: Submission) -> Iterator[dict[str, Any]]:
    """Yield for each task its points, how it went, and what tests and persons said."""
    graded = found.assignment.graded
    for name, (given, waiting) in found.tasks.items():
        cells = [grade_id(c) for c in graded if task(c) == name]
        failed = [found.verdicts[c] for c in cells if found.verdicts.get(c)]
        said = [_said(why).partition("\n")[0] for why in dict.fromkeys(failed)]
        comments = [g.comment for g in found.grades if g.cell in cells and g.comment]
        possible = found.assignment.tasks[name]
        yield {
            "name": name,
            "place": next((g.cell for g in found.grades if g.cell in cells), name),
            "given": given,
            "waiting": waiting,
            "possible": possible,
            "said": [_linked(text) for text in said],
            "comments": comments,
            "unanswered": name in found.unanswered or set(cells) & set(found.unanswered) != set(),
            "right": given == possible,
        }


def _cell(cell: NotebookNode, found: Submission) -> dict[str, Any]:
    """Return what the page shows of a cell: of tests their visible part, of texts their titles."""
    name = grade_id(cell)
    grade = next((g for g in found.grades if g.cell == name), None)
    shown: dict[str, Any] = {"kind": "nothing", "name": name, "grade": grade, "outputs": []}
    if is_test(cell):
        why = _linked(_said(found.verdicts.get(name, "")))
        return {**shown, "kind": "test", "code": _code(visible(cell.source)), "why": why}
    if is_written(cell):
        text = page_text(cell.source, cell.get("attachments", {}))
        return {**shown, "kind": "written", "text": text}
    if cell.cell_type == "code" and cell.source.strip():
        kind = "given" if is_locked(cell) else "code"
        return {**shown, "kind": kind, "code": _code(cell.source), "outputs": [*map(_output, cell.outputs)]}
    if cell.cell_type == "markdown" and (title := re.match(r"#{1,3} +([^\n]+)", cell.source)):
        return {**shown, "kind": "title", "text": page_text(f"## {title[1]}")}
    return shown


def _output(output: NotebookNode) -> dict[str, str]:
    if output.output_type == "stream":
        return {"kind": "text", "text": output.text}
    if output.output_type == "error":
        return {"kind": "error", "text": f"{output.ename}: {output.evalue}"}
    if picture := output.data.get("image/png"):
        return {"kind": "picture", "text": picture}
    return {"kind": "text", "text": output.data.get("text/plain", "")}


def _code(source: str) -> Markup:
    if len(source) > COLOURED:
        return escape(source)
    return Markup(highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)))  # pygments escapes it


def _said(why: str) -> str:
    return why.removeprefix("AssertionError: ")


def _linked(text: str) -> Markup:
    """Return a text whose addresses are links."""
    return Markup(ADDRESS.sub(lambda m: f'<a href="{m[0]}">{m[0]}</a>', str(escape(text))))


def _summary(assignment: Assignment, results: list[Submission]) -> dict[str, Any]:
    """Return what the report shows of one assignment."""
    graded = [r for r in results if r.grades]
    fails = Counter(test for r in graded for test, why in r.verdicts.items() if why)
    totals = sorted(r.points or 0.0 for r in graded)
    return {
        "name": assignment.name,
        "students": len(results),
        "statuses": Counter(r.status for r in results),
        "late": [r.student.id for r in results if r.is_late],
        "tasks": [(name, most, _distribution(name, most, graded)) for name, most in assignment.tasks.items()],
        "totals": [totals[0], median(totals), totals[-1]] if totals else [],
        "fails": [(test, count, len(graded)) for test, count in fails.most_common(8)],
        "look": sorted(
            (r for r in results if r.status in LOOK), key=lambda r: (LOOK.index(r.status), r.student.id)
        ),
        "open": sum(1 for r in graded if r.open),
        "copies": list(copies(graded)),
    }


def _distribution(name: str, most: float, graded: list[Submission]) -> list[tuple[str, int, int]]:
    """Return, for nothing, part and all of a task's points, how many students have it."""
    settled = [given for given, waiting in (r.tasks[name] for r in graded) if not waiting]
    nothing, full = sum(p == 0 for p in settled), sum(p == most for p in settled)
    waiting = len(graded) - len(settled)
    kinds = [("none", nothing), ("some", len(settled) - nothing - full), ("all", full), ("open", waiting)]
    return [(kind, count, round(100 * count / max(1, len(graded)))) for kind, count in kinds]


def copies(graded: list[Submission]) -> Iterator[tuple[str, list[str]]]:
    """Yield groups of students whose work agrees: where it is long, or few agree; a hint, not a proof."""
    groups = defaultdict(list)
    for found in graded:
        for words, (digest, length) in found.prints.items():
            if words.removeprefix("the same answer to ") not in found.unanswered:
                groups[words, digest, length].append(found.student.id)
    for (words, _, length), students in groups.items():
        few = max(2, len(graded) // 2)
        if len(students) > 1 and (length >= LONG or len(students) <= few):
            yield words, students


def page_text(text: str, pictures: Mapping[str, Mapping[str, str]] = {}) -> Markup:
    """Return Markdown as HTML that holds nothing of the text's own markup and loads nothing.

    Parameters
    ----------
    text : with formulas between dollars.
    pictures : attachments by name, each with a kind and base64.
    """
    if len(text) > LONGEST:
        return Markup("<pre>{}</pre>").format(text)
    reader = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable("table")
    reader.use(dollarmath_plugin, double_inline=True, renderer=_formula)
    reader.use(amsmath_plugin, renderer=lambda latex: _formula(latex, {"display_mode": True}))
    reader.add_render_rule("image", lambda _self, tokens, i, *_: _picture(tokens[i], pictures))
    return Markup(reader.render(text))  # everything in it was escaped or made here


def _formula(latex: str, options: dict[str, Any]) -> str:
    """Return a formula as MathML, or as it was written where it cannot be typeset."""
    display = "block" if options.get("display_mode") else "inline"
    written = f"<code>{html.escape(latex)}</code>"
    if len(latex) > FORMULA:
        return written
    try:
        # the library knows align* alone of the environments with lines
        element = convert_to_element(ALIGNED.sub(r"\\\1{align*}", latex), display=display)
        _sanitise(element)
        return ElementTree.tostring(element, encoding="unicode")
    except (Exception, RecursionError):
        return written


def _sanitise(element: ElementTree.Element) -> None:
    """Leave of a formula its signs: no link, no style, no class; raise where it is not all known."""
    for part in element.iter():
        part.attrib = {k: v for k, v in part.attrib.items() if k in KEPT and VALUE.fullmatch(v)}
        part.text = html.unescape(part.text or "")
        if not re.fullmatch(r"m[a-z]+", str(part.tag)) or part.text.startswith("\\") or part.text == "&":
            raise ValueError(f"{part.tag} {part.text} cannot be typeset")


def _picture(token: Any, pictures: Mapping[str, Mapping[str, str]]) -> str:
    name = str(token.attrs.get("src", "")).removeprefix("attachment:")
    for kind, data in pictures.get(name, {}).items():
        source = html.escape(f"data:{kind};base64,{data}")
        return f'<img alt="{html.escape(token.content)}" src="{source}">'
    return f"<code>{html.escape(token.content or name)}</code>"
