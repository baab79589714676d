"""What a cell shows, as it comes in: text and pictures, as much as a page can hold and no more."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from nbformat.v4 import new_output

from tools.grading.submitted_notebook import clean, picture

LINES = 1000  # of one cell's text
CELLS = 200  # outputs of one cell
CUT = "\n[... the output is longer than a page can hold; it is cut here]\n"


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
            elif message["show"] == "error":
                self.end_in_error(message["ename"], message["evalue"])

    def end_in_error(self, name: object, value: object, trace: object = ()) -> tuple[str, str]:
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
