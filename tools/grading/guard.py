"""Runs inside a submission's kernel: keeps what the test cells rely on as it was before the student's code.

Sent as text and executed with builtins of its own, before anything of the student's runs. Two questions are
asked from outside. ``state``: are the functions of Python, numpy, torch and emvae, and the kernel's ways of
running a cell, the ones that they were? ``prepare``: do the names that a test cell reads, where they are the
assignment's own, still have the assignment's values? If not, they get them back.
"""

import hashlib
import importlib
import sys
import types
import zlib
from contextlib import suppress
from typing import Any

import numpy as np

WATCHED = ("builtins", "math", "numpy", "numpy.linalg", "numpy.random", "numpy.testing", "torch")
SHELL = ("run_cell", "run_cell_async", "run_code", "run_ast_nodes", "showtraceback", "user_expressions")
PER_CELL = ("_", "display", "exit", "get_ipython", "input", "quit")  # IPython sets them anew
OWN_CHANGES = ("torch.manual_seed",)  # torch wraps it itself when it first loads its compiler
LARGE = 1 << 26  # bytes; larger arrays are not copied


class Guard:
    """The memory of one kernel, from before the student's code."""

    def __init__(self, shell: Any, modules: list[str]) -> None:
        for name in [*modules, "numpy.testing", "emvae.assignments"]:
            with suppress(ImportError):
                importlib.import_module(name)
        self.shell = shell
        self.namespace: dict[str, Any] = shell.user_ns
        self.ours: dict[str, tuple[Any, Any]] = {}
        self.hidden: dict[str, Any] = {}
        self.names = set(self.namespace)
        self.watched = [n for n in sys.modules if n in WATCHED or n.partition(".")[0] == "emvae"]
        self.marks = self._marks(None)
        self.checks = sys.modules["emvae.assignments"]

    def state(self) -> tuple[str, list[str]]:
        """Return a digest of all that is watched, and the names of what has changed."""
        marks = self._marks(self.marks)
        changed = [name for name, mark in self.marks.items() if marks.get(name) != mark]
        if not changed and self._is_blind():
            changed = ["emvae.assignments"]
        text = repr(sorted(marks.items()))
        return hashlib.sha256(text.encode()).hexdigest(), changed[:5]

    def remember(self, names: list[str]) -> None:
        """Take the present values of these names for the assignment's own."""
        for name in names:
            if name in self.namespace:
                value = self.namespace[name]
                self.ours[name] = (value, _content(value))

    def forget(self) -> None:
        """Empty the namespace, for another notebook of one's own."""
        for name in self.namespace.keys() - self.names:
            del self.namespace[name]
        self.ours, self.hidden = {}, {}

    def prepare(self, names: list[str], imports: dict[str, str]) -> list[str]:
        """Give names that a test cell reads their own meaning; return those that had another."""
        restored = []
        for name in names:
            if name in imports:
                before = self.namespace.get(name, self)
                exec(imports[name], self.namespace)
                if before is not self and before is not self.namespace[name]:
                    restored.append(name)
            elif name in self.ours:
                restored += self._give_back(name)
            elif name in __builtins__ and name in self.namespace:  # type: ignore[operator]  # a dict here
                self.hidden[name] = self.namespace.pop(name)
                restored.append(name)
        return restored

    def verdict(self) -> Any:
        """Return and forget what the last line of a test cell has set; undo what ``prepare`` hid."""
        self.namespace.update(self.hidden)
        self.hidden = {}
        return self.namespace.pop("_emvae_verdict", None)

    def _give_back(self, name: str) -> list[str]:
        value, content = self.ours[name]
        if self.namespace.get(name) is not value:
            self.namespace[name] = value
        elif _same(value, content):
            return []
        if not _same(value, content):
            value[...] = content[1]
        return [name]

    def _is_blind(self) -> bool:
        """Tell whether the test cells' vocabulary lets a wrong answer pass."""
        with suppress(AssertionError):
            self.checks.expect_close(1.0, 2.0, what="", equation=next(iter(self.checks._pages())))
            return True
        with suppress(AssertionError):
            self.checks.expect_true(False, what="", equation=next(iter(self.checks._pages())))
            return True
        return False

    def _marks(self, known: dict[str, Any] | None) -> dict[str, Any]:
        """Return what identifies each watched thing; afterwards only things known before count."""
        marks: dict[str, Any] = {}
        for module in self.watched:
            here = sys.modules.get(module)
            marks[module] = id(here)
            for name, value in list(vars(here).items()) if here is not None else []:
                full = f"{module}.{name}"
                if full in OWN_CHANGES:
                    continue
                if (known is None and _is_fixed(name, value)) or (known is not None and full in known):
                    marks[full] = _mark(value)
        for name in SHELL:
            marks[f"IPython.{name}"] = id(getattr(type(self.shell), name)), name in vars(self.shell)
        for name in ("ast_transformers", "input_transformers_post", "custom_exceptions"):
            marks[f"IPython.{name}"] = len(getattr(self.shell, name))
        marks["sys.settrace"] = id(sys.gettrace()), id(sys.getprofile())
        return marks


def _is_fixed(name: str, value: Any) -> bool:
    """Tell whether a module's attribute should stay what it is: its functions, classes and modules."""
    if name in PER_CELL or name.startswith("__"):
        return False
    return callable(value) or isinstance(value, types.ModuleType)


def _mark(value: Any) -> Any:
    """Return what identifies a function with its code, a class with its methods, anything else."""
    if isinstance(value, types.FunctionType):
        keywords = [(name, id(default)) for name, default in (value.__kwdefaults__ or {}).items()]
        return id(value), id(value.__code__), id(value.__defaults__), keywords
    if isinstance(value, type) and value.__module__.partition(".")[0] in ("emvae", "torch"):
        methods = [(n, _mark(v)) for n, v in vars(value).items() if isinstance(v, types.FunctionType)]
        return id(value), methods
    return id(value)


def _content(value: Any) -> Any:
    """Return a checksum and a copy of an array, or None for what is no array or too large."""
    if isinstance(value, np.ndarray) and value.dtype != object and value.nbytes <= LARGE:
        return zlib.crc32(np.ascontiguousarray(value).tobytes()), value.copy()
    return None


def _same(value: Any, content: Any) -> bool:
    """Tell whether an array is what it was; of anything else nothing is known."""
    return content is None or bool(_content(value)[0] == content[0])
