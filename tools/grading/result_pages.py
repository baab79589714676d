"""The pages that come of a graded folder: one for each student, one for the lecturer."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import jinja2
from markupsafe import Markup, escape
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from tools.grading.formulas import page_text
from tools.grading.nbgraders import is_locked, is_test, is_written
from tools.grading.results import Result
from tools.grading.sources import Assignment, grade_id, task

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
HIDDEN = re.compile(r"^(?P<indent>[ \t]*)### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS[^\n]*\n?", re.M | re.S)
ADDRESS = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]]")
ORDER = ("graded", "graded-with-faults", "needs-attention", "missing")
LOOK = ("needs-attention", "graded-with-faults", "missing")
COLOURED = 20_000  # characters of a cell; the code of a longer one has no colours
LONG = 600  # characters that agree by copying alone


def feedback(result: Result) -> str:
    """Return a page that says to a student what each task gave and why."""
    cells = [_cell(c, result) for c in result.notebook.cells] if result.notebook else []
    return TEMPLATES.get_template("feedback.html.j2").render(
        result=result,
        who=result.submission.student.name or result.submission.student.student,
        assignment=result.submission.assignment,
        cells=[cell for cell in cells if cell["kind"] != "nothing"],
        tasks=list(_tasks(result)),
        style=HtmlFormatter().get_style_defs(".code"),
    )


def report(results: list[Result]) -> str:
    """Return a page that tells the lecturer how it went, and whom to look at."""
    assignments = {r.submission.assignment.name: r.submission.assignment for r in results}
    parts = [
        _summary(a, [r for r in results if r.submission.assignment.name == name])
        for name, a in assignments.items()
    ]
    return TEMPLATES.get_template("report.html.j2").render(parts=parts, order=ORDER)


def file_name(result: Result) -> str:
    """Return where a student's page stands in the folder of feedback."""
    return f"{result.submission.assignment.name}/{result.submission.student.student}.html"


def visible(source: str) -> str:
    """Return a test cell without its hidden part, of which the page says that there is one."""
    return HIDDEN.sub(r"\g<indent># ... and further tests\n", source).strip()


def _tasks(result: Result) -> Iterator[dict[str, Any]]:
    """Yield for each task its points, how it went, and what tests and persons said."""
    graded = result.submission.assignment.graded
    for name, (given, waiting) in result.tasks.items():
        cells = [grade_id(c) for c in graded if task(c) == name]
        failed = [result.verdicts[c] for c in cells if result.verdicts.get(c)]
        said = [_said(why).partition("\n")[0] for why in dict.fromkeys(failed)]
        comments = [g.comment for g in result.grades if g.cell in cells and g.comment]
        possible = result.submission.assignment.tasks[name]
        yield {
            "name": name,
            "place": next((g.cell for g in result.grades if g.cell in cells), name),
            "given": given,
            "waiting": waiting,
            "possible": possible,
            "said": [_linked(text) for text in said],
            "comments": comments,
            "unanswered": name in result.unanswered or set(cells) & set(result.unanswered) != set(),
            "right": given == possible,
        }


def _cell(cell: NotebookNode, result: Result) -> dict[str, Any]:
    """Return what the page shows of a cell: of tests their visible part, of texts their titles."""
    name = grade_id(cell)
    grade = next((g for g in result.grades if g.cell == name), None)
    shown: dict[str, Any] = {"kind": "nothing", "name": name, "grade": grade, "outputs": []}
    if is_test(cell):
        why = _linked(_said(result.verdicts.get(name, "")))
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


def _summary(assignment: Assignment, results: list[Result]) -> dict[str, Any]:
    """Return what the report shows of one assignment."""
    graded = [r for r in results if r.grades]
    fails = Counter(test for r in graded for test, why in r.verdicts.items() if why)
    totals = sorted(r.points or 0.0 for r in graded)
    return {
        "name": assignment.name,
        "students": len(results),
        "statuses": Counter(r.status for r in results),
        "late": [r.submission.student.student for r in results if r.is_late],
        "tasks": [(name, most, _distribution(name, most, graded)) for name, most in assignment.tasks.items()],
        "totals": [totals[0], median(totals), totals[-1]] if totals else [],
        "fails": [(test, count, len(graded)) for test, count in fails.most_common(8)],
        "look": sorted(
            (r for r in results if r.status != "graded"),
            key=lambda r: (LOOK.index(r.status), r.submission.student.student),
        ),
        "open": sum(1 for r in graded if r.open),
        "copies": list(copies(graded)),
    }


def _distribution(name: str, most: float, graded: list[Result]) -> list[tuple[str, int, int]]:
    """Return, for nothing, part and all of a task's points, how many students have it."""
    settled = [given for given, waiting in (r.tasks[name] for r in graded) if not waiting]
    nothing, full = sum(p == 0 for p in settled), sum(p == most for p in settled)
    waiting = len(graded) - len(settled)
    kinds = [("none", nothing), ("some", len(settled) - nothing - full), ("all", full), ("open", waiting)]
    return [(kind, count, round(100 * count / max(1, len(graded)))) for kind, count in kinds]


def copies(graded: list[Result]) -> Iterator[tuple[str, list[str]]]:
    """Yield groups of students whose work agrees: where it is long, or few agree; a hint, not a proof."""
    groups = defaultdict(list)
    for result in graded:
        for words, (digest, length) in result.prints.items():
            if words.removeprefix("the same answer to ") not in result.unanswered:
                groups[words, digest, length].append(result.submission.student.student)
    for (words, _, length), students in groups.items():
        few = max(2, len(graded) // 2)
        if len(students) > 1 and (length >= LONG or len(students) <= few):
            yield words, students
