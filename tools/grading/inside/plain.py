"""Plain data between processes that do not trust each other: nothing that is read here is ever executed.

A frame is its length, a letter that says what it is, and a payload: mostly a JSON tree and buffers. Numbers,
strings and None stand for themselves, and a JSON list is ``[kind, ...]`` for all else; an array is a type,
a shape and a buffer. What is read is checked: exact types, known kinds, shapes that fit their buffers, bounds
on bytes, nesting and the number of values.
"""

from __future__ import annotations

import json
import math
import numbers
import re
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

LARGEST = 64 << 20  # bytes of an answer
LONGEST = 16 << 20  # bytes of an answer's tree: of all but arrays
DEEPEST = 40
MOST = 3_000_000  # values of one answer
DTYPE = re.compile(r"[<>|=]?[biufc]\d{1,2}|[<>|=]?U\d{1,6}")


class NotPlainError(ValueError):
    """A value cannot be sent, or what came is none; the message says why."""


class Link:
    """One end of a socket on which frames come and go."""

    def __init__(self, end: socket.socket, *, largest: int = LARGEST) -> None:
        self.end = end
        self.largest = largest
        self.buffer = bytearray()

    def send(self, kind: bytes, value: Any = None, *, raw: bytes | None = None) -> None:
        """Send one frame; ``raw`` is a payload as it is."""
        payload = dumps(value) if raw is None else raw
        self.end.sendall(struct.pack(">Qc", len(payload), kind) + payload)

    def poll(self, seconds: float | None = None) -> tuple[bytes, bytes] | None:
        """Return kind and payload of the next frame, or None if it is not there in time.

        Raises
        ------
        EOFError : the other end is closed.
        NotPlainError : a frame is larger than ``largest``.
        """
        deadline = math.inf if seconds is None else time.monotonic() + seconds
        while True:
            if len(self.buffer) >= 9:
                size, kind = struct.unpack(">Qc", self.buffer[:9])
                if size > self.largest:
                    raise NotPlainError(f"it has more than {self.largest >> 20} MB")
                if len(self.buffer) >= 9 + size:
                    payload = bytes(self.buffer[9 : 9 + size])
                    del self.buffer[: 9 + size]
                    return kind, payload
            left = deadline - time.monotonic()
            if left <= 0 and not self._ready(0):
                return None
            if not self._ready(None if left == math.inf else max(0.0, left)):
                return None
            try:
                part = self.end.recv(1 << 20)
            except OSError as error:
                raise EOFError from error
            if not part:
                raise EOFError
            self.buffer += part

    def _ready(self, seconds: float | None) -> bool:
        return bool(select.select([self.end], [], [], seconds)[0])


def arrays(value: Any) -> Iterator[Any]:
    """Yield the arrays and tensors in arguments, in an order of which both sides know."""
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        for part in value:
            yield from arrays(part)
    elif hasattr(type(value), "__array__"):
        yield value


def dumps(value: Any) -> bytes:
    """Write a value.

    Raises
    ------
    NotPlainError : it is or holds what is not plain data.
    """
    buffers: list[bytes] = []
    tree = _write(value, buffers, 0)
    text = json.dumps([tree, [len(b) for b in buffers]]).encode()
    return b"".join([struct.pack(">Q", len(text)), text, *buffers])


def loads(data: bytes, records: dict[str, Any] | None = None) -> Any:
    """Read a value; ``records`` are the named tuples that may be made of it.

    Raises
    ------
    NotPlainError : it is not what ``dumps`` writes.
    """
    try:
        (size,) = struct.unpack(">Q", data[:8])
        if size > LONGEST:
            raise NotPlainError(f"it has more than {LONGEST >> 20} MB beside arrays")
        tree, sizes = json.loads(data[8 : 8 + size])
        start, buffers = 8 + size, []
        for length in sizes:
            if type(length) is not int or length < 0:
                raise NotPlainError("a buffer has no size")
            buffers.append(memoryview(data)[start : start + length])
            start += length
        return _Reader(buffers, records or {}).read(tree, 0)
    except NotPlainError:
        raise
    except (ValueError, TypeError, LookupError, RecursionError, OverflowError, struct.error) as error:
        raise NotPlainError(f"it is no plain data ({type(error).__name__})") from error


def _write(value: Any, buffers: list[bytes], depth: int) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if depth > DEEPEST:
        raise NotPlainError("it is nested too deep")
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        array = value.detach().cpu().resolve_conj().resolve_neg().numpy()
        return ["tensor", _array(array, buffers), bool(value.requires_grad)]
    if isinstance(value, np.generic):
        return ["scalar", _array(np.asarray(value), buffers)]
    if isinstance(value, bytes):
        buffers.append(value)
        return ["bytes", len(buffers) - 1]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        inner = [_write(part, buffers, depth + 1) for part in value]
        return ["record", kind.__name__, list(map(str, value._fields)), inner]
    for name, types in (("tuple", tuple), ("list", (list, range)), ("set", (set, frozenset))):
        if isinstance(value, types):
            return [name, *(_write(part, buffers, depth + 1) for part in value)]
    if isinstance(value, dict):
        pairs = [[_write(part, buffers, depth + 1) for part in pair] for pair in value.items()]
        return ["dict", *pairs]
    if hasattr(kind, "__array__"):
        array = np.asarray(value)
        if array.dtype == object:
            return _write(array.tolist(), buffers, depth + 1)
        return ["array", _array(array, buffers)]
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, numbers.Complex):
        return ["scalar", _array(np.asarray(complex(value)), buffers)]
    if callable(value) or not hasattr(value, "__dict__"):
        raise NotPlainError(f"it is of the type {kind.__name__}")
    fields = {str(k): v for k, v in vars(value).items() if not str(k).startswith("_")}
    return ["object", *([k, _write(v, buffers, depth + 1)] for k, v in fields.items())]


def _array(array: Any, buffers: list[bytes]) -> list[Any]:
    if not DTYPE.fullmatch(array.dtype.str):
        raise NotPlainError(f"it holds an array of {array.dtype}")
    buffers.append(array.tobytes())
    return [array.dtype.str, list(array.shape), len(buffers) - 1]


class _Reader:
    """Builds a value from a tree, of exact types alone."""

    def __init__(self, buffers: list[memoryview], records: dict[str, Any]) -> None:
        self.buffers = buffers
        self.records = records
        self.left = MOST

    def read(self, tree: Any, depth: int) -> Any:
        """Return what a tree stands for."""
        self.left -= 1
        if self.left < 0 or depth > DEEPEST + 2:
            raise NotPlainError("it holds too many values")
        if type(tree) is not list:
            if tree is None or type(tree) in (bool, int, float, str):
                return tree
            raise NotPlainError("it is no plain data")
        kind, *parts = tree
        if kind == "tensor":
            return self._tensor(*parts)
        if kind in ("array", "scalar"):
            array = self._array(*parts[0])
            return array if kind == "array" else array[()]
        if kind == "bytes":
            return bytes(self.buffers[parts[0]])
        if kind == "record":
            return self._record(parts, depth)
        if kind == "dict":
            return {self.read(k, depth + 1): self.read(v, depth + 1) for k, v in parts}
        if kind == "object":
            return SimpleNamespace(**{str(k): self.read(v, depth + 1) for k, v in parts})
        make = {"tuple": tuple, "list": list, "set": set}[kind]
        return make(self.read(part, depth + 1) for part in parts)

    def _array(self, dtype: Any, shape: Any, number: Any) -> Any:
        if type(dtype) is not str or not DTYPE.fullmatch(dtype):
            raise NotPlainError("it holds an array of a type that none has")
        if len(shape) > 32 or not all(type(n) is int and n >= 0 for n in shape):
            raise NotPlainError("it holds an array of a shape that none has")
        buffer, kind = self.buffers[number], np.dtype(dtype)
        if math.prod(shape) * kind.itemsize != len(buffer):
            raise NotPlainError("it holds an array whose shape does not fit its bytes")
        return np.frombuffer(buffer, kind).reshape(shape).copy() if len(buffer) else np.empty(shape, kind)

    def _tensor(self, array: Any, requires_grad: Any) -> Any:
        torch, values = sys.modules.get("torch"), self._array(*array)
        if torch is None:  # who reads knows no tensors: the assignment has none
            return values
        tensor = torch.from_numpy(values)
        return tensor.requires_grad_() if requires_grad is True and tensor.is_floating_point() else tensor

    def _record(self, tree: list[Any], depth: int) -> Any:
        name, fields, parts = tree
        values = [self.read(part, depth + 1) for part in parts]
        known = self.records.get(name)
        if known is not None and list(known._fields) == fields and len(values) == len(fields):
            return known(*values)
        return _Record(values, {str(k): v for k, v in zip(fields, values, strict=True)})


class _Record(tuple[Any, ...]):
    """A named tuple of a kind that the reader does not know."""

    def __new__(cls, values: list[Any], names: dict[str, Any]) -> _Record:
        made = super().__new__(cls, values)
        made.__dict__.update(names)
        return made
