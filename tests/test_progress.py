"""A bar where a person watches, nothing anywhere else; and numpy alone behind the models."""

import os
import pty
import select
import subprocess
import sys
import termios
import textwrap
import time
import warnings

import nbclient
import nbformat
import pytest

from emvae import _parallel, _progress

SLOW_FIT = textwrap.dedent("""
    import time
    from dataclasses import dataclass
    import numpy as np
    from emvae.em import fit_em
    from emvae.mixtures import BernoulliMixture

    class Slow(BernoulliMixture):
        def log_likelihood(self, x):
            time.sleep(PAUSE)
            return super().log_likelihood(x)

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


def test_at_least_one_core_is_counted(monkeypatch):
    assert _parallel._n_cores() >= 1
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert _parallel._n_cores() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert _parallel._n_cores() == 1
