"""Runs inside the walls: executes a student's cells as Jupyter does, and calls the student's functions.

It is told by frames what to do: R run a cell, C call a function, F fork (what follows runs in the child until
E ends it). It answers by frames: S something is shown, D a cell is done, A a call's value, X an exception,
B a function of the test's is called back. Whoever sits here holds no test and no expected
value; all that it can say is data.
"""

from __future__ import annotations

import base64
import builtins
import importlib
import io
import marshal
import os
import pickle
import select
import socket
import sys
import threading
import time
import types
import warnings
from contextlib import suppress
from typing import Any

os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")

import numpy as np
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

try:
    from .plain import LARGEST, LONGEST, Link, NotPlainError, arrays, dumps, loads
except ImportError:  # alone inside the walls
    from plain import LARGEST, LONGEST, Link, NotPlainError, arrays, dumps, loads  # type: ignore[import-not-found, no-redef]

PIECE = 1 << 20  # characters of one message
SHOWN = ("text/plain", "image/png")  # of what a cell shows: no script of a student runs in a reader's browser
FLUSH = 4096  # characters that are held back, or a tenth of a second's


class Screen(io.TextIOBase):
    """A stream whose text is shown; a process that a student forks writes into the pipe behind it."""

    def __init__(self, worker: Worker, name: str, descriptor: int) -> None:
        self.worker, self.label, self.descriptor = worker, name, descriptor
        self.text: list[str] = []
        self.since = 0.0

    def write(self, text: str) -> int:
        """Take text."""
        if os.getpid() != self.worker.pid:
            return os.write(self.descriptor, text.encode("utf-8", "replace"))
        with self.worker.lock:
            self.text.append(str(text))
            if sum(map(len, self.text[-64:])) > FLUSH or time.monotonic() > self.since + 0.1:
                self.flush()
        return len(text)

    def flush(self) -> None:
        """Send what was held back."""
        if os.getpid() == self.worker.pid:
            with self.worker.lock:
                text, self.text, self.since = "".join(self.text), [], time.monotonic()
                for start in range(0, len(text), PIECE):
                    part = text[start : start + PIECE]
                    self.worker.link.send(b"S", {"show": "text", "name": self.label, "text": part})

    def isatty(self) -> bool:
        """Say that it is no terminal."""
        return False

    def fileno(self) -> int:
        """Return the pipe's descriptor, for what writes past Python."""
        return self.descriptor

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Name the encoding."""
        return "utf-8"


class Publisher(DisplayPublisher):
    """Shows what ``display`` is given."""

    def publish(self, data: Any, *_: Any, **__: Any) -> None:
        """Send it."""
        WORKER[0].show(data)


class Hook(DisplayHook):
    """Shows the value of a cell's last line."""

    def write_output_prompt(self) -> None:
        """Write none."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        """Send it."""
        WORKER[0].show(format_dict)


class Shell(InteractiveShell):
    """IPython without a terminal."""

    display_pub_class = Type(Publisher)
    displayhook_class = Type(Hook)
    system = InteractiveShell.system_piped
    ended = False

    def enable_gui(self, gui: Any = None) -> None:
        """Open no windows: figures are shown inline, as ``%matplotlib inline`` asks."""

    def ask_exit(self) -> None:
        """Take note of ``exit()``."""
        self.ended = True

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        """Show none: the grader says how a cell ended."""


class Unpickler(pickle.Unpickler):
    """Reads a call's target and arguments, which the judge has written."""

    def __init__(self, data: bytes, worker: Worker) -> None:
        super().__init__(io.BytesIO(data))
        self.worker = worker

    def persistent_load(self, pid: Any) -> Any:
        """Return what a mark of the judge's stands for."""
        kind, *rest = pid
        namespace = self.worker.shell.user_ns
        if kind == "name":
            if rest[0] not in namespace and not hasattr(builtins, rest[0]):
                raise NameError(f"name {rest[0]!r} is not defined")
            return namespace.get(rest[0], getattr(builtins, rest[0], None))
        if kind == "given":
            return self.worker.given.get(rest[0], namespace.get(rest[0]))
        if kind == "module":
            return importlib.import_module(rest[0])
        if kind == "tensor":
            import torch

            return torch.from_numpy(rest[0]).requires_grad_(rest[1])
        if kind == "generator":
            import torch

            generator = torch.Generator()
            generator.set_state(torch.from_numpy(rest[0]))
            return generator
        if kind == "callback":
            return lambda *args, **kwargs: self.worker.call_back(rest[0], args, kwargs)
        code, name, defaults, keywords, used = rest
        function = types.FunctionType(
            marshal.loads(code), {"__builtins__": builtins, "__name__": "__main__", **used}, name, defaults
        )
        function.__kwdefaults__ = keywords
        return function


class Worker:
    """The process's one conversation."""

    def __init__(self, end: socket.socket) -> None:
        self.link = Link(end, largest=1 << 30)  # whoever asks is trusted
        self.lock = threading.RLock()
        self.pid = os.getpid()
        self.given: dict[str, Any] = {}
        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "nocolor"
        self.screens = [Screen(self, "stdout", 1), Screen(self, "stderr", 2)]
        sys.stdout, sys.stderr = self.screens
        WORKER.append(self)
        self.shell = Shell.instance(config=config)
        sys.path.insert(0, "")
        self._listen()

    def _listen(self) -> None:
        """Show what other processes and libraries write past Python."""
        pipe, into = os.pipe()
        os.dup2(into, 1)
        os.dup2(into, 2)
        os.close(into)
        self.pipe = pipe

        def read() -> None:
            while data := os.read(pipe, 1 << 16):
                self.screens[0].write(data.decode("utf-8", "replace"))

        threading.Thread(target=read, daemon=True).start()

    def flush(self) -> None:
        """Send all that was written so far."""
        while select.select([self.pipe], [], [], 0)[0]:
            time.sleep(0.001)
        for screen in self.screens:
            screen.flush()

    def show(self, data: Any) -> None:
        """Send what is to be seen: texts and pictures."""
        with self.lock:
            self.flush()
            kept = {kind: data[kind] for kind in SHOWN if kind in data}
            texts = {k: base64.b64encode(v).decode() if isinstance(v, bytes) else v for k, v in kept.items()}
            self.link.send(b"S", {"show": "data", "data": texts})

    def serve(self) -> None:
        """Do what is asked until nobody asks any more."""
        self.link.send(b"D", {"how": "ok"})
        while True:
            frame = self.link.poll()
            assert frame is not None
            kind, payload = frame
            if kind == b"R":
                self.run(**loads(payload))
            elif kind == b"C":
                self.call(payload)
            elif kind == b"F":
                self.fork()
            elif kind == b"E":
                os._exit(0)

    def fork(self) -> None:
        """Let a child go on from here, and wait until it has ended."""
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            self.link.send(b"F")
        else:
            self.pid = os.getpid()
            self._listen()
            self.link.send(b"D", {"how": "ok"})

    def run(self, source: str, keep: list[str]) -> None:
        """Run a cell; the names in ``keep`` are the assignment's own."""
        result = self.shell.run_cell(source, store_history=False)  # type: ignore[no-untyped-call]
        error = result.error_before_exec or result.error_in_exec
        with suppress(Exception):
            self.flush()
        for name in keep:
            if name in self.shell.user_ns:
                self.given[name] = self.shell.user_ns[name]
        how = "exit" if self.shell.ended else "ok" if error is None else "error"
        self.link.send(b"D", {"how": how, **({} if error is None else self._told(error))})

    def _told(self, error: BaseException) -> dict[str, Any]:
        try:
            text = str(error)
        except Exception:
            text = "an error whose text cannot be read"
        return {"ename": type(error).__name__, "evalue": text}

    def call(self, payload: bytes) -> None:
        """Call a function and answer with its value."""
        try:
            target, args, kwargs, strict = Unpickler(payload, self).load()
            before = [_values(a).copy() for a in arrays((args, kwargs))]
            with warnings.catch_warnings():
                if strict:
                    warnings.simplefilter("error")
                value = target(*args, **kwargs)
            with suppress(Exception):
                self.flush()
            try:
                answer = dumps((value, _changed(before, (args, kwargs))))
                if len(answer) > LARGEST or int.from_bytes(answer[:8], "big") > LONGEST:
                    raise NotPlainError(f"it has {len(answer) >> 20} MB")
                self.link.send(b"A", raw=answer)
            except NotPlainError as error:
                text = f"what it returns is no number, array or tuple of such: {error}"
                self.link.send(b"X", {"types": ["TypeError"], "name": "TypeError", "text": text})
        except Exception as error:
            kinds = [t.__name__ for t in type(error).__mro__ if t.__module__ == "builtins"]
            told = self._told(error)
            self.link.send(b"X", {"types": kinds, "name": told["ename"], "text": told["evalue"]})
        except BaseException as error:  # exit(), in a function
            text = f"it ended in {type(error).__name__}"
            self.link.send(b"X", {"types": ["RuntimeError"], "name": "RuntimeError", "text": text})

    def call_back(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Have the judge call a function of the test's."""
        self.link.send(b"B", {"number": number, "args": list(args), "kwargs": kwargs})
        frame = self.link.poll()
        assert frame is not None
        value, error = Unpickler(frame[1], self).load()
        if error is not None:
            raise error
        return value


def _changed(before: list[Any], after: Any) -> list[Any]:
    """Return the arrays among the arguments that are not as they came, with their places."""
    pairs = enumerate(zip(before, map(_values, arrays(after)), strict=True))
    return [[i, new] for i, (old, new) in pairs if old.tobytes() != new.tobytes()]


def _values(array: Any) -> Any:
    return array.detach().numpy() if hasattr(array, "detach") else np.asarray(array)


WORKER: list[Worker] = []


def main(descriptor: int) -> None:
    """Serve on a socket that was inherited."""
    Worker(socket.socket(fileno=descriptor)).serve()
