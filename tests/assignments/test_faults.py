# ruff: noqa: E501 - one line per fault reads better than four
"""Every fault of a submission ends in the status and the points that it should: nothing is silent."""

import io
import json
import os
import re
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from tests.assignments import tiny
from tools.grading import collecting, sandbox
from tools.grading.collecting import RESULTS
from tools.grading.judging import Judge

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="bubblewrap is Linux's; elsewhere make grade refuses"
)

ALL = tiny.POINTS
OTHERS = {"other": {"triple", "test_triple"}}
STUDENT = "zoë müller"


@dataclass(frozen=True)
class Fault:
    """What a student did, and what has to come of it."""

    name: str
    spoil: Callable  # of a solved notebook: changes it, or returns the files that are handed in
    status: str
    points: dict = field(default_factory=lambda: dict(ALL))  # of each test; empty where nothing can be run
    reason: str = ""  # a pattern that some reason matches


def lost(*tests):
    return {**ALL, **dict.fromkeys(tests, 0.0)}


DOUBLE = ("test_double", "test_twice")


def source(name, code):
    """Let a cell hold this code."""

    def spoil(notebook):
        tiny.find(notebook, name).source = code

    return spoil


def own_cell(code, *, after="setup"):
    """Let the student add a cell."""

    def spoil(notebook):
        place = notebook.cells.index(tiny.find(notebook, after))
        notebook.cells.insert(place + 1, new_code_cell(code))

    return spoil


def without(*names):
    def spoil(notebook):
        for name in names:
            notebook.cells.remove(tiny.find(notebook, name))

    return spoil


def moved(name, *, to):
    def spoil(notebook):
        cell = tiny.find(notebook, name)
        notebook.cells.remove(cell)
        notebook.cells.insert(to, cell)

    return spoil


def copied(name, code=None, *, at=None):
    """Let a cell be there twice, the second with other code."""

    def spoil(notebook):
        cell = nbformat.from_dict(tiny.find(notebook, name))
        cell.id = "copy"
        cell.source = cell.source if code is None else code
        notebook.cells.insert(len(notebook.cells) if at is None else at, cell)

    return spoil


def named(*names):
    """Hand the notebook in under these names."""
    return lambda notebook: dict.fromkeys(names, tiny.text(notebook))


def as_text(change):
    """Hand in a text made from the notebook's."""
    return lambda notebook: {"tiny.ipynb": change(tiny.text(notebook))}


def as_data(change):
    """Hand in a notebook changed as plain data, beyond what nbformat would write."""

    def spoil(notebook):
        data = tiny.raw(notebook)
        change(data)
        return {"tiny.ipynb": json.dumps(data).encode()}

    return spoil


def of_format_3(notebook):
    data = json.loads(nbformat.writes(nbformat.convert(notebook, 3), version=3))
    return {"tiny.ipynb": json.dumps(data).encode()}


def zipped(*names):
    def spoil(notebook):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name in names:
                archive.writestr(name, tiny.text(notebook))
        return {"work.zip": buffer.getvalue()}

    return spoil


def linked(notebook):
    return {"tiny.ipynb": os.symlink}


def one_id(data):
    for cell in data["cells"]:
        cell["id"] = "same"


def no_metadata(data):
    """As programs do that do not know nbgrader: ids stay, names go."""
    for cell in data["cells"]:
        cell["metadata"] = {}


def heavy_outputs(data):
    cell = next(c for c in data["cells"] if c["cell_type"] == "code")
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 100_000_000}]


def language_r(data):
    data["metadata"]["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}


def other_kernel(data):
    data["metadata"]["kernelspec"] = {"name": "my-env", "language": "python", "display_name": "Mine"}


def another_assignment(notebook):
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.grade_id = {"double": "triple"}.get(
                cell.metadata.nbgrader.grade_id, "test_triple"
            )


def pasted(notebook):
    """All answers of another assignment, pasted where one's own should be."""
    tiny.find(notebook, "double").source = tiny.find(tiny.TINY.release, "double").source
    for code in ("def triple(x):\n    return 3 * x", "assert triple(1) == 3"):
        cell = new_code_cell(code)
        cell.metadata["nbgrader"] = {**tiny.find(notebook, "double").metadata.nbgrader, "grade_id": "triple"}
        notebook.cells.insert(3, cell)


def reordered(notebook):
    double, centre = (tiny.find(notebook, name) for name in ("double", "centre"))
    i, j = notebook.cells.index(double), notebook.cells.index(centre)
    notebook.cells[i], notebook.cells[j] = centre, double


def loose_plot(notebook):
    code = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    own_cell(code)(notebook)


def with_helper(notebook):
    own_cell("def twice(x):\n    return np.add(x, x)")(notebook)
    tiny.find(notebook, "double").source = "def double(x):\n    return twice(x)"


STUB = tiny.find(tiny.TINY.release, "double").source
KEPT = "kept = np.zeros(3)\ndef double(x):\n    kept[...] = 2 * x[:3]\n    return kept"
IN_CALL = """\
def double(x):
    import emvae.assignments
    emvae.assignments.expect_close = emvae.assignments.expect_true = lambda *a, **k: None
    return 7 * x"""
SPY = """\
import inspect, linecache
def double(x):
    frame = inspect.currentframe().f_back
    seen.append("".join(linecache.getlines(frame.f_code.co_filename)))
    return 2 * np.asarray(x)
seen = []"""
NETWORK = "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=2)"
SEARCH = """\
import os
found = [
    os.path.join(folder, name)
    for top in set(os.listdir("/")) - {"proc", "sys", "dev", "usr", "lib", "lib64", "bin", "sbin"}
    for folder, _, names in os.walk("/" + top) for name in names
    if name.endswith((".ipynb", ".db", ".csv")) and "site-packages" not in folder and "emvae/data" not in folder
]
assert found == [], found"""

FAULTS = [
    Fault("nothing wrong", lambda n: None, "graded"),
    Fault("a helper in a cell of one's own", with_helper, "graded"),
    Fault("a figure", loose_plot, "graded"),
    # what cells do
    Fault("an infinite loop in one cell", own_cell("while True: pass"), "graded-with-faults", reason="did not end within 3 s"),
    Fault("an infinite loop in an answer", source("double", "def double(x):\n    while True: pass"), "graded-with-faults",
          lost(*DOUBLE), "`test_double` did not end"),
    Fault("a loop that catches interrupts", own_cell("while True:\n    try:\n        while True: pass\n    except BaseException: pass"),
          "graded-with-faults", reason="did not end"),
    Fault("a killed kernel", own_cell("import os; os._exit(0)"), "graded-with-faults", reason="ended the kernel"),
    Fault("an answer that kills the kernel", source("centre", "import os\ndef centre(x):\n    os._exit(0)"), "graded-with-faults",
          lost("test_centre"), "`test_centre` ended the kernel"),
    Fault("a kernel killed a moment later", own_cell("exit()"), "graded-with-faults", reason="ended the kernel|SystemExit"),
    Fault("a memory bomb", own_cell("huge = np.ones((50_000, 50_000))"), "graded-with-faults", reason="MemoryError"),
    Fault("a slow memory bomb", own_cell("pile = []\nwhile True: pile.append(bytes(10_000_000))"), "graded-with-faults",
          reason="MemoryError|memory"),
    Fault("a syntax error in one cell", source("double", "def double(x)\n    return 2 * x"), "graded-with-faults",
          lost(*DOUBLE), "`double` ends in SyntaxError"),
    Fault("an exception at the top", own_cell("1 / 0"), "graded-with-faults", reason="ZeroDivisionError"),
    Fault("sys.exit(0)", own_cell("import sys; sys.exit(0)"), "graded-with-faults", reason="SystemExit"),
    Fault("sys.exit(0) in an answer", source("double", "import sys\ndef double(x):\n    sys.exit(0)"), "graded", lost(*DOUBLE)),
    Fault("an answer that returns from the test", source("double", "def double(x):\n    raise SystemExit"), "graded", lost(*DOUBLE)),
    Fault("10,000 prints", own_cell("for i in range(10_000): print('line', i)"), "graded-with-faults", reason="output is cut"),
    Fault("a loop that prints forever", own_cell("while True: print(1, flush=True)"), "graded-with-faults", reason="did not end"),
    Fault("a loop that shows forever", own_cell("while True: display(1)"), "graded-with-faults", reason="did not end|too many"),
    Fault("100 MB printed", own_cell("print('x' * 100_000_000)"), "graded-with-faults", reason="output is cut"),
    Fault("forks forever", own_cell("import os\nwhile True: os.fork()"), "graded-with-faults",
          reason="too many processes|memory|BlockingIOError"),
    Fault("an answer that warns", source("double", "import warnings\ndef double(x):\n    warnings.warn('slow')\n    return 2 * np.asarray(x)"),
          "graded"),
    Fault("an answer that shows a number", source("double", "def double(x):\n    display(0.5)\n    return 2 * np.asarray(x)"), "graded"),
    Fault("input()", own_cell("input()"), "graded-with-faults", reason="EOFError|StdinNotImplementedError"),
    # what the walls are for
    Fault("writes outside its folder", own_cell("open('/usr/spoilt', 'w')"), "graded-with-faults", reason="OSError|PermissionError"),
    Fault("writes into the package", own_cell("import emvae\nopen(emvae.__file__, 'a')"), "graded-with-faults",
          reason="OSError|PermissionError"),
    Fault("reads hidden tests from disk", own_cell(SEARCH), "graded"),
    Fault("opens a network connection", own_cell(NETWORK), "graded-with-faults", reason="OSError|TimeoutError"),
    # what is patched is the student's own: tests run elsewhere
    Fault("patches numpy", own_cell("np.allclose = lambda *a, **k: True"), "graded"),
    Fault("patches assert_allclose", own_cell("np.testing.assert_allclose = print"), "graded"),
    Fault("patches a helper", own_cell("import emvae.assignments as a\na.expect_close = print"), "graded"),
    Fault("patches a helper's code", own_cell("expect_close.__code__ = (lambda *a, **k: None).__code__"), "graded"),
    Fault("patches a helper's defaults", own_cell("expect_close.__kwdefaults__['tol'] = 9e9"), "graded"),
    Fault("patches what a helper uses", own_cell("import emvae.assignments as a\na._as_numbers = lambda *a: 1"), "graded"),
    Fault("patches inside the test", source("double", IN_CALL), "graded", lost(*DOUBLE)),
    Fault("patches builtins", own_cell("import builtins\nbuiltins.sum = lambda x: 0.0"), "graded"),
    Fault("takes asserts out of later cells", own_cell("import ast\nget_ipython().ast_transformers.append(ast.NodeTransformer())"), "graded"),
    Fault("names a helper anew", own_cell("expect_close = lambda *a, **k: None"), "graded"),
    Fault("names numpy anew", own_cell("np = None", after="double"), "graded", lost(*DOUBLE)),
    Fault("names the assignment's data anew", own_cell("grid = np.zeros(4)"), "graded"),
    Fault("changes the assignment's data", own_cell("grid[:] = 0"), "graded"),
    Fault("names the data anew and kills the kernel", lambda n: (own_cell("import os; os._exit(0)")(n), own_cell("grid = np.zeros(4)")(n))[2:],
          "graded-with-faults", reason="ended the kernel"),
    Fault("a kernel killed by a clock", own_cell("import os, threading\nthreading.Timer(1, os._exit, [0]).start()\nimport time; time.sleep(2)"),
          "graded-with-faults", reason="ended the kernel"),
    Fault("too many kernels lost", lambda n: [own_cell("import os; os._exit(0)")(n) for _ in range(6)][6:], "needs-attention", lost(*ALL),
          "too many kernels"),
    Fault("names a builtin anew", own_cell("sum = 0"), "graded"),
    Fault("redefines the function after the tests", own_cell("def double(x):\n    return 0", after="test_twice"), "graded"),
    Fault("returns a global that is mutated", source("double", KEPT), "graded", lost("test_double")),
    Fault("prints the hidden tests", lambda n: (source("double", SPY)(n), own_cell("assert 'HIDDEN' not in ''.join(seen)", after="test_centre")(n))[2:],
          "graded"),
    # what became of the cells
    Fault("a deleted test cell", without("test_double"), "graded-with-faults", reason="`test_double` was deleted"),
    Fault("all test cells deleted, answers wrong", lambda n: (without(*ALL)(n), source("double", STUB)(n))[2:],
          "graded-with-faults", lost(*DOUBLE), "`test_twice` was deleted"),
    Fault("an edited test cell", source("test_double", "pass"), "graded-with-faults", reason="`test_double` was edited"),
    Fault("an edited test cell, answer wrong", lambda n: (source("test_double", "pass")(n), source("double", STUB)(n))[2:],
          "graded-with-faults", lost(*DOUBLE), "`test_double` was edited"),
    Fault("a test cell moved", moved("test_double", to=0), "graded-with-faults", reason="another place.*`test_double`"),
    Fault("cells reordered", reordered, "graded-with-faults", reason="another place"),
    Fault("an answer deleted", without("double"), "graded-with-faults", lost(*DOUBLE), "`double` was deleted"),
    Fault("an answer in a cell of one's own", lambda n: (own_cell(tiny.find(n, "double").source)(n), without("double")(n))[2:],
          "graded-with-faults", reason="`double` was deleted"),
    Fault("the first cell deleted", without("setup"), "graded-with-faults", reason="`setup` was deleted"),
    Fault("the first cell edited", source("setup", tiny.SETUP + "\nimport math"), "graded-with-faults", reason="`setup` was edited"),
    Fault("an answer twice", copied("double", "def double(x):\n    return 0"), "graded-with-faults", reason="occurs twice"),
    Fault("an answer in the second copy", lambda n: (copied("double")(n), source("double", STUB)(n))[2:], "graded-with-faults",
          reason="occurs twice"),
    Fault("a test cell twice", copied("test_double", "pass", at=0), "graded-with-faults", reason="occurs twice"),
    Fault("duplicated cell ids", as_data(one_id), "graded-with-faults", reason="one id"),
    Fault("names of cells lost", as_data(no_metadata), "graded"),
    Fault("an answer of the wrong type", lambda n: n.cells.__setitem__(
          3, nbformat.from_dict({**new_markdown_cell(n.cells[3].source), "metadata": n.cells[3].metadata})),
          "graded-with-faults", reason="of type markdown"),
    Fault("YOUR CODE HERE left", source("double", STUB), "graded", lost(*DOUBLE)),
    Fault("YOUR CODE HERE left behind an answer", source("double", STUB.replace("# YOUR", "y = 2 * x  # YOUR")), "graded-with-faults",
          lost(*DOUBLE), "still says YOUR CODE HERE"),
    Fault("the solution of another assignment pasted in", pasted, "graded-with-faults", lost(*DOUBLE), "cells of another"),
    # what became of the file
    Fault("a notebook of another assignment", another_assignment, "needs-attention", {}, "but cells of other"),
    Fault("no JSON", as_text(lambda text: text[:-200]), "needs-attention", {}, "not JSON"),
    Fault("an empty file", as_text(lambda text: b""), "needs-attention", {}, "empty"),
    Fault("JSON that nests forever", as_text(lambda text: b"[" * 200_000), "needs-attention", {}, "no notebook"),
    Fault("JSON, but no notebook", as_text(lambda text: b'{"cells": 3}'), "needs-attention", {}, "no notebook"),
    Fault("a picture", lambda n: {"photo.jpg": b"\xff\xd8\xff"}, "needs-attention", {}, "no notebook was handed in, but: photo.jpg"),
    Fault("an old notebook format", of_format_3, "graded-with-faults", reason="format 3"),
    Fault("a wrong file name", named("Untitled (1).ipynb"), "graded-with-faults", reason="is named Untitled"),
    Fault("unicode and spaces in names", named("tiny – Zoë's Lösung 数.ipynb"), "graded-with-faults", reason="Zoë's Lösung 数"),
    Fault("no suffix", named("tiny"), "graded-with-faults", reason="is named tiny, not"),
    Fault("another kernel's name", as_data(other_kernel), "graded"),
    Fault("a kernel of another language", as_data(language_r), "graded-with-faults", reason="is for r"),
    Fault("two copies", named("tiny.ipynb", "tiny-copy.ipynb"), "graded-with-faults", reason="several times"),
    Fault("two notebooks", lambda n: {"tiny.ipynb": tiny.text(n), "final.ipynb": tiny.text(n) + b" "}, "needs-attention", {},
          "which one counts"),
    Fault("outputs of 100 MB in the file", as_data(heavy_outputs), "graded"),
    Fault("a link out of the folder", linked, "needs-attention", {}, "is a link"),
    Fault("an archive", zipped("tiny.ipynb"), "graded"),
    Fault("an archive with folders and rubbish", zipped("../../a b/tiny.ipynb", "__MACOSX/._tiny.ipynb"), "graded"),
    Fault("a broken archive", lambda n: {"tiny.zip": b"PK\x03\x04..."}, "needs-attention", {}, "cannot be read"),
    Fault("nothing", lambda n: {}, "missing", {}, "nothing was handed in"),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def walls():
    """Without bubblewrap nothing of this can be tried: a refusal, no silent skip."""
    sandbox.check()


@pytest.fixture(scope="module")
def judge():
    with Judge(tiny.TINY, limits=tiny.LIMITS, others=OTHERS) as made:
        yield made


def hand_in(folder, spoilt, notebook):
    """Lay out a lecturer's folder with one submission; return what is found there."""
    files = spoilt if isinstance(spoilt, dict) else {"tiny.ipynb": tiny.text(notebook)}
    place = folder / "tiny" / STUDENT.title()
    place.mkdir(parents=True)
    (folder / RESULTS).mkdir()
    (folder / "roster.csv").write_text(f"student,name\n{STUDENT},Zoë\n", encoding="utf-8")
    for name, data in files.items():
        if data is os.symlink:
            (folder / "secret").write_bytes(tiny.text(notebook))
            (place / name).symlink_to("../../secret")
        else:
            (place / name).write_bytes(data)
    (folder / "secret").unlink(missing_ok=True)
    (submission,) = collecting.collect(folder, {"tiny": tiny.TINY}).submissions
    return submission


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_a_fault_ends_in_its_status(fault, judge, tmp_path):
    notebook = tiny.solved()
    submission = hand_in(tmp_path, fault.spoil(notebook), notebook)
    result = judge.grade(submission)
    assert (result.status, result.reasons) == (fault.status, result.reasons)
    points = {grade.cell: grade.points for grade in result.grades}
    waiting = {"derivation": None} if fault.points else {}
    assert points == {**fault.points, **waiting}
    assert (result.reasons == []) == (result.status == "graded")
    assert re.search(fault.reason, "\n".join(result.reasons))
    assert set(tmp_path.iterdir()) == {tmp_path / name for name in ("tiny", RESULTS, "roster.csv")}
