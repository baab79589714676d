"""What a cell shows, as it comes in: text and pictures, as much as a page can hold and no more."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import zmq
from nbformat.v4 import new_output

LINES = 1000  # of one cell's text
KEPT = ("text/plain", "image/png")  # no script of a student runs in a reader's browser
CUT = "\n[... the output is longer than a page can hold; it is cut here]\n"


class Outputs:
    """The outputs of one request."""

    def __init__(self, identity: str, limit: int) -> None:
        self.identity = identity
        self.left = limit
        self.lines = LINES
        self.cells: list[Any] = []
        self.idle = False
        self.cut = False

    def receive(self, session: Any, socket: Any) -> None:
        """Take all messages that are there; those beyond the limit are not even read."""
        with suppress(zmq.Again):
            while not self.idle:
                frames = socket.recv_multipart(zmq.NOBLOCK)
                size = sum(map(len, frames))
                if self.cut and size > 4096:
                    continue
                with suppress(Exception):  # what no kernel sends is not read
                    _, parts = session.feed_identities(frames)
                    message = session.deserialize(parts)
                    if message["parent_header"].get("msg_id") == self.identity:
                        self._take(message["msg_type"], message["content"], size)

    def _take(self, kind: str, content: dict[str, Any], size: int) -> None:
        if kind == "status":
            self.idle = content.get("execution_state") == "idle"
        elif kind == "stream" and not self.cut:
            self._text(str(content["name"]), str(content["text"]))
        elif kind in ("display_data", "execute_result") and not self.cut:
            data = {key: value for key, value in content["data"].items() if key in KEPT}
            if size <= self.left:
                self.left -= size
                self.cells.append(new_output("display_data", data=data))
            else:
                self.stop()

    def end_in_error(self, reply: dict[str, Any]) -> tuple[str, str]:
        """Append the error of a reply, which arrives where outputs are lost; return its name and text."""
        name, value = str(reply.get("ename", ""))[:200], str(reply.get("evalue", ""))[:5000]
        trace = [str(line)[:5000] for line in list(reply.get("traceback", []))[-20:]]
        self.cells.append(new_output("error", ename=name, evalue=value, traceback=trace))
        return name, value

    def _text(self, name: str, text: str) -> None:
        """Append to the stream, which stays one output."""
        lines = text.splitlines(keepends=True)
        kept = "".join(lines[: self.lines])[: self.left]
        self.left -= len(kept)
        self.lines -= len(lines)
        last = self.cells[-1] if self.cells else None
        if last is not None and last.output_type == "stream" and last.name == name:
            last.text += kept
        else:
            self.cells.append(new_output("stream", name=name, text=kept))
        if len(kept) < len(text):
            self.stop(name)

    def stop(self, name: str = "stdout") -> None:
        """Take no more, and say so."""
        self.cut = True
        self.cells.append(new_output("stream", name=name, text=CUT))
