"""An assignment small enough that each fault of a submission can be tried on it in a second."""

import copy
import json

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.grading.sandbox import Limits
from tools.grading.sources import Assignment

LIMITS = Limits(cell_seconds=3, total_seconds=60, memory=1 << 30, output=200_000, restarts=4)
EQUATION = "eq-responsibility-uniform"

SETUP = """\
import numpy as np
from emvae.assignments import expect_close, expect_true
grid = np.arange(4.0)"""
DOUBLE = """\
def double(x):
    ### BEGIN SOLUTION
    return 2 * np.asarray(x)
    ### END SOLUTION"""
TEST_DOUBLE = """\
expect_close(double(grid), [0.0, 2.0, 4.0, 6.0], what="twice the grid", equation="{equation}")
### BEGIN HIDDEN TESTS
for seed in range(3):
    values = np.random.default_rng(seed).normal(size=5)
    expect_close(double(values), values + values, what="twice random values", equation="{equation}")
### END HIDDEN TESTS"""
TEST_TWICE = """\
### BEGIN HIDDEN TESTS
first, second = double(np.ones(3)), double(np.zeros(3))
expect_true(np.allclose(first, 2) & np.allclose(second, 0), what="two answers are two", equation="{equation}")
### END HIDDEN TESTS"""
CENTRE = """\
def centre(x):
    ### BEGIN SOLUTION
    return x - x.mean()
    ### END SOLUTION"""
TEST_CENTRE = """\
expect_close(sum(centre(grid)), 0.0, what="sum of what is centred", equation="{equation}")
### BEGIN HIDDEN TESTS
expect_close(centre(grid + 1e6), grid - 1.5, what="what is centred", equation="{equation}", tol=1e-6)
### END HIDDEN TESTS"""
DERIVATION = """\
**Why?**

### BEGIN SOLUTION
Because.
### END SOLUTION"""

POINTS = {"test_double": 2.0, "test_twice": 1.0, "test_centre": 2.0}


def cell(source, grade_id="", points=0, task="", kind=new_code_cell):
    """Make a cell: an answer, a test with points, a written answer with points, or a text."""
    made = kind(source.replace("{equation}", EQUATION))
    made.id = grade_id or f"plain-{len(source)}"
    written = kind is new_markdown_cell
    solution = "BEGIN SOLUTION" in source
    if grade_id:
        made.metadata["nbgrader"] = {
            "grade_id": grade_id,
            "grade": bool(points),
            "solution": solution,
            "locked": not solution,
            "task": False,
            "schema_version": 3,
            **({"points": points} if points else {}),
        }
    if points and not written:
        made.metadata["emvae"] = {"task": task}
    return made


def assignment(name="tiny"):
    """Return the assignment."""
    cells = [
        cell(f"# {name}", kind=new_markdown_cell),
        cell(SETUP, "setup"),
        cell("## Double", kind=new_markdown_cell),
        cell(DOUBLE, "double"),
        cell(TEST_DOUBLE, "test_double", 2, "double"),
        cell(TEST_TWICE, "test_twice", 1, "double"),
        cell("## Centre a grid", kind=new_markdown_cell),
        cell(CENTRE, "centre"),
        cell(TEST_CENTRE, "test_centre", 2, "centre"),
        cell(DERIVATION, "derivation", 3, kind=new_markdown_cell),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel, "emvae": {"trial": True}})
    made = Assignment(name, notebook)
    assert list(made.breaches()) == []
    return made


TINY = assignment()


def solved():
    """Return a notebook with all answers right."""
    return copy.deepcopy(TINY.model)


def find(notebook, grade_id):
    """Return the cell of this name."""
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def text(notebook):
    """Return a notebook as the bytes of a file."""
    return nbformat.writes(notebook).encode()


def raw(notebook):
    """Return a notebook as plain data, to be spoilt beyond what nbformat writes."""
    return json.loads(nbformat.writes(notebook))


def hidden_lines(assignment):
    """Return the lines of hidden tests that are long enough to be told from a student's own."""
    parts = [p for c in assignment.source.cells for p in c.source.split("### BEGIN HIDDEN TESTS")[1:]]
    lines = {line.strip() for p in parts for line in p.split("### END HIDDEN TESTS")[0].splitlines()}
    shown = "\n".join(cell.source for cell in assignment.release.cells)
    return {s for s in lines if len(s) >= 30 and not s.startswith("#") and s not in shown}
