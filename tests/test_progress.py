"""A bar where a person watches, nothing anywhere else; and numpy alone behind the models."""

import ast
import os
import pkgutil
import pty
import select
import subprocess
import sys
import termios
import textwrap
import threading
import time
import warnings
from pathlib import Path

import nbclient
import nbformat
import pytest

import emvae
from emvae import _parallel, _progress

CHAPTERS_WITHOUT_TORCH = sorted((Path(__file__).parent.parent / "book").glob("[123]-*.ipynb"))

SLOW_FIT = textwrap.dedent("""
    import time
    from dataclasses import dataclass
    import numpy as np
    from emvae.em import fit_em
    from emvae.mixtures import BernoulliMixture

    class Slow(BernoulliMixture):
        def expect(self, x, sample_weight=None):
            time.sleep(PAUSE)
            return super().expect(x, sample_weight)

    x = np.random.default_rng(0).integers(0, 2, size=(9, 2))
    fit = fit_em(Slow([0.5, 0.5], [[0.2, 0.4], [0.6, 0.7]]), x, max_iter=STEPS, tol=0)
    print(fit.n_iter)
""")


def script(*, steps, pause):
    return SLOW_FIT.replace("STEPS", str(steps)).replace("PAUSE", str(pause))


def environment(**extra):
    return {k: v for k, v in os.environ.items() if k != "JPY_SESSION_NAME"} | extra


def on_a_terminal(code):
    """What a command writes on stderr when that is a terminal, and on stdout."""
    parent, child = pty.openpty()
    termios.tcsetwinsize(child, (24, 80))  # a terminal without width has no room for a bar
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=child, env=environment(), text=True
    )
    os.close(child)
    seen, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([parent], [], [], 0.1)[0]:
            if process.poll() is not None:
                break
            continue
        try:
            data = os.read(parent, 4096)
        except OSError:  # Linux: the other end was closed
            break
        if not data:
            break
        seen += data
    out = process.communicate(timeout=60)[0]
    os.close(parent)
    return seen.decode(), out


def in_a_pipe(code, **extra):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(**extra), check=True
    )
    return done.stderr, done.stdout


def test_a_terminal_shows_a_bar_for_long_work_and_clears_it():
    shown, out = on_a_terminal(script(steps=30, pause=0.06))
    assert "EM" in shown
    assert "/31" in shown
    assert shown.rstrip(" ").endswith("\r")
    assert out == "30\n"


def test_a_terminal_shows_nothing_for_short_work():
    shown, out = on_a_terminal(script(steps=5, pause=0.0))
    assert shown.strip() == ""
    assert out == "5\n"


def test_a_pipe_stays_silent():
    shown, out = in_a_pipe(script(steps=25, pause=0.06))
    assert shown == ""
    assert out == "25\n"


def test_a_live_notebook_shows_a_bar():
    """A notebook server names the document that its kernel runs; nbval and nbconvert do not."""
    shown, _ = in_a_pipe(script(steps=25, pause=0.06), JPY_SESSION_NAME="lecture.ipynb")
    assert "EM" in shown
    assert "/26" in shown


def test_a_notebook_that_runs_unwatched_stays_silent(monkeypatch):
    """As under nbval and in a build: a kernel without a notebook server."""
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    cell = nbformat.v4.new_code_cell(script(steps=25, pause=0.06))
    notebook = nbformat.v4.new_notebook(cells=[cell])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the event loops of jupyter_client and zmq
        nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    assert [(output.name, output.text) for output in cell.outputs] == [("stdout", "25\n")]


def test_who_watches(monkeypatch):
    class Terminal:
        def isatty(self):
            return True

    class Pipe:
        def isatty(self):
            return False

    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    for stream, watched in ((Terminal(), True), (Pipe(), False)):
        monkeypatch.setattr(_progress.sys, "stderr", stream)
        assert _progress._someone_watches() is watched
    monkeypatch.setenv("JPY_SESSION_NAME", "lecture.ipynb")
    assert _progress._someone_watches() is True


def test_progress_hands_on_every_item():
    assert list(_progress.progress(iter("abc"), description="letters", total=3)) == ["a", "b", "c"]


# --- what an import brings along

CORE = [
    f"emvae.{name}"
    for name in ("responsibilities", "elbo", "em", "mixtures", "datasets", "checks", "plotting")
]


@pytest.mark.parametrize("module", ["emvae", *CORE])
def test_no_part_of_the_core_imports_torch(module):
    heavy = "{'torch', 'sklearn', 'scipy', 'pandas', 'IPython'}"
    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    assert in_a_pipe(code)[1] == "[]\n"


@pytest.mark.parametrize("module", [m for m in CORE if "plotting" not in m])
def test_models_do_not_need_matplotlib(module):
    assert in_a_pipe(f"import sys, {module}; print('matplotlib' in sys.modules)")[1] == "False\n"


# --- the package by its name alone

MODULES = sorted(m.name for m in pkgutil.iter_modules(emvae.__path__) if not m.name.startswith("_"))
NEED_TORCH = ["autoencoders", "bounds", "gradients", "latents", "training"]
HIDE_TORCH = textwrap.dedent("""
    import sys

    class NoTorch:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] == "torch":
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    sys.meta_path.insert(0, NoTorch())
""")


def test_every_public_module_is_an_attribute_that_completion_finds():
    assert sorted(emvae.__all__) == MODULES
    assert set(MODULES) <= set(dir(emvae))
    code = f"import emvae; print([getattr(emvae, n).__name__ for n in {MODULES}])"
    assert in_a_pipe(code)[1] == f"{[f'emvae.{name}' for name in MODULES]}\n"
    with pytest.raises(AttributeError, match=r"^module 'emvae' has no attribute 'mixture'$"):
        _ = emvae.mixture


def test_a_model_is_reached_from_the_package_and_nothing_is_imported_before():
    code = (
        "import sys, emvae; before = {m for m in sys.modules if m.startswith(('emvae', 'numpy', 'torch'))};"
        "print(sorted(before), emvae.mixtures.GaussianMixture.__name__, 'torch' in sys.modules)"
    )
    assert in_a_pipe(code)[1] == "['emvae'] GaussianMixture False\n"


def test_importing_the_package_takes_under_150_ms():
    """The fastest of five, because what slows an import down is the machine; measured: 14 ms."""
    lines = [in_a_pipe("import emvae", PYTHONPROFILEIMPORTTIME="1")[0].splitlines()[-1] for _ in range(5)]
    assert all(line.endswith("emvae") for line in lines)
    assert min(int(line.split("|")[1]) for line in lines) < 150_000  # microseconds


@pytest.mark.parametrize("module", NEED_TORCH)
@pytest.mark.parametrize(
    "statement",
    ["import emvae.{0}", "from emvae import {0}", "from emvae.{0} import *", "import emvae; emvae.{0}"],
)
def test_without_torch_it_is_said_how_to_get_it(module, statement):
    attempt = textwrap.indent(statement.format(module).replace("; ", "\n"), "    ")
    if "*" in attempt:  # which stands at the top of a module only
        attempt = f"    exec({statement.format(module)!r})"
    code = f"{HIDE_TORCH}\ntry:\n{attempt}\nexcept ImportError as error:\n    print(error.name, error)"
    said = in_a_pipe(code)[1]
    assert said.startswith(
        "torch this part of emvae needs torch, which is not installed: pip install 'emvae[torch]'"
    )
    assert "--torch-backend=cpu" in said


def test_the_part_of_the_package_that_chapters_1_to_3_use_needs_no_torch():
    """The chapters themselves import torch beside it, for gradients that check a formula."""
    cells = [
        cell.source
        for page in CHAPTERS_WITHOUT_TORCH
        for cell in nbformat.read(page, 4).cells
        if cell.cell_type == "code"
    ]
    imports = [
        ast.unparse(node)
        for source in cells
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module.startswith("emvae")
    ]
    assert len(CHAPTERS_WITHOUT_TORCH) == 3
    assert any("emvae.mixtures" in line for line in imports)
    assert (
        in_a_pipe("\n".join([HIDE_TORCH, *imports, "print('all there')"]), MPLBACKEND="agg")[1]
        == "all there\n"
    )


# --- blocks on all cores


def test_results_come_in_order_whatever_finishes_first():
    def late_first(i):
        time.sleep(0.02 * (5 - i))
        return i * i

    assert list(_parallel.map_blocks(late_first, range(6))) == [0, 1, 4, 9, 16, 25]


def test_no_more_blocks_are_drawn_than_there_are_cores(monkeypatch):
    monkeypatch.setattr(_parallel, "_n_cores", lambda: 2)
    drawn = []

    def blocks():
        for i in range(8):
            drawn.append(i)
            yield i

    results = _parallel.map_blocks(lambda i: i, blocks())
    ahead = [len(drawn) - i for i, _ in enumerate(results)]
    assert max(ahead) <= 3
    assert len(drawn) == 8


def test_errors_of_a_block_reach_the_caller():
    def fail(i):
        if i == 3:
            raise ValueError("block 3")
        return i

    with pytest.raises(ValueError, match=r"^block 3$"):
        list(_parallel.map_blocks(fail, range(6)))


def test_no_more_blocks_run_at_a_time_than_cores_may_be_used():
    """A process bound to one core works on one block at a time, in the caller's own thread."""
    code = (
        "import os, threading; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
        "from emvae._parallel import map_blocks;"
        "print({*map_blocks(lambda _: threading.current_thread().name, range(4))})"
    )
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system binds no process to a core")
    assert in_a_pipe(code)[1] == "{'MainThread'}\n"


def test_where_the_system_tells_no_affinity_all_cores_are_used(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    all_there = threading.Barrier(3)
    assert len(list(_parallel.map_blocks(lambda _: all_there.wait(timeout=10), range(3)))) == 3
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    names = _parallel.map_blocks(lambda _: threading.current_thread().name, range(3))
    assert set(names) == {"MainThread"}
