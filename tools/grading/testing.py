"""Runs an assignment's test cells, in a process that holds no student's code.

It runs the source's own cells once, and each test cell in a child of itself, so that no test leaves anything
behind. The names that answers bind are stand-ins: calling one has the grader ask the student's process, and
plain data come back. Arguments are pickled, which is safe in this direction alone: they go to where the
student's code is, and nothing pickled comes from there.
"""

from __future__ import annotations

import builtins
import io
import marshal
import os
import pickle
import socket
import sys
import types
import warnings
from contextlib import suppress
from typing import Any

import numpy as np

from tools.grading import names
from tools.grading.inside import plain
from tools.grading.inside.plain import Link, NotPlainError, arrays


class LostError(BaseException):
    """The student's process gave no answer; no test cell catches this."""


class Pickler(pickle.Pickler):
    """Writes what goes to the student's process; marks stand for what is there already."""

    def __init__(self, file: io.BytesIO, stage: Stage) -> None:
        super().__init__(file, protocol=5)
        self.stage = stage

    def persistent_id(self, value: Any) -> Any:
        """Return the mark of a value that is not pickled as it is."""
        if isinstance(value, StandIn):
            return ("name", value.__name__)
        if isinstance(value, types.ModuleType):
            return ("module", value.__name__)
        if isinstance(value, types.FunctionType) and value.__module__ == "__main__":
            return self._function(value)
        if isinstance(value, type) and value.__module__ == "__main__":
            return ("given", value.__name__)
        torch = sys.modules.get("torch")
        if torch is not None and type(value) is torch.Tensor:
            return ("tensor", value.detach().numpy(), value.requires_grad)
        if torch is not None and isinstance(value, torch.Generator):
            return ("generator", value.get_state().numpy())
        return None

    def _function(self, value: types.FunctionType) -> Any:
        """Send a function's code; one that closes over the test's variables stays here and is called back."""
        if value.__closure__:
            self.stage.callbacks.append(value)
            return ("callback", len(self.stage.callbacks) - 1)
        inner = names.of_code(value.__code__)
        used = {n: value.__globals__[n] for n in inner if n in value.__globals__ and n != value.__name__}
        parts = value.__name__, value.__defaults__, value.__kwdefaults__, used
        return ("code", marshal.dumps(value.__code__.replace(co_filename="<test>")), *parts)


class StandIn:
    """Takes the place of a function that is called where the student's code is."""

    def __init__(self, name: str, stage: Stage) -> None:
        self.__name__ = name
        self._stage = stage

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the function returns there."""
        return self._stage.ask(self, args, kwargs)

    def copies_back(self, *args: Any, **kwargs: Any) -> Any:
        """Call, and take over into these arguments what the student's function did to its own."""
        value = self._stage.ask(self, args, kwargs)
        mine = list(arrays((args, kwargs)))
        for place, new in self._stage.changed:
            array = mine[place].data if hasattr(mine[place], "detach") else mine[place]
            array[...] = new if isinstance(array, np.ndarray) else array.new_tensor(new)
        return value

    def measured(self, *args: Any, **kwargs: Any) -> tuple[Any, float, float, float]:
        """Call, and return the value, seconds and megabytes, and the model solution's seconds."""
        value = self._stage.ask(self, args, kwargs, kind=b"M")
        seconds, megabytes = self._stage.cost
        self._stage.ask(_nothing, args, kwargs, kind=b"N")
        way = self._stage.cost[0]  # what it costs to bring the arguments there
        self._stage.ask(self, args, kwargs, kind=b"N")
        return value, seconds - way, megabytes, self._stage.cost[0] - way


class Stage:
    """The assignment's own names, with stand-ins for the students'."""

    def __init__(self, link: Link, given: dict[str, Any]) -> None:
        self.link = link
        self.callbacks: list[types.FunctionType] = []
        self.changed: list[Any] = []  # what the last call did to arrays among its arguments: place, array
        self.cost = (0.0, 0.0)  # of the last call that was measured: seconds, megabytes
        module = types.ModuleType("__main__")
        self.namespace = vars(module)
        sys.modules["__main__"] = module
        for source in given["cells"]:
            with suppress(Exception):  # the student's process ends in it, too, and there it is told
                exec(compile(names.MAGIC.sub("", source), "<given>", "exec"), self.namespace)
        self.namespace |= {name: StandIn(name, self) for name in given["answers"]}
        self.records = {n: v for n, v in self.namespace.items() if hasattr(v, "_fields")}
        for name, value in self.namespace.items():
            if getattr(value, "runs_with_student", False):
                self.namespace[name] = self._there(value)

    def _there(self, helper: Any) -> Any:
        """Return a function that has a helper of ours run where the student's code is."""

        def ask(*args: Any, **kwargs: Any) -> Any:
            return self.ask(helper, args, kwargs)

        return ask

    def ask(self, target: Any, args: Any, kwargs: Any, *, kind: bytes = b"C") -> Any:
        """Have a function called in the student's process; return its value.

        Raises
        ------
        Exception : the nearest builtin kind of what the student's function raised.
        LostError : there is no answer, or none that is data.
        """
        name = target.__name__
        self.callbacks = []
        strict = bool(warnings.filters) and warnings.filters[0][:3:2] == ("error", Warning)
        self.link.send(kind, raw=self._pickled((target, args, kwargs, strict)))
        while (frame := self._next())[0] == b"B":
            self.link.send(b"V", raw=self._pickled(self._call_back(frame[1])))
        answer, payload = frame
        if answer == b"L":
            raise LostError(plain.loads(payload))
        if kind != b"C":
            self.cost = plain.loads(self._next()[1])
        try:
            told = plain.loads(payload, self.records)
            if answer == b"A":
                value, changed = told
                mine = list(arrays((args, kwargs)))
                if not all(new.shape == mine[place].shape for place, new in changed):
                    raise NotPlainError("it says that an argument has another shape now")
                self.changed = changed
                return value
            raised = _error(told, name)
        except (NotPlainError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise LostError(f"NotEnded: the answer of your `{name}` cannot be read: {error}") from error
        raise raised

    def _next(self) -> tuple[bytes, bytes]:
        frame = self.link.poll()
        assert frame is not None
        return frame

    def _pickled(self, value: Any) -> bytes:
        file = io.BytesIO()
        Pickler(file, self).dump(value)
        return file.getvalue()

    def _call_back(self, payload: bytes) -> tuple[Any, Exception | None]:
        """Call a function of the test's with what the student's function passed to it."""
        try:
            asked = plain.loads(payload, self.records)
            function = self.callbacks[asked["number"]]
            return function(*asked["args"], **asked["kwargs"]), None
        except Exception as error:
            return None, RuntimeError(f"{type(error).__name__}: {error}")

    def test(self, source: str) -> str:
        """Run a test cell; return why it fails, or nothing."""
        try:
            exec(compile(names.MAGIC.sub("", source), "<test>", "exec"), self.namespace)
        except LostError as error:
            return str(error)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return ""


def _nothing(*_: Any, **__: Any) -> None:
    """Do nothing; it travels as code."""


def _error(told: Any, name: str) -> Exception:
    """Return the exception of a builtin kind that is nearest to what was raised."""
    text = str(told["text"])[:2000]
    for kind in map(str, told["types"]):
        made = getattr(builtins, kind, None)
        if isinstance(made, type) and issubclass(made, Exception):
            text = text if kind == told["name"] else f"{told['name']}: {text}"
            text = f"{text} (raised by your `{name}`)" if kind == "AssertionError" else text
            try:
                return made(text)
            except TypeError:  # UnicodeDecodeError takes more than a text
                return RuntimeError(f"{kind}: {text}")
    return RuntimeError(text)


def main(descriptor: int) -> None:
    """Serve on a socket that was inherited: G takes the assignment, T runs a test, each answered by Z."""
    link = Link(socket.socket(fileno=descriptor), largest=1 << 30)
    frame = link.poll()
    assert frame is not None
    given = plain.loads(frame[1])
    try:
        stage = Stage(link, given)
        link.send(b"Z", "")
    except Exception as error:
        link.send(b"Z", f"{type(error).__name__}: {error}")
        return
    while True:
        try:
            frame = link.poll()
        except EOFError:  # the grader has ended
            return
        assert frame is not None
        source = plain.loads(frame[1])
        child = os.fork()
        if child == 0:
            status = 1
            try:
                link.send(b"Z", stage.test(source))
                status = 0
            finally:
                os._exit(status)
        if os.waitpid(child, 0)[1]:
            link.send(b"Z", "NotRun: this test could not be run")


if __name__ == "__main__":
    main(int(sys.argv[1]))
