"""Tell from a submission's text whether an answer is left to the package; nothing is run for it.

Names are resolved as Python would: imports, aliases, attributes, ``getattr`` and ``vars`` with constants,
``importlib``, texts that are run, and functions of the notebook that an answer uses. What a text builds at
run time cannot be decided; who does that is not found here, and gains what the package computes.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode

from tools.grading import names
from tools.grading.sources import Assignment, is_test

PACKAGES = ("emvae", "torch", "scipy", "sklearn", "numpy")
LOOKS_UP = ("getattr", "getattr_static", "__getattribute__")
NOTEBOOK = "globals()"


@dataclass
class Use:
    """What a piece of a notebook refers to: full names, with their lines, and names of the notebook."""

    full: dict[str, str] = field(default_factory=dict)
    local: set[str] = field(default_factory=set)


def complaints(assignment: Assignment, notebook: NotebookNode) -> list[str]:
    """Return a sentence for each answer that leads to what is forbidden in it.

    Parameters
    ----------
    assignment : its metadata name what must not do the work, ``emvae: {own_work: {function: [...]}}``: full
        names; a module's or a class's stands for all that it holds.
    notebook : the mended submission.
    """
    uses, found = _uses(notebook), list[str]()
    for function, forbidden in assignment.source.metadata.get("emvae", {}).get("own_work", {}).items():
        wanted = {_canonical(name) for name in forbidden}
        found += [
            f"`{function}` leaves its work to `{name}` of the package: {line[:120]}"
            for name, line in sorted(_reached({function}, uses).items())
            if any(name == f or name.startswith(f"{f}.") for f in wanted)
        ]
    return found


def _reached(start: set[str], uses: dict[str, Use]) -> dict[str, str]:
    """Return all full names to which names of the notebook lead, each with its line."""
    waiting, seen, found = list(start), set[str](), dict[str, str]()
    while waiting:
        name = waiting.pop()
        if name not in seen and name in uses:
            seen.add(name)
            found |= uses[name].full
            waiting += uses[name].local
    return found


def _uses(notebook: NotebookNode) -> dict[str, Use]:
    """Return what each name that the notebook's cells bind refers to."""
    imported: dict[str, str] = {}
    uses: dict[str, Use] = {}
    for cell in notebook.cells:
        if cell.cell_type != "code" or is_test(cell):
            continue
        tree = names.tree(cell.source)
        imported |= _imports(tree)
        lines = names.MAGIC.sub("", cell.source).split("\n")
        for node in tree.body:
            if isinstance(node, ast.For | ast.While):  # an experiment: what it binds are data
                continue
            use = Use(local=names.read("\n".join(lines[node.lineno - 1 : node.end_lineno])))
            reader = _Reader(imported, use, lines)
            reader.read(node)
            if isinstance(node, ast.ClassDef) and node.bases and (base := reader.full(node.bases[0])):
                imported[node.name] = base
            for name in names.bound_by(node):
                mine = uses.setdefault(name, Use())
                mine.full |= use.full
                mine.local |= use.local
                if isinstance(node, ast.Assign) and len(use.full) == 1:  # an alias: f = package.answer
                    imported.setdefault(name, next(iter(use.full)))
    return uses


def _imports(tree: ast.AST) -> dict[str, str]:
    """Return what import statements bind, with all that a star stands for."""
    found = names.imported(tree)
    stars = [full.removesuffix(".*") for full in found.values() if full.endswith(".*")]
    return found | {name: f"{module}.{name}" for module in stars for name in _public(module)}


class _Reader:
    """Collects the full names and the notebook's names that a statement mentions."""

    def __init__(self, imported: dict[str, str], use: Use, lines: list[str]) -> None:
        self.imported = dict(imported)
        self.use = use
        self.lines = lines

    def read(self, statement: ast.AST) -> None:
        """Note all that names something; ``a = Class(...)`` makes ``a`` stand for the class."""
        for node in ast.walk(statement):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                made = self.full(node.value)
                self.imported |= {t.id: made for t in node.targets if isinstance(t, ast.Name) and made}
        for node in ast.walk(statement):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for full in _imports(node).values():
                    self._note(full, node)
            elif isinstance(node, ast.expr):
                with suppress(RecursionError):  # a name of a thousand parts
                    self._note(self.full(node), node)
                    self._read_text(node)

    def _read_text(self, node: ast.expr) -> None:
        """Read a text that is run."""
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("exec", "eval", "compile"):
            for text in filter(None, map(_text, node.args[:1])):
                tree = names.tree(text)
                self.use.local |= names.read(text)
                _Reader(self.imported | _imports(tree), self.use, text.split("\n")).read(tree)

    def _note(self, full: str, node: Any) -> None:
        if full.partition(".")[0] in PACKAGES and isinstance(node.lineno, int):
            line = self.lines[node.lineno - 1].strip() if node.lineno <= len(self.lines) else ""
            self.use.full.setdefault(_canonical(full), line)

    def full(self, node: ast.expr) -> str:
        """Return the full name that an expression has, or nothing."""
        if isinstance(node, ast.Name):
            return self.imported.get(node.id, "")
        if isinstance(node, ast.Attribute):
            inner = self.full(node.value)
            return inner if node.attr == "__dict__" else self._part(inner, node.attr)
        if isinstance(node, ast.Subscript):  # vars(module)["name"], sys.modules["name"]
            return self._part(self.full(node.value), _text(node.slice))
        return self._called(node) if isinstance(node, ast.Call) else ""

    def _part(self, inner: str, key: str) -> str:
        """Return the full name of what something holds under a name."""
        if inner in ("sys.modules", NOTEBOOK):
            return key if inner == "sys.modules" else self.imported.get(key, "")
        return f"{inner}.{key}" if inner and key else ""

    def _called(self, node: ast.Call) -> str:
        """Return the full name of what a call returns: a class's object, or what is looked up by a text."""
        full = self.full(node.func)
        if isinstance(resolve(full), type):
            return full
        function = full.rpartition(".")[2] or getattr(node.func, "id", "") or getattr(node.func, "attr", "")
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        texts = [_text(value) for value in given]
        if function in ("globals", "locals"):
            return NOTEBOOK
        if isinstance(node.func, ast.Call) and given:  # attrgetter("name")(module)
            return self._part(self.full(given[0]), "".join(map(_text, node.func.args)))
        if function in ("get", "__getitem__", "__getattribute__") and len(given) == 1:
            owner = node.func.value if isinstance(node.func, ast.Attribute) else given[0]
            return self._part(self.full(owner), texts[0])
        if function in LOOKS_UP and len(given) > 1:
            return self._part(self.full(given[0]), texts[1])
        if function in ("vars", "dict") and given:
            return self.full(given[0])
        return texts[0] if function in ("import_module", "__import__") and texts else ""


def _text(node: ast.AST) -> str:
    """Return the text of a constant, or of what is put together from constants."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    parts: list[ast.expr] = list(node.values) if isinstance(node, ast.JoinedStr) else []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [node.left, node.right]
    texts = [_text(part.value if isinstance(part, ast.FormattedValue) else part) for part in parts]
    return "".join(texts) if all(texts) else ""


def _canonical(full: str) -> str:
    """Return the name under which the package defines what a full name stands for."""
    value = resolve(full)
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if isinstance(module, str) and isinstance(name, str) and module.partition(".")[0] == "emvae":
        return f"{module}.{name}"
    return full


def resolve(full: str) -> Any:
    """Return what a full name of the package stands for, or None where it leads nowhere."""
    parts = full.split(".")
    if parts[0] != "emvae":
        return None
    for split in range(len(parts), 0, -1):
        with suppress(ImportError, AttributeError, ValueError):
            value: Any = importlib.import_module(".".join(parts[:split]))
            for part in parts[split:]:
                value = getattr(value, part)
            return value
    return None


def _public(module: str) -> Iterator[str]:
    if module.partition(".")[0] == "emvae":
        with suppress(ImportError):
            value = importlib.import_module(module)
            yield from getattr(value, "__all__", [n for n in vars(value) if not n.startswith("_")])
