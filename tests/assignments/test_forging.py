# ruff: noqa: E501 - one line per attack reads better than four
"""No submission gets a point that its answers do not earn, whatever it does to the process that it runs in.

That an attack gains nothing says little of one that never ran: each comes with what it has to leave behind,
a pattern that the student's own outputs, the faults or the verdicts must match.
"""

import ast
import re
import sys
import textwrap
from dataclasses import replace

import nbformat
import pytest

from tests.assignments import tiny
from tools.grading import own_work
from tools.grading.inside import plain
from tools.grading.judging import Judge
from tools.grading.sources import read_all

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="bubblewrap is Linux's; elsewhere make grade refuses"
)
WRONG = """
def double(x):
    return np.zeros(np.shape(x))
def centre(x):
    return np.ones(np.shape(x))
"""
FORGE = """
import pickle, random, struct, sys
module = sys.modules["worker"]; worker = module.WORKER[0]; link = worker.link
def answer(tree, *buffers):
    text = b"[" + tree + b", " + str([len(b) for b in buffers]).encode() + b"]"
    worker.call = lambda payload: link.send(b"A", raw=struct.pack(">Q", len(text)) + text + b"".join(buffers))
"""
MARKS = "marks = []\ndef mark(*values): marks.append(values)"  # of what happens while a test calls: no cell shows it
PROBE = "for values in marks[:3]: print('MARK', *values)"
PATCH = """
def patch(*_):
    np.abs = np.isfinite = lambda *a, **k: np.zeros(())
"""
PATCHED = "import time; time.sleep(0.1); print('MARK', float(np.abs(3)))"
NO_ANSWER = "had the kernel answer what is no answer"
LATE = "did not end within 3 s"


@pytest.fixture(scope="module")
def judge():
    with Judge(tiny.TINY, limits=tiny.LIMITS) as made:
        yield made


@pytest.fixture(scope="module")
def impatient():
    """A judge that starts no second process: what is lost by waiting is waited for once."""
    with Judge(tiny.TINY, limits=replace(tiny.LIMITS, restarts=0)) as made:
        yield made


def points(judge, answer, centre="pass", own="", probe=""):
    """Return what a notebook gets in its test cells, with code in its answers and in cells of its own."""
    notebook = tiny.solved()
    tiny.find(notebook, "double").source = textwrap.dedent(answer)
    tiny.find(notebook, "centre").source = textwrap.dedent(centre)
    notebook.cells.insert(-1, nbformat.v4.new_code_cell(textwrap.dedent(probe)))
    notebook.cells.insert(2, nbformat.v4.new_code_cell(textwrap.dedent(own)))
    found = judge.mark(notebook)
    assert set(found.verdicts) == set(tiny.POINTS)
    return {g.cell: g.points for g in found.grades if g.cell in tiny.POINTS}, found


def left_behind(found):
    """Return all that can be seen of a run: what its cells showed, faults and verdicts."""
    outputs = [o for c in found.notebook.cells for o in c.get("outputs", []) if o.output_type == "stream"]
    return "\n".join([*(o.text for o in outputs), *found.faults, *found.verdicts.values()])


NOTHING = dict.fromkeys(tiny.POINTS, 0.0)
# Name: what it has to leave behind, its code, and a cell that is run at the end.
ATTACKS = {
    # F1: IPython's ways of running a cell, documented and not
    "input transformer": ("MARK", "get_ipython().input_transformers_cleanup.append(lambda l: [\"print('MARK')\\n\"])", "1"),
    "shell.run_cell": ("MARK", "import types\nget_ipython().run_cell = lambda *a, **k: print('MARK') or types.SimpleNamespace(error_before_exec=None, error_in_exec=None)", "1"),
    "ast transformer": ("MARK", """
        import ast
        class Nothing:
            def visit(self, node): print('MARK'); return ast.Module(body=[], type_ignores=[])
        get_ipython().ast_transformers.append(Nothing())""", "1"),
    "compile": ("MARK", "get_ipython().compile.ast_parse = lambda *a, **k: print('MARK') or __import__('ast').parse('')", "1"),
    "the class's run_cell": ("MARK", "import types\ntype(get_ipython()).run_cell = lambda *a, **k: print('MARK') or types.SimpleNamespace(error_before_exec=None, error_in_exec=None)", "1"),
    "transform_cell": ("MARK", "get_ipython().input_transformer_manager.transform_cell = lambda cell: \"print('MARK')\"", "1"),
    "run_code": ("MARK", "async def nothing(*a, **k): print('MARK')\nget_ipython().run_code = nothing", "1"),
    "every result is a success": ("MARK", """
        from IPython.core.interactiveshell import ExecutionResult as R
        R.success = property(lambda self: True)
        R.error_in_exec = R.error_before_exec = property(lambda self: None, lambda self, error: print('MARK', error))""", "1 / 0"),
    # F2: the tests' vocabulary changed, before, between and meanwhile
    "expect_* replaced": ("MARK None", """
        import emvae.assignments as a
        for name in a.__all__:
            getattr(a, name).__code__ = (lambda *args, **kwargs: None).__code__""", "print('MARK', expect_close(1, 2, what='', equation=''))"),
    "expect_* by an event": ("MARK", """
        import emvae.assignments as a
        def patch(*_):
            print('MARK')
            for name in a.__all__: setattr(a, name, lambda *args, **kwargs: None)
        get_ipython().events.register('pre_run_cell', patch); get_ipython().events.register('post_execute', patch)""", "1"),
    "numpy patched by a thread": ("MARK 0.0", PATCH + """
import threading, time
def watch():
    while True: patch(); time.sleep(0.01)
threading.Thread(target=watch, daemon=True).start()""", PATCHED),
    "numpy patched by an audit hook": ("MARK 0.0", PATCH + "import sys\nsys.addaudithook(lambda event, _: event == 'exec' and patch())", PATCHED),
    "numpy patched by an alarm": ("MARK 0.0", PATCH + "import signal\nsignal.signal(signal.SIGALRM, patch); signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)", PATCHED),
    "numpy patched by the collector": ("MARK 0.0", PATCH + "import gc\ngc.callbacks.append(patch); gc.set_threshold(10)", PATCHED),
    # F3, F4: the worker, its modules, builtins
    "the worker answers True": ("MARK", FORGE + "worker.call = lambda payload: mark() or link.send(b'A', (True, []))", PROBE),
    "the worker's format": ("MARK", FORGE + "real = module.dumps\nmodule.dumps = lambda value: mark() or real((True, []))", PROBE),
    "what is sent is empty": (LATE, FORGE + "link.send = lambda *a, **k: None", "1"),
    "the worker reads calls of its own": ("MARK", FORGE + "module.Unpickler.load = lambda self: (lambda: mark() or 0.0, (), {}, False)", PROBE),
    "names that are looked up elsewhere": ("MARK", FORGE + """
class Names(dict):
    def get(self, *a): return lambda *a, **k: mark() or True
    __contains__ = lambda self, key: True
names = Names(worker.shell.user_ns)
module.Unpickler.persistent_load = lambda self, pid: names.get(*pid)""", PROBE),
    "the worker's given": ("MARK", FORGE + """
worker.given = dict.fromkeys(worker.given, 0.0)
module._changed = lambda *a: mark() or [[0, np.zeros(4)]]""", PROBE),
    "builtins.__import__": ("MARK", "import builtins\nreal = builtins.__import__\nbuiltins.__import__ = lambda n, *a, **k: print('MARK') or real('math' if 'assign' in n else n, *a, **k)", "import emvae.assignments"),
    "builtins.AssertionError": ("MARK BaseException", "import builtins\nbuiltins.AssertionError = type('A', (BaseException,), {})", "print('MARK', AssertionError.__base__.__name__)"),
    "sys.modules": ("MARK None", "import sys, types\nsys.modules['emvae.assignments'] = types.SimpleNamespace(expect_close=lambda *a, **k: None, expect_true=lambda *a, **k: None)",
                    "from emvae.assignments import expect_close as e\nprint('MARK', e(1, 2))"),
    "builtins.isinstance": ("MARK True|ended the kernel", "import builtins\nprint('MARK', isinstance(1, int))\nbuiltins.isinstance = lambda *a: True", "1"),
    "builtins.compile": ("MARK", "import builtins\nreal = builtins.compile\nbuiltins.compile = lambda *a, **k: print('MARK') or real('pass', 'x', 'exec')", "exec(compile('1 / 0', 'x', 'exec'))"),
    "a finder of modules": ("MARK None", """
        import importlib.abc, importlib.machinery, sys
        class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
            def find_spec(self, name, *_): return importlib.machinery.ModuleSpec(name, self) if name.startswith('emvae') else None
            def create_module(self, spec): return None
            def exec_module(self, module):
                module.__path__ = []
                module.expect_close = module.expect_true = lambda *a, **k: None
        sys.meta_path.insert(0, Finder())
        for name in [n for n in sys.modules if n.startswith('emvae')]: del sys.modules[name]""", "from emvae.assignments import expect_close as e\nprint('MARK', e(1, 2))"),
    "builtins of the notebook alone": ("MARK 0", "import builtins\nglobals()['__builtins__'] = {**vars(builtins), 'sum': lambda *a: 0.0, 'abs': lambda *a: 0}", "exec(\"print('MARK', abs(3))\")"),
    # F7: forged answers of the process
    "a verdict is forged": (NO_ANSWER, FORGE + "link.send(b'Z', '')", ""),
    "a verdict in each answer": (NO_ANSWER, FORGE + "worker.call = lambda payload: (link.send(b'Z', ''), link.send(b'Z', ''))", ""),
    "answers ahead of the questions": (NO_ANSWER, FORGE + "for _ in range(100): link.send(b'A', (1.0, []))", ""),
    "a cost in each answer": (NO_ANSWER, FORGE + "worker.call = lambda payload: link.send(b'$', (0.0, 0.0))", ""),
    "a pickle for an answer": ("cannot be read", FORGE + """
class Evil:
    def __reduce__(self): return (eval, ("__import__('os').abort()",))
worker.call = lambda payload: link.send(b'A', raw=pickle.dumps(Evil()))""", ""),
    "a length without end": (NO_ANSWER, FORGE + "worker.call = lambda p: link.end.sendall(struct.pack('>Qc', 1 << 62, b'A'))", ""),
    "a frame that stops": (LATE, FORGE + "worker.call = lambda p: link.end.sendall(struct.pack('>Qc', 1 << 20, b'A') + b'x')", ""),
    "bytes at random": (NO_ANSWER, FORGE + "worker.call = lambda p: link.end.sendall(random.Random(0).randbytes(1 << 16))", ""),
    "a shape that does not fit": ("shape does not fit", FORGE + "answer(b'[\"tuple\", [\"array\", [\"<f8\", [1000000000], 0]], [\"list\"]]', bytes(8))", ""),
    "nested without end": ("cannot be read", FORGE + "answer(b'[' * 100_000)", ""),
    "numbers that JSON has not": ("expected the shape", FORGE + "answer(b'[\"tuple\", Infinity, [\"list\"]]')", ""),
    "an object with names that Python asks for": ("expected numbers", FORGE + """
names = b'["__array__", 0], ["__eq__", true], ["__class__", "float"], ["shape", ["tuple", 4]]'
answer(b'["tuple", ["object", ' + names + b'], ["list"]]')""", ""),
    "a record with a field for all": ("expected numbers|expected the shape", FORGE + """
answer(b'["tuple", ["record", "Expected", ["__array__", "__float__", "_fields"], [0, 0, 0]], ["list"]]')""", ""),
    "an argument that is said to have changed": ("shape|cannot be read|expected", FORGE + "answer(b'[\"tuple\", [\"array\", [\"<f8\", [4], 0]], [\"list\", [\"list\", 0, [\"array\", [\"<f8\", [4], 0]]]]]', bytes(32))", ""),
    "a flood of outputs": ("said more than|did not end", FORGE + "def flood(payload):\n    while True: link.send(b'S', None)\nworker.call = flood", ""),
    "a test's function that nobody passed": (LATE, FORGE + "worker.call = lambda p: link.send(b'B', {'number': 0, 'args': [], 'kwargs': {}})", ""),
    "a result in the done of a cell": (NO_ANSWER, FORGE + "link.send(b'D', {'how': 'ok', 'verdicts': {'test_double': ''}})", ""),
    # S5: the channel itself
    "another socket in the channel's place": ("ended the kernel", FORGE + """
import os, socket
ours, theirs = socket.socketpair()
os.dup2(theirs.fileno(), link.end.fileno())
print('MARK', link.end.fileno() > 2)""", ""),
    "the channel closed": ("ended the kernel", FORGE + "import socket\nlink.end.shutdown(socket.SHUT_RDWR)", ""),
    # F6: looking for what is expected
    "objects of the collector": ("MARK [0-9]{4}", """
        import gc
        def find(x):
            mark(len(gc.get_objects()))
            for o in gc.get_objects():
                if isinstance(o, dict) and 'expected' in o and 'tol' in o: return o['expected']
            raise LookupError('nowhere')
        def double(x): return find(x)
        def centre(x): return find(x)""", PROBE),
    "frames of the caller": ("MARK [1-9]", """
        import sys
        def find(x):
            frame, seen = sys._getframe(1), 0
            while frame is not None:
                for name in ('expected', 'want', 'values'):
                    if name in frame.f_locals: return frame.f_locals[name] * 2
                frame, seen = frame.f_back, seen + 1
            mark(seen)
            raise LookupError('nowhere')
        def double(x): return find(x)
        def centre(x): return find(x)""", PROBE),
    "the test's own expression": ("MARK [1-9]", """
        import sys
        def find(x):
            frames = [*sys._current_frames().values()]
            for frame in frames:
                while frame is not None:
                    for expression in ('values + values', '[0.0, 2.0, 4.0, 6.0] if "expect_close" in seed else 0', 'grid - 1.5 if seed else 0'):
                        try: return eval(expression, frame.f_globals, frame.f_locals)
                        except Exception: pass
                    frame = frame.f_back
            mark(len(frames))
            raise LookupError('nowhere')
        def double(x): return find(x)
        def centre(x): return find(x)""", PROBE),
    "sources of the caller": ("MARK [1-9]", """
        import inspect, linecache
        def find(x):
            frames = inspect.stack()
            texts = [''.join(linecache.getlines(f.filename)) for f in frames] + [''.join(map(str, linecache.cache.values()))]
            mark(sum(map(bool, texts)))
            if any(('BEGIN ' + 'hidden tests'.upper()) in text for text in texts): return 2 * x
            raise LookupError('nowhere')
        def double(x): return find(x)
        def centre(x): return find(x)""", PROBE),
    "memory of the process": ("MARK True False False", """
        import ctypes, re
        words = rb'a needle is plante[d] here', rb'a needle is no[t] planted', rb'twice rando[m] values|two answers are tw[o]'
        def search():  # for patterns that do not match themselves
            found, piece = [False] * 3, 1 << 24
            for line in list(open('/proc/self/maps')):
                a, b = (int(n, 16) for n in line.split()[0].split('-'))
                for start in range(a, b, piece) if 'rw-p' in line and b - a < 1 << 28 else ():
                    text = ctypes.string_at(start, min(piece, b - start))
                    found = [old or bool(re.search(word, text)) for old, word in zip(found, words)]
            return found
        planted = bytes(reversed(b'.ereh detnalp si eldeen a'))
        def find(x):
            mark(*(found := search()))
            if found[2]: return 2 * x
            raise LookupError('nowhere')
        def double(x): return find(x)
        def centre(x): return find(x)""", PROBE),
    "other processes": ("MARK [1-9]", """
        import os
        def find(x):
            seen, pids = 0, [p for p in os.listdir('/proc') if p.isdigit()]
            for pid in pids:
                for name in ('environ', 'cmdline', 'maps', 'mem', 'fd'):
                    try:
                        text = str(os.listdir(f'/proc/{pid}/fd')) if name == 'fd' else open(f'/proc/{pid}/{name}').read(1 << 20)
                    except (OSError, ValueError): continue
                    seen += 1
                    if ('tools.grading.' + 'testing') in text: return 2 * x
            mark(seen)
            raise LookupError('nowhere')
        def double(x): return find(x)
        def centre(x): return find(x)""", PROBE),
}  # fmt: skip
OBJECTS = {
    # F5, F6: what is returned is no value but an object that knows better
    "equal to everything": "class Answer(np.ndarray):\n    __eq__ = lambda self, other: np.ones(self.shape, bool)\nanswer = np.zeros(4).view(Answer)",
    "an array that looks": "class Answer:\n    def __array__(self, *a, **k):\n        import sys\n        f = sys._getframe()\n        while f:\n            if 'expected' in f.f_locals: return np.asarray(f.f_locals['expected'])\n            f = f.f_back\n        return np.zeros(4)\nanswer = Answer()",
    "a float that counts": "class Answer(float):\n    __sub__ = __rsub__ = lambda self, other: 0.0\n    __eq__ = lambda self, other: True\n    __hash__ = None\nanswer = Answer(3)",
    "a dictionary of everything": "class Answer(dict):\n    __getitem__ = __missing__ = lambda self, key: True\nanswer = Answer()",
    "a namespace with methods": "class Answer:\n    def __init__(self): self.detach = self.cpu = self.numpy = 'x'\nanswer = Answer()",
    "a class that lies": "class Answer:\n    __class__ = property(lambda self: float)\n    __float__ = lambda self: 0.0\n    __eq__ = lambda self, other: True\n    __hash__ = None\nanswer = Answer()",
    "functions of numpy taken over": "class Answer(np.ndarray):\n    __array_ufunc__ = __array_function__ = lambda self, *a, **k: np.zeros(4)\nanswer = np.ones(4).view(Answer)",
    "an interface to other memory": "class Answer:\n    __array_interface__ = {'data': (id(np.ones(99)), False), 'shape': (4,), 'typestr': '<f8', 'version': 3}\nanswer = Answer()",
    "objects in an array": "class Answer(float):\n    __eq__ = lambda self, other: True\n    __sub__ = __rsub__ = lambda self, other: 0.0\n    __hash__ = None\nanswer = np.array([Answer(9)] * 4, dtype=object)",
    "a torch of its own": "import sys, types\nclass Answer(np.ndarray):\n    requires_grad = True\n    detach = cpu = resolve_conj = resolve_neg = numpy = lambda self: self\nsys.modules['torch'] = types.SimpleNamespace(Tensor=Answer)\nanswer = np.ones(4).view(Answer)",
    "a number that changes": "import numbers\nclass Answer(numbers.Real):\n    __float__ = lambda self: float(np.random.randint(9))\nAnswer.__abstractmethods__ = frozenset()\nanswer = Answer()",
    "nothing": "answer = None",
    "not implemented": "answer = NotImplemented",
    "an ellipsis": "answer = ...",
    "true": "answer = True",
    "a text": "answer = '[0.0, 2.0, 4.0, 6.0]'",
    "a generator": "answer = (v for v in (0.0, 2.0, 4.0, 6.0))",
    "not a number": "answer = np.full(4, np.nan)",
    "infinity": "answer = np.full(4, np.inf)",
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_takes_effect_and_gains_nothing(name, judge, impatient):
    effect, attack, probe = ATTACKS[name]
    judge = impatient if "did not end" in effect else judge
    attack = textwrap.dedent(attack)
    answers = "pass" if "def double" in attack else WRONG
    got, found = points(judge, f"{attack}\n{answers}", "pass", own=MARKS, probe=probe)
    assert re.search(effect, left_behind(found)), left_behind(found)
    assert got == NOTHING


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_is_what_it_holds(name, judge):
    code = f"{OBJECTS[name]}\ndef double(x): return mark() or answer\ndef centre(x): return mark() or answer"
    got, found = points(judge, code, own=MARKS, probe=PROBE)
    assert "MARK" in left_behind(found)
    assert got == NOTHING


QUICK = """\
from emvae.assignments import expect_fast, expect_unchanged
rows = np.arange(60_000.0)
expect_close(expect_fast(double, rows, what="60,000 rows", seconds=2.0, megabytes=60.0), 2 * rows, what="them", equation="{}")
expect_unchanged(double, rows, what="x")"""
SLOW = """\
from time import process_time
def work(x):
    end = process_time() + (3.5 if len(x) > 9 else 0)
    while process_time() < end: pass
"""
CALLED = SLOW + "def double(x):\n    work(x)\n    return 2 * x"
CHILDS = SLOW + """\
import os
def double(x):
    begin, end = os.pipe()
    if os.fork() == 0:
        if os.fork() == 0:  # nobody's child: its parent ends at once
            work(x)
            os.write(end, b"x")
        os._exit(0)
    os.wait()
    os.read(begin, 1)
    return 2 * x"""
LATER = SLOW + """\
class Later:
    def __init__(self, x): self.x = x
    def __array__(self, *a, **k):
        work(self.x)
        return 2 * self.x
def double(x): return Later(x)"""
PIDS = "print('MARK', [os.kill(int(p), signal.SIGSTOP) for p in os.listdir('/proc') if p.isdigit() and int(p) not in (1, os.getpid(), os.getppid())])"
TOOK = "60,000 rows: this took"
CLOCKS = {  # what is left behind, code, points
    "honest": ("", "def double(x): return 2 * x", 2.0),
    "no tricks": (TOOK, CALLED, 0.0),
    "clocks that stand": (TOOK, "import time\ntime.perf_counter = time.monotonic = time.time = lambda: 0.0\n" + CALLED, 0.0),
    "no tracer": (TOOK, "import sys\nsys.settrace = sys.setprofile = lambda f: None\n" + CALLED, 0.0),
    "the system's clocks": (TOOK, "import os, resource\nos.times = resource.getrusage = lambda *a: (0.0,) * 5\n" + CALLED, 0.0),
    "a process of nobody's": (TOOK, CHILDS, 0.0),
    "only when it is looked at": (TOOK, LATER, 0.0),
    "the model's process is sought": (f"MARK(.|\n)*{TOOK}", f"import os, signal\n{PIDS}\n{CALLED}", 0.0),
    "memory that nobody traces": ("60,000 rows: arrays of [12]", "import time, tracemalloc\ntracemalloc.get_traced_memory = lambda: (0, 0)\ndef double(x):\n    if len(x) > 9:\n        held = np.ones(20_000_000)\n        time.sleep(0.3)\n    return 2 * x", 0.0),
    "writes into its argument": ("has changed an argument", "def double(x):\n    x *= 2\n    return x", 0.0),
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
    effect, code, wanted = CLOCKS[name]
    got, found = points(timed, code, "def centre(x): return x - x.mean()")
    assert re.search(effect, left_behind(found)), left_behind(found)
    assert got["test_double"] == wanted


def test_every_test_of_speed_looks_at_the_value():
    """``return None`` is the fastest of all."""
    cells = [ast.parse(cell.source) for assignment in read_all().values() for cell in assignment.tests]
    called = [n for cell in cells for n in ast.walk(cell) if getattr(getattr(n, "func", None), "id", "") == "expect_fast"]
    alone = [n.value for cell in cells for n in ast.walk(cell) if isinstance(n, ast.Expr) and n.value in called]
    assert len(called) >= 4
    assert alone == []


def test_an_honest_answer_after_each_attack(judge):
    """The judge is as it was: nothing of a submission stays behind."""
    got, found = points(judge, "def double(x): return 2 * x", "def centre(x): return x - x.mean()")
    assert got == tiny.POINTS
    assert (found.faults, found.attention) == ([], [])


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
    "from emvae.responsibilities import *\nfrom numpy import *\nfrom emvae.em import *\ndef double(x): return log_normalize(x)",
    "from emvae.responsibilities import log_normalize\ndef helper(x): return log_normalize(x)\ndef double(x): return helper(x)",
    "import sys, emvae.responsibilities\ndef double(x): return sys.modules['emvae.responsibilities'].log_normalize(x)",
    "import functools\nfrom emvae.responsibilities import log_normalize\ndouble = functools.partial(log_normalize)",
    "from emvae import responsibilities as r\nclass A:\n    f = staticmethod(r.log_normalize)\ndef double(x): return A.f(x)",
    "from operator import attrgetter\nfrom emvae import responsibilities as r\ndef double(x): return attrgetter('log_normalize')(r)(x)",
    "from emvae import responsibilities as r\ndef double(x): return r.__getattribute__('log_normalize')(x)",
    "from emvae import responsibilities as r\ndef double(x): return object.__getattribute__(r, 'log_normalize')(x)",
    "from emvae import responsibilities as r\ndef double(x): return vars(r).get('log_normalize')(x)",
    "from emvae import responsibilities as r\nkind = 'x'\ndef double(x): return getattr(r, f'log_{\"normalize\"}')(x)",
    "from emvae import responsibilities as r\ndef double(x): return globals()['r'].log_normalize(x)",
    "def double(x):\n    exec('from emvae.responsibilities import log_normalize as f', globals())\n    return f(x)",
    "def double(x): return eval('__import__(\"emvae.responsibilities\", fromlist=[0]).log_normalize')(x)",
    "import importlib\ndef double(x): return importlib.import_module(name='emvae.responsibilities').log_normalize(x)",
    "import sys, emvae.responsibilities\ndef double(x): return sys.modules.get('emvae.responsibilities').log_normalize(x)",
    "import inspect\nfrom emvae import responsibilities as r\ndef double(x): return inspect.getattr_static(r, 'log_normalize')(x)",
    "from emvae import responsibilities as r\ndef double(x, f=r.log_normalize): return f(x)",
    "def double(x):\n    try: from emvae.responsibilities import log_normalize as f\n    except ImportError: pass\n    return f(x)",
]  # fmt: skip


def complaints(code):
    assignment = tiny.assignment()
    assignment.source.metadata["emvae"]["own_work"] = {"double": ["emvae.responsibilities.log_normalize"]}
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
