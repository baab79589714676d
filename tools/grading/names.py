"""Which names a cell binds and which it reads, from its text."""

from __future__ import annotations

import ast
import re
import symtable
import threading
import types
from collections.abc import Iterator
from typing import Any

MAGIC = re.compile(r"^[ \t]*[%!].*$", re.M)
_one_by_one = threading.Lock()


def parse(source: str, mode: str = "exec") -> Any:
    """Return ``ast.parse(source, mode=mode)``, in one thread at a time.

    CPython 3.11 counts the depth of the tree that it builds in one place for all threads: where two parse
    side by side, one ends with ``SystemError: AST constructor recursion depth mismatch``.

    Raises
    ------
    SyntaxError, ValueError, RecursionError, MemoryError : no Python, or too deep.
    """
    with _one_by_one:
        return ast.parse(source, mode=mode)


def tree(source: str) -> ast.Module:
    """Parse a cell without its magics; an empty module where it is no Python."""
    try:
        module: ast.Module = parse(MAGIC.sub("", source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module(body=[], type_ignores=[])
    return module


def bound(source: str) -> set[str]:
    """Return the names that a cell gives a value, functions and classes included."""
    return set(_bound(tree(source).body))


def bound_by(statement: ast.stmt) -> set[str]:
    """Return the names that one statement gives a value."""
    return set(_bound([statement]))


def read(source: str) -> set[str]:
    """Return the names that a cell looks up in the notebook, wherever in it; arguments are not such."""
    try:
        return set(_read(symtable.symtable(MAGIC.sub("", source), "cell", "exec")))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()


def of_code(code: types.CodeType) -> set[str]:
    """Return the names that code looks up, those of functions inside it included."""
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return set(code.co_names).union(*map(of_code, inner))


def imports(source: str) -> str:
    """Return the import statements of a cell's top level."""
    nodes = [n for n in tree(source).body if isinstance(n, ast.Import | ast.ImportFrom)]
    return "\n".join(map(ast.unparse, nodes))


def imported(tree: ast.AST) -> dict[str, str]:
    """Return the full name of each name that import statements bind, wherever they stand; stars stay."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.partition(".")[0]
                found[alias.asname or root] = alias.name if alias.asname else root
        elif isinstance(node, ast.ImportFrom) and node.module:
            full = {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name.replace("*", full[name]): full[name] for name in full}
    return found


def _read(table: symtable.SymbolTable) -> Iterator[str]:
    """Yield what a scope, and those in it, read from the outermost."""
    outermost = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (outermost or symbol.is_global()):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _read(inner)


def _bound(nodes: list[ast.stmt]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
            continue
        for child in ast.walk(node):
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
                yield child.id
            elif isinstance(child, ast.alias):
                yield child.asname or child.name.partition(".")[0]
            elif isinstance(child, ast.FunctionDef | ast.ClassDef):
                yield child.name
