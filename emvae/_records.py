"""Records that stay values: their arrays are read-only, equality is by content, a copy is made anew."""

from dataclasses import fields
from typing import Any

import numpy as np


class Record:
    """What a frozen dataclass that holds arrays inherits, to be the value that it looks like.

    Its arrays cannot be written to. Two records are equal if they are of one class and all fields are
    equal, arrays entry by entry, with NaN equal to NaN; so records have no hash. ``copy``, ``deepcopy``,
    pickle and joblib call the constructor: a copy is checked and frozen as its original was, and what a
    record has derived from its fields is derived again.

    A class adds ``@dataclass(frozen=True, eq=False)``; a ``__post_init__`` of its own calls this one.
    """

    def __post_init__(self) -> None:
        """Take read-only views of the arrays among the fields."""
        for field in fields(self):  # type: ignore[arg-type]  # a dataclass, as the docstring asks
            value = getattr(self, field.name, None)
            if isinstance(value, np.ndarray) and value.flags.writeable:
                view = value.view()
                view.flags.writeable = False
                self._set(**{field.name: view})

    def _set(self, **values: Any) -> None:
        """Give fields their checked values, in ``__post_init__``: afterwards nobody can."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        """Compare by content."""
        if type(self) is not type(other):
            return NotImplemented
        mine, theirs = _content(self), _content(other)
        return all(_same(mine[name], theirs[name]) for name in mine)

    __hash__ = None  # type: ignore[assignment]  # an array has none either

    def __reduce__(self) -> Any:
        """Have copies made by the constructor."""
        return _make, (type(self), _content(self))


def _content(record: Any) -> dict[str, Any]:
    """Return what a record was constructed from, by name."""
    return {field.name: getattr(record, field.name) for field in fields(record) if field.init}


def _make(kind: Any, content: dict[str, Any]) -> Any:
    return kind(**content)


def _same(left: Any, right: Any) -> bool:
    """Compare two values of a field: arrays and tensors entry by entry, sequences item by item."""
    if left is right:
        return True
    if isinstance(left, tuple | list):
        return type(left) is type(right) and len(left) == len(right) and all(map(_same, left, right))
    if getattr(left, "shape", None) != getattr(right, "shape", None):
        return False
    equal = (left == right) | ((left != left) & (right != right))
    return bool(equal.all() if hasattr(equal, "all") else equal)
