"""One kernel, locked in, that is asked cell by cell; whatever a cell does, an answer comes in time."""

from __future__ import annotations

import ast
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil
import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

from tools.grading import names, sandbox
from tools.grading.outputs import Outputs
from tools.grading.sandbox import Limits

How = Literal["ok", "error", "time", "death", "memory", "processes"]
MESSAGE = 8 << 20  # bytes of one message; a longer one is not received
READY = 60.0  # seconds that a kernel may take to start
LOOK = 0.5  # seconds between two looks at a kernel's memory and processes


@dataclass(frozen=True)
class Answer:
    """How a cell ended, what it showed, and the values that were asked for."""

    how: How
    error: tuple[str, str] = ("", "")
    outputs: list[Any] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    cut: bool = False


class KernelFailedError(RuntimeError):
    """A kernel did not start: the machine's fault, not the submission's."""


class Kernel:
    """A running kernel; use ``start`` to have one."""

    def __init__(self, process: subprocess.Popen[bytes], client: Any, limits: Limits) -> None:
        self.process = process
        self.client = client
        self.limits = limits

    def ask(self, code: str, *, quiet: bool = False, seconds: float, **expressions: str) -> Answer:
        """Run code and wait until it ends, dies or has used up its time.

        Parameters
        ----------
        code : what to run.
        quiet : show nothing and leave no trace in the history.
        seconds : how long it may take; afterwards the kernel is of no more use.
        expressions : evaluated at the end if the code ended well; literals come back in ``values``.
        """
        options = {"silent": quiet, "store_history": False, "allow_stdin": False, "stop_on_error": False}
        identity = self.client.execute(code, user_expressions=expressions, **options)
        outputs = Outputs(identity, self.limits.output)
        deadline, look = time.monotonic() + seconds, time.monotonic() + LOOK
        while (reply := self._receive(identity, outputs)) is None:
            if self.process.poll() is not None:
                return Answer("death", outputs=outputs.cells, cut=outputs.cut)
            now = time.monotonic()
            if now > deadline:
                return Answer("time", outputs=outputs.cells, cut=outputs.cut)
            if now > look:
                look = now + LOOK
                if (excess := self._excess()) is not None:
                    return Answer(excess, outputs=outputs.cells, cut=outputs.cut)
        self._drain(outputs)
        if not outputs.idle:
            outputs.stop()
            self._listen_again()
        values = {name: _literal(value) for name, value in reply.get("user_expressions", {}).items()}
        how: How = "ok" if reply.get("status") == "ok" else "error"
        if any(isinstance(p, dict) and p.get("source") == "ask_exit" for p in reply.get("payload") or []):
            how = "death"  # exit(): the kernel ends a moment later
        error = ("", "")
        if how == "error":
            error = outputs.end_in_error(reply)
        return Answer(how, error, outputs.cells, values, outputs.cut)

    def _receive(self, identity: str, outputs: Outputs) -> dict[str, Any] | None:
        """Wait a moment for messages; return the reply's content once it is there."""
        shell, show = self.client.shell_channel.socket, self.client.iopub_channel.socket
        poller = zmq.Poller()
        poller.register(shell, zmq.POLLIN)
        poller.register(show, zmq.POLLIN)
        ready = dict(poller.poll(100))
        if show in ready:
            outputs.receive(self.client.session, show)
        if shell in ready:
            with suppress(Exception):  # a message that no kernel sends: the code forged one
                _, message = self.client.session.recv(shell, mode=zmq.NOBLOCK)
                if message and message["parent_header"].get("msg_id") == identity:
                    return dict(message["content"])
        return None

    def _drain(self, outputs: Outputs) -> None:
        """Take the outputs that are still on their way."""
        show, deadline = self.client.iopub_channel.socket, time.monotonic() + 2.0
        while not outputs.idle and time.monotonic() < deadline:
            if show.poll(100):
                outputs.receive(self.client.session, show)

    def _listen_again(self) -> None:
        """Connect to the kernel's outputs anew: a message longer than MESSAGE has closed the connection."""
        self.client.iopub_channel.stop()
        self.client._iopub_channel = None
        self.client.iopub_channel.start()
        for _ in range(20):  # until the new connection is heard
            outputs = Outputs(self.client.execute("", silent=True, store_history=False), self.limits.output)
            if self.client.iopub_channel.socket.poll(200):
                outputs.receive(self.client.session, self.client.iopub_channel.socket)
                return

    def _excess(self) -> How | None:
        """Say which limit the kernel and its children are beyond, all together."""
        with suppress(psutil.Error):
            kernel = psutil.Process(self.process.pid)
            family = kernel.children(recursive=True)
            if len(family) > self.limits.processes // 2:  # the hard limit holds them at twice as many
                return "processes"
            if sum(map(_memory, [kernel, *family])) > self.limits.memory:
                return "memory"
        return None


@contextmanager
def start(limits: Limits, *, trust: bool = False) -> Iterator[Kernel]:
    """Start a kernel, and end it with all that it started.

    Raises
    ------
    KernelFailedError : no kernel answers.
    """
    place = None if len(tempfile.gettempdir()) < 60 else "/tmp"  # the path of a socket is short
    folder = Path(tempfile.mkdtemp(prefix="emvae-", dir=place))
    sockets, home = folder / "io", folder / "home"
    for path in (sockets, home):
        path.mkdir()
        path.chmod(0o777)
    process, client = None, None
    try:
        inside = sockets if trust else Path("/io")
        connection = _connection(sockets, inside)
        arguments = ["-m", "ipykernel_launcher", "-f", str(inside / "kernel.json"), "--log-level=ERROR"]
        arguments += ["--HistoryManager.enabled=False", "--colors=NoColor"]
        run = sandbox.command(arguments, sockets, limits, trust=trust)
        process = subprocess.Popen(
            run,
            env=sandbox.environment(str(home)),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        client = _client(connection)
        kernel = Kernel(process, client, limits)
        if kernel.ask("", quiet=True, seconds=READY).how != "ok":
            raise KernelFailedError("no kernel answers: free memory or disk, then run make grade again")
        sockets.chmod(0o555)  # the sockets are there: no more files
        yield kernel
    finally:
        if client is not None:
            client.stop_channels()
            client.context.destroy(linger=0)
        if process is not None:
            _end(process)
        sockets.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)


def _connection(sockets: Path, inside: Path) -> dict[str, Any]:
    """Write the kernel's connection file; return the same connection as seen from outside."""
    ports: dict[str, Any] = {
        f"{name}_port": i for i, name in enumerate(["shell", "iopub", "stdin", "control", "hb"], 1)
    }
    path, connection = write_connection_file(
        str(sockets / "kernel.json"),
        ip=str(inside / "k"),
        transport="ipc",
        key=secrets.token_hex(16).encode(),
        **ports,
    )
    os.chmod(path, 0o644)
    return {**connection, "ip": str(sockets / "k")}


def _client(connection: dict[str, Any]) -> Any:
    """Connect to a kernel; no message longer than MESSAGE is received."""
    context: Any = zmq.Context()
    context.setsockopt(zmq.MAXMSGSIZE, MESSAGE)
    context.setsockopt(zmq.LINGER, 0)
    client: Any = BlockingKernelClient(context=context)
    client.load_connection_info(connection)
    client.start_channels(hb=False, stdin=False, control=False)
    return client


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a kernel with all that it started; bubblewrap's first process takes the others along."""
    family = []
    with suppress(psutil.Error):
        family = psutil.Process(process.pid).children(recursive=True)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for child in family:
        with suppress(psutil.Error):
            child.kill()
    process.wait()


def _memory(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def _literal(value: Any) -> Any:
    """Return the value of an expression that was asked for, or None."""
    with suppress(Exception):
        return ast.literal_eval(names.parse(value["data"]["text/plain"], mode="eval"))
    return None
