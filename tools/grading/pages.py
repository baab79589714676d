"""The pages that come of a graded folder: one for each student, one for the lecturer."""

from __future__ import annotations

import base64
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from tools.grading.nbgraders import is_locked, is_test, is_written
from tools.grading.sources import Assignment, grade_id, task
from tools.grading.tables import Row

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
HIDDEN = re.compile(r"^(?P<indent>[ \t]*)### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS[^\n]*\n?", re.M | re.S)
ADDRESS = re.compile(r"https?://\S+")
ORDER = ("graded", "graded-with-faults", "needs-attention", "missing")
LOOK = ("needs-attention", "graded-with-faults", "missing")
COPIED = {"code": "the same code", "text": "the same written answers", "outputs": "the same outputs"}


def feedback(row: Row) -> str:
    """Return a page that says to a student what each task gave and why."""
    grades = {grade.cell: grade for grade in row.grades}
    cells = [_cell(c, grades, row) for c in row.notebook.cells] if row.notebook else []
    shown = [cell for cell in cells if cell["kind"] != "nothing"]
    return TEMPLATES.get_template("feedback.html.j2").render(
        row=row, cells=shown, failed=_failed(row), style=HtmlFormatter().get_style_defs(".code")
    )


def report(table: list[Row]) -> str:
    """Return a page that tells the lecturer how it went, and whom to look at."""
    assignments = {row.assignment.name: row.assignment for row in table}
    parts = [_summary(a, [r for r in table if r.assignment is a]) for a in assignments.values()]
    return TEMPLATES.get_template("report.html.j2").render(parts=parts, order=ORDER)


def file_name(row: Row) -> str:
    """Return where a student's page stands in the folder of feedback."""
    return f"{row.assignment.name}/{row.student.student}.html"


def _failed(row: Row) -> dict[str, list[str]]:
    """Return the messages of failed tests, by task."""
    tasks = {grade_id(c): task(c) for c in row.assignment.tests}
    messages: dict[str, list[str]] = defaultdict(list)
    for test, why in row.result.verdicts.items():
        if why and why not in messages[tasks[test]]:
            messages[tasks[test]].append(why.removeprefix("AssertionError: "))
    return messages


def _cell(cell: NotebookNode, grades: dict[str, Any], row: Row) -> dict[str, Any]:
    """Return what the page shows of a cell: of tests their visible part, of texts their titles."""
    name = grade_id(cell)
    shown: dict[str, Any] = {"kind": "nothing", "name": name, "grade": grades.get(name), "outputs": []}
    if is_test(cell):
        why = row.result.verdicts.get(name, "")
        code = _code(visible(cell.source))
        return {
            **shown,
            "kind": "test",
            "code": code,
            "why": _linked(why.removeprefix("AssertionError: ")),
            "passed": not why,
        }
    if is_written(cell):
        return {**shown, "kind": "written", "text": cell.source}
    if cell.cell_type == "code" and cell.source.strip():
        kind = "given" if is_locked(cell) else "code"
        outputs = [*map(_output, cell.outputs)]
        return {**shown, "kind": kind, "code": _code(cell.source), "outputs": outputs}
    if cell.cell_type == "markdown" and (title := re.match(r"#{1,3} +(.+)", cell.source)):
        return {**shown, "kind": "title", "text": title[1]}
    return shown


def visible(source: str) -> str:
    """Return a test cell without its hidden part, of which the page says that there is one."""
    return HIDDEN.sub(r"\g<indent># ... and further tests\n", source).strip()


def _output(output: NotebookNode) -> dict[str, str]:
    if output.output_type == "stream":
        return {"kind": "text", "text": output.text}
    if output.output_type == "error":
        return {"kind": "error", "text": f"{output.ename}: {output.evalue}"}
    if picture := output.data.get("image/png"):
        base64.b64decode(picture, validate=False)
        return {"kind": "picture", "text": "".join(picture.split())}
    return {"kind": "text", "text": output.data.get("text/plain", "")}


def _code(source: str) -> Markup:
    return Markup(highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)))  # pygments escapes it


def _linked(text: str) -> Markup:
    """Return a text whose addresses are links."""
    escaped = str(Markup.escape(text))
    return Markup(ADDRESS.sub(lambda m: f'<a href="{m[0]}">{m[0]}</a>', escaped))


def _summary(assignment: Assignment, table: list[Row]) -> dict[str, Any]:
    """Return what the report shows of one assignment."""
    graded = [row for row in table if row.grades]
    statuses = Counter(row.result.status for row in table)
    fails = Counter(test for row in graded for test, why in row.result.verdicts.items() if why)
    return {
        "name": assignment.name,
        "students": len(table),
        "statuses": statuses,
        "late": [row for row in table if row.late],
        "tasks": [(name, most, _distribution(name, most, graded)) for name, most in assignment.tasks.items()],
        "totals": sorted(row.points or 0.0 for row in graded),
        "fails": [(test, count, len(graded)) for test, count in fails.most_common(8)],
        "look": sorted(
            (row for row in table if row.result.status != "graded"),
            key=lambda row: (LOOK.index(row.result.status), row.student.student),
        ),
        "open": sum(1 for row in graded if row.open),
        "copies": list(_copies(graded)),
    }


def _distribution(name: str, most: float, graded: list[Row]) -> list[tuple[str, int, int]]:
    """Return, for nothing, part and all of a task's points, how many students have it."""
    settled = [row.tasks[name][0] for row in graded if not row.tasks[name][1]]
    nothing, full = sum(p == 0 for p in settled), sum(p == most for p in settled)
    waiting = len(graded) - len(settled)
    kinds = [("none", nothing), ("some", len(settled) - nothing - full), ("all", full), ("open", waiting)]
    return [(kind, count, round(100 * count / max(1, len(graded)))) for kind, count in kinds]


def _copies(graded: list[Row]) -> Iterator[tuple[str, list[str]]]:
    """Yield groups of students whose work has the same hash; a hint, not a proof."""
    for key, words in COPIED.items():
        groups = defaultdict(list)
        for row in graded:
            groups[row.result.hashes[key]].append(row.student.student)
        for students in groups.values():
            if 1 < len(students) <= max(2, len(graded) // 2):
                yield words, students
