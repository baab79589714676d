# ruff: noqa: E501 - tables of cases read better with one line each
"""Honest work keeps every point, in whatever style it is written and whatever program wrote the file."""

import json
import re
import sys
import textwrap

import nbformat
import pytest

from tests.assignments import tiny
from tools.grading.judging import Judge
from tools.grading.submissions import Student, Submission

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="bubblewrap is Linux's; elsewhere make grade refuses"
)
CENTRE = "def centre(x): return x - x.mean()"
# What students put beside their answers: code, and a fault that it is, if it is one.
CELLS = {
    "sum of numpy": ("from numpy import *\nfrom numpy import sum, abs, all", ""),
    "pylab": ("%pylab inline\nplot([1, 2])", "(ends in .*)?"),
    "names of the assignment's own taken": ("grid = 3\nexpect_close = expect_true = None", ""),
    "builtins taken": ("list = [1, 2]\nmax = 5\nsum = 0\ntype = 'gaussian'\nlen = 3\nprint = None", ""),
    "numpy under another name": ("import numpy as jnp\nnp = None", ""),
    "warnings as errors": ("import warnings\nwarnings.simplefilter('error')", ""),
    "warnings off": ("import warnings\nwarnings.filterwarnings('ignore')", ""),
    "numpy's errors raised": ("np.seterr(all='raise')", ""),
    "numpy's printing": ("np.set_printoptions(precision=2, suppress=True)", ""),
    "seeds": ("import random\nrandom.seed(1)\nnp.random.seed(1)", ""),
    "another folder": ("import os\nos.chdir('/tmp')\nos.environ['HOME'] = '/nowhere'", ""),
    "a tracer left on": ("import sys\nsys.settrace(lambda *a: None)", ""),
    "another recursion limit": ("import sys\nsys.setrecursionlimit(5000)", ""),
    "sys.path": ("import sys\nsys.path.insert(0, '/content/drive/MyDrive')", ""),
    "a thread": ("import threading\nthreads = [threading.Thread(target=print, args=(i,)) for i in range(3)]\n[t.start() for t in threads]; [t.join() for t in threads]", ""),
    "a thread that stays": ("import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()", ""),
    "a pool of processes": ("import multiprocessing\nwith multiprocessing.get_context('fork').Pool(2) as pool: print(pool.map(abs, [1, -2]))", ""),
    "a pool of futures": ("from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(2) as pool: print(*pool.map(abs, [1, -2]))", ""),
    "top-level await": ("import asyncio\nawait asyncio.sleep(0.01)", ""),
    "magics": ("%matplotlib inline\n%time 1 + 1\n!echo hello\nnp.sum?\n%who\nfiles = !ls", ""),
    "cell magics": ("%%capture out\nprint('hidden')", ""),
    "a timed cell": ("%%timeit -n 1 -r 1\nnp.ones(3)", ""),
    "a module that is written": ("%%writefile helper.py\ndef helped(x): return x", ""),
    "settings of figures": ("%config InlineBackend.figure_format = 'retina'\nimport matplotlib.pyplot as plt\nplt.style.use('ggplot')\nplt.rcParams['figure.figsize'] = 4, 3\nplt.plot([1, 2])\nplt.show()", ""),
    "interactive figures": ("%matplotlib widget\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])", "(ends in .*)?"),
    "packages by pip": ("%pip install numpy", ""),
    "extensions": ("%load_ext autoreload\n%autoreload 2", ""),
    "Colab's drive": ("from google.colab import drive\ndrive.mount('/content/drive')", "ends in ModuleNotFoundError"),
    "a bar of progress": ("import sys, time\nfor i in range(20): sys.stderr.write(f'\\r{i}/20'); sys.stderr.flush()", ""),
    "printing": ("print('x' * 1000)\nimport sys\nprint('warning', file=sys.stderr)", ""),
    "logging": ("import logging\nlogging.basicConfig(level=logging.DEBUG)\nlogging.getLogger().warning('loud')", ""),
    "HTML and widgets": ("from IPython.display import HTML, Markdown, clear_output, display\ndisplay(HTML('<b>x</b>'), Markdown('*x*')); clear_output()", ""),
    "an experiment that fails": ("raise RuntimeError('left here to look at later')", "ends in RuntimeError"),
    "a data class": ("from dataclasses import dataclass\n@dataclass\nclass Setting:\n    rate: float = 0.1\nsetting = Setting()", ""),
    "a name that was deleted": ("grid2 = grid.copy()\ndel grid2, grid", ""),
    "other packages": ("import scipy.stats\nfrom tqdm.auto import tqdm\nfor i in tqdm(range(3)): pass", ""),
    "torch in double precision": ("import torch\ntorch.set_default_dtype(torch.float64)\ntorch.set_num_threads(1)\ntorch.manual_seed(1)", ""),
}  # fmt: skip
# How an answer is written.
ANSWERS = {
    "lambda": "double = lambda x: 2 * x",
    "a function of numpy": "double = np.vectorize(lambda v: 2 * v)",
    "partial": "from functools import partial\ndouble = partial(np.multiply, 2)",
    "an object that is called": "class Double:\n    def __call__(self, x): return 2 * x\ndouble = Double()",
    "a method": "class Tools:\n    @staticmethod\n    def double(x): return 2 * x\ndouble = Tools.double",
    "decorated": "import functools\ndef loud(f):\n    @functools.wraps(f)\n    def g(*a, **k):\n        print('called', a)\n        return f(*a, **k)\n    return g\n@loud\ndef double(x): return 2 * x",
    "annotated": "from __future__ import annotations\nfrom typing import Sequence\ndef double(x: Sequence[float], *, factor: float = 2.0) -> np.ndarray:\n    '''Twice x.\n\n    >>> double([1])\n    '''\n    return factor * np.asarray(x)",
    "another name of the argument": "def double(values, *rest, **options): return 2 * values",
    "a helper within": "def double(x):\n    def twice(v):\n        nonlocal_factor = 2\n        return nonlocal_factor * v\n    return np.array([twice(v) for v in x])",
    "recursion": "def double(x): return np.array([2 * x[0], *double(x[1:])]) if len(x) else np.array([])",
    "a global constant": "FACTOR = 2\ncalls = 0\ndef double(x):\n    global calls\n    calls += 1\n    return FACTOR * x",
    "a generator inside": "def double(x):\n    def each():\n        for v in x: yield 2 * v\n    return np.fromiter(each(), float)",
    "imports inside": "def double(x):\n    import numpy, math\n    return numpy.array([math.fsum((v, v)) for v in x])",
    "loops": "def double(x):\n    out = []\n    for i in range(len(x)):\n        out.append(x[i] + x[i])\n    return out",
    "a match": "def double(x):\n    match len(x):\n        case 0: return x\n        case _: return 2 * x",
    "try and walrus": "def double(x):\n    try:\n        if (n := len(x)) > 0: return x * 2\n    except TypeError: raise\n    return x",
    "prints, figures and asserts": "import matplotlib.pyplot as plt\ndef double(x):\n    assert np.ndim(x) == 1\n    print('x', x)\n    plt.plot(x)\n    return 2 * x",
    "warns": "import warnings\ndef double(x):\n    warnings.warn('think again')\n    return 2 * x",
    "torch inside": "import torch\ndef double(x): return 2 * torch.as_tensor(x)",
    "timed": "%%time\ndef double(x): return 2 * x",
    "with a magic": "%matplotlib inline\ndef double(x): return 2 * x",
    "windows lines": "def double(x):\r\n    return 2 * x\r\n",
    "tabs and comments": "# my solution\ndef double(x):\n\t# twice\n\treturn 2*x # done\n\n\n",
    "defined twice": "def double(x): return 0\ndef double(x): return 2 * x",
    "other letters": "def double(größe):\n    π = 2\n    return π * größe  # ✓",
    "several names": "def double(x): return 2 * x\nzweifach = doppelt = double",
    "a cache": "from functools import lru_cache\n@lru_cache\ndef factor(): return 2\ndef double(x): return factor() * x",
    "a thread for each": "from concurrent.futures import ThreadPoolExecutor\ndef double(x):\n    with ThreadPoolExecutor(2) as pool: return np.array(list(pool.map(lambda v: 2 * v, x)))",
}  # fmt: skip
FORMS = [
    "list((2 * x).tolist())", "tuple(2 * x)", "np.float32(2) * x", "2 * np.ma.array(x)", "np.matrix(2 * x).A1",
    "(2 * x).astype(object)", "__import__('torch').from_numpy(2 * x)", "[v for v in 2 * x]", "2 * x[:]",
    "np.asfortranarray(2 * x)", "(2 * x)[::-1][::-1]", "np.array(2 * x, dtype='>f8')", "np.longdouble(2) * x",
    "2 * x.astype(complex).real", "memoryview(2 * x).tolist()", "np.broadcast_to(2 * x, x.shape)",
]  # fmt: skip


@pytest.fixture(scope="module")
def judge():
    """A judge whose processes are forked from one that has begun: honest work needs no walls of its own."""
    with Judge(tiny.TINY, warm=True) as made:
        yield made


def graded(judge, double, own="pass"):
    notebook = tiny.solved()
    tiny.find(notebook, "double").source = double
    tiny.find(notebook, "centre").source = CENTRE
    notebook.cells.insert(2, nbformat.v4.new_code_cell(textwrap.dedent(own)))
    found = judge.mark(notebook)
    return {g.cell: g.points for g in found.grades if g.points is not None}, found


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_beside_the_answers_costs_no_point(name, judge):
    code, fault = CELLS[name]
    got, found = graded(judge, "import numpy\ndef double(x): return numpy.add(x, x)", code)
    assert (got, found.attention) == (tiny.POINTS, []), found.verdicts
    assert re.search(f"{fault}$", "\n".join(found.faults)), found.faults
    assert fault or not found.faults


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_may_be_written_in_any_way(name, judge):
    got, found = graded(judge, ANSWERS[name])
    assert (got, found.faults, found.attention) == (tiny.POINTS, [], []), found.verdicts


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_may_have_any_form_of_numbers(form, judge):
    got, found = graded(judge, f"def double(x): return {form}")
    assert got == tiny.POINTS, found.verdicts


# The program that wrote the file.


def vs_code(data):
    del data["metadata"]["kernelspec"]
    data["metadata"].update(language_info={"name": "python", "version": "3.12.1"}, orig_nbformat=4)
    for number, cell in enumerate(data["cells"]):
        cell["id"] = f"#VSC-{number:08x}"
        cell["metadata"]["vscode"] = {"languageId": cell["cell_type"].replace("code", "python")}


def colab(data):
    data["metadata"] = {"colab": {"provenance": [], "toc_visible": True}, "kernelspec": {"name": "python3", "display_name": "Python 3"}, "accelerator": "GPU"}
    data["nbformat_minor"] = 0
    for number, cell in enumerate(data["cells"]):
        cell.pop("id")
        cell["metadata"].update(id=f"aB{number}", outputId="7f3e", colab={"base_uri": "https://localhost:8080/"})


def format_4_0(data):
    data["nbformat_minor"] = 0
    for cell in data["cells"]:
        cell.pop("id")


def widgets(data):
    state = {"application/vnd.jupyter.widget-state+json": {"state": {"a": {"model_name": "FloatProgressModel"}}, "version_major": 2}}
    data["metadata"]["widgets"] = state
    code(data)["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": {"application/vnd.jupyter.widget-view+json": {"model_id": "a"}}}]


def one_string(data):
    for cell in data["cells"]:
        cell["source"] = "".join(cell["source"])


def windows(data):
    for cell in data["cells"]:
        cell["source"] = [line.replace("\n", "\r\n") for line in cell["source"]]


def run_in_another_order(data):
    for number, cell in enumerate(c for c in data["cells"] if c["cell_type"] == "code"):
        cell["execution_count"] = 99 - number
        cell["outputs"] = [{"output_type": "error", "ename": "NameError", "evalue": "x", "traceback": ["\x1b[31mNameError"]}]


def tags_and_slides(data):
    for cell in data["cells"]:
        cell["metadata"].update(tags=["hide"], slideshow={"slide_type": "slide"}, collapsed=True, jupyter={"outputs_hidden": True}, editable=True, deletable=True)


def code(data):
    return next(c for c in data["cells"] if c["cell_type"] == "code")


PROGRAMS = [vs_code, colab, format_4_0, widgets, one_string, windows, run_in_another_order, tags_and_slides]
WRITERS = {
    "as it is": lambda data: json.dumps(data).encode(),
    "with a mark of its encoding": lambda data: b"\xef\xbb\xbf" + json.dumps(data, indent=4, sort_keys=True).encode(),
    "with lines of Windows": lambda data: json.dumps(data, indent=1, ensure_ascii=False).replace("\n", "\r\n").encode(),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_file_of_any_program_is_read_without_a_fault(program, writer, judge, tmp_path):
    data = tiny.raw(tiny.solved())
    program(data)
    (tmp_path / "tiny.ipynb").write_bytes(WRITERS[writer](data))
    found = judge.grade(Submission(tiny.TINY, Student("ada"), (tmp_path,)))
    assert (found.status, found.reasons, found.points) == ("graded", [], 5.0)
