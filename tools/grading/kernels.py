"""The processes that grade a submission: the student's, locked in, and the one that runs the tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil
from nbformat.v4 import new_output

from tools.grading import sandbox
from tools.grading.inside import plain
from tools.grading.inside.plain import Link, NotPlainError
from tools.grading.reading import picture
from tools.grading.sandbox import Limits
from tools.grading.submissions import clean

How = Literal["ok", "error", "time", "death", "memory", "processes", "messages", "nonsense"]
READY = 60.0  # seconds that a process may take to start
LOOK = 0.5  # seconds between two looks at a process's memory
MESSAGES = 200_000  # of one cell
LINES = 1000  # of one cell's text
CELLS = 200  # outputs of one cell
CUT = "\n[... the output is longer than a page can hold; it is cut here]\n"
ENDS: dict[str, How] = {"exit": "death", "error": "error"}  # of a cell, as the process says
WANTED = {b"R": b"D", b"C": b"AXB", b"M": b"AXB", b"V": b"AXB", b"F": b"D", b"E": b"F"}
INSIDE = Path(plain.__file__).parent
BEGIN = """
sys.path.insert(0, {folder!r})
import worker
sys.path.remove({folder!r})
worker.main({descriptor})
"""


class Outputs:
    """The outputs of one cell, up to a number of characters in all."""

    def __init__(self, limit: int) -> None:
        self.left = limit
        self.lines = LINES
        self.cells: list[Any] = []
        self.cut = False

    def take(self, message: Any) -> None:
        """Take one message of the student's process; what no honest one sends is not shown."""
        if self.cut or not isinstance(message, dict):
            return
        with suppress(KeyError, TypeError, AttributeError, ValueError):
            if message["show"] == "text":
                self._text("stderr" if message["name"] == "stderr" else "stdout", clean(message["text"]))
            elif message["show"] == "data":
                self._data(message["data"])

    def end_in_error(self, name: object, value: object) -> tuple[str, str]:
        """Append an error; return its name and text."""
        shown = clean(name)[:200], clean(value)[:5000]
        self.cells.append(new_output("error", ename=shown[0], evalue=shown[1], traceback=[": ".join(shown)]))
        return shown

    def stop(self, name: str = "stdout") -> None:
        """Take no more, and say so."""
        self.cut = True
        self.cells.append(new_output("stream", name=name, text=CUT))

    def _data(self, given: dict[str, Any]) -> None:
        """Keep a picture and a text: no script of a student runs in a reader's browser."""
        text = given.get("text/plain", "")
        shown = {
            "image/png": picture(given.get("image/png")),
            "text/plain": clean(text) if isinstance(text, str) else "",
        }
        data = {kind: value for kind, value in shown.items() if value}
        size = sum(map(len, data.values()))
        if size > self.left or len(self.cells) >= CELLS:
            self.stop()
        elif data:
            self.left -= size
            self.cells.append(new_output("display_data", data=data))

    def _text(self, name: str, text: str) -> None:
        """Append to the stream, which stays one output."""
        lines = text.splitlines(keepends=True)
        kept = "".join(lines[: self.lines])[: self.left]
        self.left -= len(kept)
        self.lines -= len(lines)
        last = self.cells[-1] if self.cells else None
        if last is not None and last.output_type == "stream" and last.name == name:
            last.text += kept
        elif len(self.cells) < CELLS:
            self.cells.append(new_output("stream", name=name, text=kept))
        else:
            kept = ""
        if len(kept) < len(text):
            self.stop(name)


@dataclass(frozen=True)
class Answer:
    """How a cell ended, and what it showed."""

    how: How
    error: tuple[str, str] = ("", "")
    outputs: list[Any] = field(default_factory=list)
    cut: bool = False
    size: int = 0  # characters of the outputs


@dataclass(frozen=True)
class Called:
    """What came of a call: a frame for the test, or how the process was lost."""

    how: How
    kind: bytes = b""
    payload: bytes = b""
    seconds: float = 0.0  # of the processor: others' work does not count
    megabytes: float = 0.0


class KernelFailedError(RuntimeError):
    """A process did not start: the machine's fault, not the submission's."""


class Kernel:
    """The process that holds a student's code; use ``start`` to have one."""

    def __init__(self, process: subprocess.Popen[bytes], link: Link, limits: Limits) -> None:
        self.process = process
        self.link = link
        self.limits = limits

    def run(self, source: str, *, keep: list[str], seconds: float, output: int) -> Answer:
        """Run a cell and wait until it ends, dies or has used up its time.

        Parameters
        ----------
        source : what to run.
        keep : names of the assignment's own that it binds.
        seconds : how long it may take; afterwards the process is of no more use.
        output : how many characters of outputs are kept.
        """
        limit = max(0, min(self.limits.output, output))
        outputs = Outputs(limit)
        how, _, payload = self._ask(b"R", plain.dumps({"source": source, "keep": keep}), seconds, outputs)
        told: Any = {}
        if how == "ok":
            with suppress(NotPlainError):
                told = plain.loads(payload)
            told = told if isinstance(told, dict) else {}
            how = ENDS.get(str(told.get("how")), "ok")
        error = ("", "")
        if how == "error":
            error = outputs.end_in_error(told.get("ename"), told.get("evalue"))
        return Answer(how, error, outputs.cells, outputs.cut, limit - outputs.left)

    def call(self, kind: bytes, payload: bytes, *, seconds: float) -> Called:
        """Have a function called (C; M: and measured), or go on (V) after one of the test's was called."""
        if kind != b"M":
            return Called(*self._ask(kind, payload, seconds, Outputs(self.limits.output)))
        spent, held = self._used()
        self.peak = held
        answer = self._ask(kind, payload, seconds, Outputs(self.limits.output))
        return Called(*answer, self._used()[0] - spent, (self.peak - held) / 1e6)

    def fork(self) -> None:
        """Let a child go on from here; ``join`` ends it. For notebooks of one's own, not for submissions."""
        self._ask(b"F", b"", READY, Outputs(0))

    def join(self) -> None:
        """End the child."""
        self._ask(b"E", b"", READY, Outputs(0))

    def _ask(self, kind: bytes, payload: bytes, seconds: float, outputs: Outputs) -> tuple[How, bytes, bytes]:
        """Send a frame and wait for one that answers it; take what is shown meanwhile."""
        wanted = WANTED[kind]
        deadline, look, received = time.monotonic() + seconds, time.monotonic() + LOOK, 0
        try:
            self.link.end.settimeout(seconds)
            self.link.send(kind.replace(b"M", b"C"), raw=payload)
            self.link.end.settimeout(None)
            while received < MESSAGES:
                frame = self.link.poll(0.005 if kind == b"M" else 0.1)
                if kind == b"M" and frame is None:
                    self.peak = max(self.peak, self._used()[1])
                now = time.monotonic()
                if frame is not None:
                    received += 1
                    if frame[0] in wanted:
                        return "ok", *frame
                    if frame[0] != b"S":
                        return ("death" if frame[0] == b"F" else "nonsense"), b"", b""  # F: the child died
                    if not outputs.cut:
                        with suppress(NotPlainError):
                            outputs.take(plain.loads(frame[1]))
                elif self.process.poll() is not None:
                    return "death", b"", b""
                if now > deadline:
                    return "time", b"", b""
                if now > look:
                    look = now + LOOK
                    if (excess := sandbox.excess(self.process, self.limits)) is not None:
                        return excess, b"", b""
            return "messages", b"", b""
        except TimeoutError:
            return "time", b"", b""
        except NotPlainError:
            return "nonsense", b"", b""
        except (EOFError, OSError):
            return "death", b"", b""

    def _used(self) -> tuple[float, int]:
        """Return seconds of the processor and bytes that the process and all that it started use."""
        spent, held = 0.0, 0
        with suppress(psutil.Error):
            process = psutil.Process(self.process.pid)
            for member in [process, *process.children(recursive=True)]:
                with suppress(psutil.Error):
                    spent += sum(member.cpu_times()[:4])
                    held += member.memory_info().rss
        return spent, held


@contextmanager
def start(limits: Limits, *, trust: bool = False) -> Iterator[Kernel]:
    """Start a student's process, and end it with all that it started.

    Raises
    ------
    KernelFailedError : it does not answer.
    """
    ours, theirs = socket.socketpair()
    code = "import sys\n" + BEGIN.format(folder=str(INSIDE), descriptor=theirs.fileno())
    walls = sandbox.start(code, limits=limits, trust=trust, descriptors=[theirs.fileno()])
    with ours, theirs, walls as process:
        theirs.close()
        kernel = Kernel(process, Link(ours), limits)
        frame = None
        with suppress(EOFError, OSError, NotPlainError):
            frame = kernel.link.poll(READY)
        if frame is None:
            raise KernelFailedError("no process answers: free memory or disk, then run make grade again")
        yield kernel


class Tester:
    """The process that runs an assignment's test cells (tools.grading.testing)."""

    def __init__(self, cells: list[str], answers: list[str]) -> None:
        ours, theirs = socket.socketpair()
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tools.grading.testing", str(theirs.fileno())],
                cwd=Path(__file__).parents[2],
                env={**os.environ, **threads, "MPLBACKEND": "Agg", "PYTHONHASHSEED": "0"},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self.link = Link(ours, largest=1 << 30)
        try:
            self.link.send(b"G", {"cells": cells, "answers": answers})
            frame = self.link.poll(10 * READY)
        except (EOFError, OSError):
            frame = None
        why = "it does not answer" if frame is None else plain.loads(frame[1])
        if why:
            self.close()
            raise KernelFailedError(f"the process that runs the tests did not start: {why}")

    def close(self) -> None:
        """End it."""
        self.link.end.close()
        self.process.kill()
        self.process.wait()
