# ruff: noqa: E501 - one line per attack reads better than four
"""No submission gets a point that its answers do not earn, whatever it does to the process that it runs in."""

import sys
import textwrap

import nbformat
import pytest

from tests.assignments import tiny
from tools.grading import own_work
from tools.grading.inside import plain
from tools.grading.judging import Judge

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="bubblewrap is Linux's; elsewhere make grade refuses"
)
WRONG = """
def double(x):
    return np.zeros(np.shape(x))
def centre(x):
    return np.ones(np.shape(x))
"""
WORKER = "import sys; worker = sys.modules['worker'].WORKER[0]; link = worker.link\n"
FORGE = "import pickle, struct\n" + WORKER


@pytest.fixture(scope="module")
def judge():
    with Judge(tiny.TINY, limits=tiny.LIMITS) as made:
        yield made


@pytest.fixture(scope="module")
def patient():
    """A judge with the limits of a real one: to import torch takes longer than the tiny ones."""
    with Judge(tiny.TINY) as made:
        yield made


def points(judge, answer, centre="pass", own=""):
    """Return what a notebook gets in its test cells, with code in its answers and in a cell of its own."""
    notebook = tiny.solved()
    tiny.find(notebook, "double").source = textwrap.dedent(answer)
    tiny.find(notebook, "centre").source = textwrap.dedent(centre)
    if own:
        notebook.cells.insert(2, nbformat.v4.new_code_cell(textwrap.dedent(own)))
    marked = judge.mark(notebook)
    assert set(marked.verdicts) == set(tiny.POINTS)
    return {g.cell: g.points for g in marked.grades if g.cell in tiny.POINTS}, marked


NOTHING = dict.fromkeys(tiny.POINTS, 0.0)
ATTACKS = {
    # F1: IPython's ways of running a cell, documented and not
    "input transformer": "get_ipython().input_transformers_cleanup.append(lambda l: ['pass\\n'])",
    "shell.run_cell": "import types\nget_ipython().run_cell = lambda *a, **k: types.SimpleNamespace(error_before_exec=None, error_in_exec=None)",
    "ast transformer": """
        import ast
        class Nothing:
            def visit(self, node): return ast.Module(body=[], type_ignores=[])
        get_ipython().ast_transformers.append(Nothing())""",
    "compile": "get_ipython().compile.ast_parse = lambda *a, **k: __import__('ast').parse('')",
    # F2: the tests' vocabulary changed, before, between and meanwhile
    "expect_* replaced": """
        import emvae.assignments as a
        for name in a.__all__:
            getattr(a, name).__code__ = (lambda *args, **kwargs: None).__code__""",
    "expect_* by an event": """
        import emvae.assignments as a
        def patch(*_):
            for name in a.__all__: setattr(a, name, lambda *args, **kwargs: None)
        get_ipython().events.register('pre_run_cell', patch); get_ipython().events.register('post_execute', patch)""",
    "numpy patched by a thread": """
        import threading, time
        def watch():
            while True:
                np.abs = np.isfinite = lambda *a, **k: np.zeros(()); time.sleep(0.01)
        threading.Thread(target=watch, daemon=True).start()""",
    # F3, F4: the worker, its modules, builtins
    "the worker answers True": WORKER + "worker.call = lambda payload: link.send(b'A', (True, []))",
    "the worker's format": WORKER + "plain = sys.modules['plain']; plain.dumps = lambda value: b''",
    "what is sent is empty": WORKER + "link.send = lambda *a, **k: None",
    "builtins.__import__": "import builtins\nreal = builtins.__import__\nbuiltins.__import__ = lambda n, *a, **k: real('math' if 'assign' in n else n, *a, **k)",
    "builtins.AssertionError": "import builtins\nbuiltins.AssertionError = type('A', (BaseException,), {})",
    "sys.modules": "import sys, types\nsys.modules['emvae.assignments'] = types.SimpleNamespace(expect_close=lambda *a, **k: None, expect_true=lambda *a, **k: None)",
    # F7: forged answers of the process
    "a verdict is forged": FORGE + "link.send(b'Z', '')",
    "a verdict in each answer": FORGE + "worker.call = lambda payload: (link.send(b'Z', ''), link.send(b'Z', ''))",
    "answers ahead of the questions": FORGE + "for _ in range(100): link.send(b'A', (1.0, []))",
    "a pickle for an answer": FORGE + """
class Evil:
    def __reduce__(self): return (eval, ("__import__('os').abort()",))
worker.call = lambda payload: link.send(b'A', raw=pickle.dumps(Evil()))""",
    "a length without end": FORGE + "worker.call = lambda p: link.end.sendall(struct.pack('>Qc', 1 << 62, b'A'))",
    "a frame that stops": FORGE + "worker.call = lambda p: link.end.sendall(struct.pack('>Qc', 1 << 20, b'A') + b'x')",
    "bytes at random": FORGE + "import random\nworker.call = lambda p: link.end.sendall(random.Random(0).randbytes(1 << 16))",
    "a shape that does not fit": FORGE + """
tree = b'[["tuple", ["array", ["<f8", [1000000000], 0]], ["list"]], [8]]'
worker.call = lambda p: link.send(b'A', raw=struct.pack('>Q', len(tree)) + tree + bytes(8))""",
    "nested without end": FORGE + """
tree = b'[' * 100000
worker.call = lambda p: link.send(b'A', raw=struct.pack('>Q', len(tree)) + tree)""",
    "a test's function that nobody passed": FORGE + "worker.call = lambda p: link.send(b'B', {'number': 0, 'args': [], 'kwargs': {}})",
    "a result in the done of a cell": FORGE + "link.send(b'D', {'how': 'ok', 'verdicts': {'test_double': ''}})",
    # looking for what is expected
    "objects of the collector": """
        import gc
        def find(x):
            for o in gc.get_objects():
                if isinstance(o, dict) and 'expected' in o: return o['expected']
            raise LookupError('nowhere')
        def double(x): return find(x)
        def centre(x): return find(x)""",
    "frames of the caller": """
        import sys
        def find(x):
            frame = sys._getframe()
            while frame is not None:
                for name in ('expected', 'want', 'values'):
                    if name in frame.f_locals: return frame.f_locals[name] * 2
                frame = frame.f_back
            raise LookupError('nowhere')
        def double(x): return find(x)
        def centre(x): return find(x)""",
    "memory of the process": """
        import re
        def find(x):
            with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb', 0) as memory:
                for line in maps:
                    if 'heap' in line:
                        a, b = (int(n, 16) for n in line.split()[0].split('-'))
                        memory.seek(a)
                        if (b'twice random ' + b'values') in memory.read(b - a): return 2 * x
            raise LookupError('nowhere')
        def double(x): return find(x)
        def centre(x): return find(x)""",
}  # fmt: skip
OBJECTS = {
    # F5, F6: what is returned is no value but an object that knows better
    "equal to everything": "class Answer(np.ndarray):\n    __eq__ = lambda self, other: np.ones(self.shape, bool)\nanswer = np.zeros(4).view(Answer)",
    "an array that looks": "class Answer:\n    def __array__(self, *a, **k):\n        import sys\n        f = sys._getframe()\n        while f:\n            if 'expected' in f.f_locals: return np.asarray(f.f_locals['expected'])\n            f = f.f_back\n        return np.zeros(4)\nanswer = Answer()",
    "a float that counts": "class Answer(float):\n    __sub__ = __rsub__ = lambda self, other: 0.0\n    __eq__ = lambda self, other: True\n    __hash__ = None\nanswer = Answer(3)",
    "a dictionary of everything": "class Answer(dict):\n    __getitem__ = __missing__ = lambda self, key: True\nanswer = Answer()",
    "a namespace with methods": "class Answer:\n    def __init__(self): self.detach = self.cpu = self.numpy = 'x'\nanswer = Answer()",
    "nothing": "answer = None",
    "not a number": "answer = np.full(4, np.nan)",
    "infinity": "answer = np.full(4, np.inf)",
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gains_nothing(name, judge):
    attack = textwrap.dedent(ATTACKS[name])
    answers = "pass" if "def double" in attack else WRONG
    got, _ = points(judge, f"{attack}\n{answers}", "pass")
    assert got == NOTHING


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_is_what_it_holds(name, judge):
    code = f"{OBJECTS[name]}\ndef double(x): return answer\ndef centre(x): return answer"
    assert points(judge, code)[0] == NOTHING


QUICK = """\
from emvae.assignments import expect_fast, expect_unchanged
rows = np.arange(60_000.0)
expect_close(expect_fast(double, rows, what="60,000 rows", seconds=2.0), 2 * rows, what="them", equation="{}")
expect_unchanged(double, rows, what="x")"""
CLOCKS = {
    "honest": ("", 2.0),
    "clocks that stand": ("import time\ntime.perf_counter = time.monotonic = time.time = lambda: 0.0", 0.0),
    "no tracer": ("import sys\nsys.settrace = sys.setprofile = lambda f: None", 0.0),
    "the model's process is sought": ("import os, signal\nfor pid in os.listdir('/proc'):\n    if pid.isdigit() and int(pid) not in (1, os.getpid(), os.getppid()): os.kill(int(pid), signal.SIGSTOP)", 0.0),
    "writes into its argument": ("fast = True\nx = 1", 0.0),
}  # fmt: skip


@pytest.fixture(scope="module")
def timed():
    """The tiny assignment with a test of speed and one of what is left unchanged."""
    made = tiny.assignment()
    tiny.find(made.source, "test_double").source += "\n" + QUICK.replace("{}", tiny.EQUATION)
    with Judge(made) as judge:
        yield judge


@pytest.mark.parametrize("name", CLOCKS)
def test_speed_is_measured_from_outside(name, timed):
    code, wanted = CLOCKS[name]
    slow = "def double(x):\n    for _ in range(250_000 if len(x) > 9 else 1): y = np.add(x, x)\n    return 2 * x"
    body = {"honest": "def double(x): return 2 * x",
            "writes into its argument": "def double(x):\n    x *= 2\n    return x"}.get(name, slow)  # fmt: skip
    got, marked = points(timed, f"{code}\n{body}", "def centre(x): return x - x.mean()")
    assert got["test_double"] == wanted, marked.verdicts
    if name == "writes into its argument":
        assert "your function has changed an argument" in marked.verdicts["test_double"]


def test_an_honest_answer_after_each_attack(judge):
    """The judge is as it was: nothing of a submission stays behind."""
    got, marked = points(judge, "def double(x): return 2 * x", "def centre(x): return x - x.mean()")
    assert got == tiny.POINTS
    assert (marked.faults, marked.attention) == ([], [])


HONEST = {
    "sum of numpy": "from numpy import *\nfrom numpy import sum, abs, all",
    "names of the assignment's own taken": "grid = 3\nexpect_close = expect_true = None",
    "builtins taken": "list = [1, 2]\nmax = 5\nsum = 0\ntype = 'gaussian'\nlen = 3",
    "numpy under another name": "import numpy as jnp\nnp = None",
    "warnings as errors": "import warnings\nwarnings.simplefilter('error')",
    "another folder": "import os\nos.chdir('/tmp')",
    "a tracer left on": "import sys\nsys.settrace(lambda *a: None)",
    "threads and processes": "import threading, multiprocessing\nthreading.Thread(target=print).start()\nwith multiprocessing.get_context('fork').Pool(2) as pool: print(pool.map(abs, [1, -2]))",
    "top-level await": "import asyncio\nawait asyncio.sleep(0.01)",
    "magics": "%matplotlib inline\n%time 1 + 1\n!echo hello",
    "a figure": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "printing": "print('x' * 1000)\nimport sys\nprint('warning', file=sys.stderr)",
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_notebook_keeps_every_point(name, judge):
    answers = "import numpy\ndef double(x): return numpy.add(x, x)", "def centre(x): return x - x.mean()"
    got, _ = points(judge, *answers, own=HONEST[name])
    assert got == tiny.POINTS


@pytest.mark.parametrize(
    "form",
    ["list((2 * x).tolist())", "tuple(2 * x)", "np.float32(2) * x", "2 * np.ma.array(x)", "np.matrix(2 * x).A1",
     "(2 * x).astype(object)", "__import__('torch').from_numpy(2 * x)", "[v for v in 2 * x]", "2 * x[:]"],
)  # fmt: skip
def test_an_answer_may_have_any_form_of_numbers(form, patient):
    got, _ = points(patient, f"def double(x): return {form}", "def centre(x): return x - x.mean()")
    assert got == tiny.POINTS


LEANING = [
    "from emvae.responsibilities import log_normalize as f\ndef double(x): return f(x)",
    "import emvae.responsibilities as r\ndouble = r.log_normalize",
    "import emvae\ndef double(x): return emvae.responsibilities.log_normalize(x)",
    "from emvae import responsibilities as r\ndef double(x): return getattr(r, 'log_' + 'normalize')(x)",
    "from emvae import responsibilities as r\ndef double(x): return vars(r)['log_normalize'](x)",
    "from emvae import responsibilities as r\ndef double(x): return r.__dict__['log_normalize'](x)",
    "import importlib\ndef double(x): return importlib.import_module('emvae.responsibilities').log_normalize(x)",
    "from importlib import import_module as im\ndef double(x): return im('emvae.responsibilities').log_normalize(x)",
    "def double(x): return __import__('emvae.responsibilities', fromlist=['x']).log_normalize(x)",
    "from emvae.responsibilities import *\ndef double(x): return log_normalize(x)",
    "from emvae.responsibilities import log_normalize\ndef helper(x): return log_normalize(x)\ndef double(x): return helper(x)",
    "import sys, emvae.responsibilities\ndef double(x): return sys.modules['emvae.responsibilities'].log_normalize(x)",
    "import functools\nfrom emvae.responsibilities import log_normalize\ndouble = functools.partial(log_normalize)",
    "from emvae import responsibilities as r\nclass A:\n    f = staticmethod(r.log_normalize)\ndef double(x): return A.f(x)",
]  # fmt: skip


def complaints(code):
    assignment = tiny.assignment()
    assignment.source.metadata["emvae"]["own_work"] = {"double": ["emvae.responsibilities"]}
    notebook = tiny.solved()
    tiny.find(notebook, "double").source = code
    return own_work.complaints(assignment, notebook)


@pytest.mark.parametrize("code", LEANING)
def test_an_answer_left_to_the_package_is_seen_in_the_text(code):
    (sentence, *_) = complaints(code)
    assert sentence.startswith("`double` leaves its work to `emvae.responsibilities")


@pytest.mark.parametrize(
    "code",
    ["from emvae.responsibilities import log_normalize\ndef double(x): return 2 * x",
     "import emvae\ndef double(x):\n    responsibilities = x\n    return responsibilities + x",
     "def double(log_normalize): return 2 * log_normalize"],
)  # fmt: skip
def test_own_work_is_not_complained_of(code):
    assert complaints(code) == []


def test_plain_data_come_back_as_they_went():
    import numpy as np

    value = {
        "a": [1, 2.5, None, True, "x\ud800"],
        (1, "b"): (np.arange(6.0).reshape(2, 3), np.float32(3), {1, 2}),
    }
    back = plain.loads(plain.dumps(value))
    assert back["a"] == value["a"]
    array, scalar, numbers = back[(1, "b")]
    np.testing.assert_array_equal(array, np.arange(6.0).reshape(2, 3))
    assert (type(scalar), scalar, numbers) == (np.float32, 3, {1, 2})


def test_a_tree_without_end_is_not_read():
    text = b"[" + b"[]," * (6 << 20) + b"1]"
    with pytest.raises(plain.NotPlainError, match="beside arrays"):
        plain.loads(len(text).to_bytes(8, "big") + text)


@pytest.mark.parametrize("tree", ['["array", ["O", [1], 0]]', '["array", ["<f8", [-1], 0]]', '["array", ["<f8", [2], 9]]',
    '["eval", "1"]', '["record"]', '["dict", [["list"], 1]]', '{"a": 1}'])  # fmt: skip
def test_what_is_no_plain_data_is_refused(tree):
    text = f"[{tree}, [8]]".encode()
    with pytest.raises(plain.NotPlainError):
        plain.loads(len(text).to_bytes(8, "big") + text + bytes(8))
