"""What callers rely on: python -m tests.signatures > tests/signatures.txt after a change that is meant.

One line for each public function, class and method with its parameters, which of them are keyword-only,
and their defaults; for a record also whether it is frozen, how it compares and what it prints.
"""

import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator

MODULES = [
    "responsibilities", "elbo", "em", "mixtures",
    "gradients", "bounds", "autoencoders", "training", "latents",
    "datasets", "plotting", "checks", "assignments",
]  # fmt: skip


def of_callable(name: str, value: object) -> str:
    """Return name(parameters), without the types; functions and classes by name, wherever they lie."""
    parameters = inspect.signature(value).parameters.values()  # type: ignore[arg-type]  # a callable
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
    text = name + str(inspect.Signature(plain))
    return re.sub(r"<(?:function|class) '?([\w.]+)'?(?: at 0x\w+)?>|np\.float64\(([^()]*)\)", r"\1\2", text)


def compares_by_value(record: type) -> bool:
    """Tell whether equality is by content; tests/test_records.py holds real instances against it."""
    return record.__eq__ is not object.__eq__


def of_class(name: str, value: type) -> Iterator[str]:
    """Yield the constructor, what kind of record it makes, and the public methods that it defines."""
    kind = ""
    if dataclasses.is_dataclass(value):
        options = value.__dataclass_params__  # type: ignore[attr-defined]  # of the standard library
        by_value = compares_by_value(value)
        words = {"frozen": options.frozen, "compares by value": by_value, "prints its fields": options.repr}
        kind = "".join(f", {word}" for word, holds in words.items() if holds)
    protocol = getattr(value, "_is_protocol", False)  # nobody calls one
    yield name if protocol else of_callable(name, value) + kind
    for method, function in vars(value).items():
        function = getattr(function, "__func__", function)
        if not method.startswith("_") and inspect.isfunction(function):
            yield "    " + of_callable(method, function)


def lines() -> Iterator[str]:
    """Yield the whole public interface, module by module."""
    for module in MODULES:
        public = importlib.import_module(f"emvae.{module}")
        for name in public.__all__:
            value = getattr(public, name)
            where = f"emvae.{module}.{name}"
            if inspect.isclass(value):
                yield from of_class(where, value)
            elif inspect.isfunction(value):
                yield of_callable(where, value)


if __name__ == "__main__":
    print("\n".join(lines()))
