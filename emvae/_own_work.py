"""Tells whether a function leaves its work to another: by reading its code, and by watching a call."""

import importlib
import inspect
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

Answers = dict[types.CodeType, str]


def as_code(name: str) -> Iterator[types.CodeType]:
    """Yield the code of what a full name stands for: a function, a class, or all of a module."""
    yield from _codes(_resolve(name))


def used(function: Any, answers: Answers) -> str | None:
    """Return the name of the answer that a function's code, or code that it uses, refers to.

    Followed are globals, closures, defaults, wrappers, partial applications, attributes of modules
    and classes, and imports inside functions; code outside the function's own module is not entered.
    """
    home = getattr(inspect.unwrap(function) if callable(function) else function, "__globals__", None)
    waiting, seen = [function], set[int]()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        for code in _codes(value):
            if code in answers:
                return answers[code]
        if isinstance(value, types.FunctionType) and (home is None or value.__globals__ is home):
            waiting += _referred(value)
        elif isinstance(value, type) and value.__module__ == (home or {}).get("__name__", "__main__"):
            waiting += vars(value).values()
        else:
            waiting += _parts(value)
    return None


def reached(function: Callable[..., Any], arguments: tuple[Any, ...], answers: Answers) -> str | None:
    """Call a function and return the name of the first answer that ran meanwhile."""
    found: list[str] = []

    def watch(frame: types.FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code in answers:
            found.append(answers[frame.f_code])

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        with suppress(Exception):
            function(*arguments)
    finally:
        sys.setprofile(before)
    return found[0] if found else None


def _resolve(name: str) -> Any:
    """Import what a dotted name stands for."""
    parts = name.split(".")
    for split in range(len(parts), 0, -1):
        try:
            value: Any = importlib.import_module(".".join(parts[:split]))
        except ImportError:
            continue
        with suppress(AttributeError):
            for part in parts[split:]:
                value = getattr(value, part)
            return value
    raise ValueError(f"forbidden holds {name!r}, which leads nowhere: pass the full name of what exists")


def _codes(value: Any) -> Iterator[types.CodeType]:
    """Yield the code of a function, of a class's methods, or of a module's functions and classes."""
    value = getattr(value, "__func__", value)
    if isinstance(value, property):
        value = value.fget
    if isinstance(code := getattr(value, "__code__", None), types.CodeType):
        yield code
    elif isinstance(value, type) and value.__module__.startswith("emvae"):
        for member in vars(value).values():
            yield from _codes(member)
    elif isinstance(value, types.ModuleType) and value.__name__.startswith("emvae."):
        for member in vars(value).values():
            if getattr(member, "__module__", "").startswith(value.__name__):
                yield from _codes(member)


def _referred(function: types.FunctionType) -> Iterator[Any]:
    """Yield the objects that a function's code names."""
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # a cell that is not filled yet
            yield cell.cell_contents
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield from _parts(function)
    for code in _nested(function.__code__):
        named = [function.__globals__[name] for name in code.co_names if name in function.__globals__]
        named += [module for name in code.co_names if (module := _imported(name)) is not None]
        yield from (value for value in named if not isinstance(value, types.ModuleType))
        modules = [value for value in named if isinstance(value, types.ModuleType)]
        while modules:  # emvae.responsibilities.log_normalize: one name after the other
            module = modules.pop()
            for name in code.co_names:
                value = vars(module).get(name)
                if isinstance(value, types.ModuleType) and value.__name__.startswith(module.__name__ + "."):
                    modules.append(value)
                elif value is not None and not isinstance(value, types.ModuleType):
                    yield value


def _nested(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield a code object and those inside it: inner functions, lambdas, comprehensions."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _nested(constant)


def _imported(name: str) -> types.ModuleType | None:
    """Return the module of the package that an import statement inside a function names."""
    return sys.modules.get(name) if name.startswith("emvae") else None


def _parts(value: Any) -> Iterator[Any]:
    """Yield what a wrapper wraps, what a partial application applies, what a container holds."""
    for attribute in ("__wrapped__", "func", "__func__", "__self__", "fget"):
        part = inspect.getattr_static(value, attribute, None)
        if part is not None:
            with suppress(Exception):
                yield getattr(value, attribute)
    if isinstance(value, dict):
        yield from list(value.values())[:100]
    elif isinstance(value, list | tuple | set):
        yield from list(value)[:100]
