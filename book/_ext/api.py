"""Sphinx directive ``{api} emvae.elbo``: the public names of a module, from their docstrings.

The docstrings are markdown with numpy's sections, as MyST reads them: formulas stay as they are
written, and {eq} leads to the book's equations. (autodoc would read them as reStructuredText, where
``|x|`` and ``{eq}`` mean something else.)
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)
FIELD = re.compile(r"[\w, *]+ : ")
ADDRESS = re.compile(r"<function (\S+) at 0x\w+>|<class '\S*?(\w+)'>")


class ApiModule(SphinxDirective):
    """Document the names in ``__all__`` of a module, in that order."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write the module's page as markdown and have it parsed."""
        module = importlib.import_module(self.arguments[0])
        self.env.note_dependency(inspect.getfile(module))
        lines = [f"```{{py:currentmodule}} {module.__name__}", "```", "", *markdown(module), ""]
        for name in module.__all__:
            value = getattr(module, name)
            self.env.note_dependency(source_file(value, module))
            lines += describe(name, value)
        parent = nodes.container()
        self.state.nested_parse(StringList(lines, self.arguments[0]), self.content_offset, parent)
        return parent.children


def describe(name: str, value: Any) -> Iterator[str]:
    """Yield the entry of a public name: signature, docstring, and a class's own members."""
    if inspect.isclass(value):
        yield from entry("class", name + signature(value), [*markdown(value), *members(value)])
    elif callable(value):
        yield from entry("function", name + signature(value), markdown(value))
    else:
        yield from entry("data", name, [])


def members(cls: type) -> Iterator[str]:
    """Yield the entries of the public methods and properties that a class itself defines.

    The fields of a record stand in the docstring of its class.
    """
    in_docstring = {*getattr(cls, "__dataclass_fields__", ()), *getattr(cls, "_fields", ())}
    for name, member in vars(cls).items():
        function = getattr(member, "__func__", member)  # of a classmethod
        if name.startswith("_") or name in in_docstring or not inspect.getdoc(member):
            continue
        if isinstance(member, property) or not callable(function):
            yield from entry("property", name, markdown(member))
        else:
            kind = "method" if function is member else "classmethod"
            yield from entry(kind, name + signature(getattr(cls, name)), markdown(member))


def entry(kind: str, heading: str, content: Any) -> Iterator[str]:
    """Yield a directive of Sphinx's Python domain."""
    fence = ":" * (4 if kind in {"class"} else 3)
    yield from [f"{fence}{{py:{kind}}} {heading}", "", *content, fence, ""]


def signature(value: Any) -> str:
    """Return the parameters' names and defaults; their types and shapes stand in the docstring."""
    if getattr(value, "_is_protocol", False):
        return ""  # it is implemented, not called
    try:
        shown = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    parameters = [p.replace(annotation=p.empty) for p in shown.parameters.values() if p.name != "self"]
    text = str(shown.replace(parameters=parameters, return_annotation=shown.empty))
    return ADDRESS.sub(r"\1\2", text)


def markdown(value: Any) -> list[str]:
    """Return a docstring as lines of markdown, its sections in bold, their fields as a list."""
    head, *sections = SECTION.split(inspect.getdoc(value) or "")
    lines = head.rstrip().split("\n")
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        lines += ["", f"**{title}**", ""]
        lines += list(fields(body)) if FIELD.match(body) else body.rstrip().split("\n")
    return [*lines, ""]


def fields(body: str) -> Iterator[str]:
    """Yield the fields of a section, ``name : text`` with further lines indented, as a list."""
    for line in body.rstrip().split("\n"):
        name, _, text = line.partition(" : ")
        yield f"- `{name}`: {text}" if FIELD.match(line) else f"  {line.strip()}"


def source_file(value: Any, default: Any) -> str:
    """Return the file that defines a name, or its module's where that cannot be told."""
    try:
        return inspect.getfile(value)
    except TypeError:
        return inspect.getfile(default)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("api", ApiModule)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
