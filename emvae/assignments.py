"""What the test cells of the assignments say: a failure teaches what was expected, and by which equation."""

import json
import os
from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emvae._own_work import as_code, reached, used

__all__ = ["expect_close", "expect_own_work", "expect_rejected", "expect_shape", "expect_true"]


def expect_close(actual: Any, expected: Any, *, what: str, equation: str, tol: float = 1e-10) -> None:
    """Compare numbers: |actual - expected| <= tol max(1, |expected|) in every entry.

    Parameters
    ----------
    actual : what the student's code returned: an array, a tensor or a number.
    expected : what it should be, of the same shape.
    what : name of the quantity, as the text of the task has it.
    equation : label of the equation by which it is expected ("eq-..." or "def-...").
    tol : largest error accepted, relative where |expected| is above 1.

    Raises
    ------
    AssertionError : another shape, NaN, or an error above ``tol``.
    ValueError : ``equation`` is no label of the book.
    """
    link = _where(equation)
    got, want = _as_numbers(actual, what), _as_numbers(expected, what)
    if got.shape != want.shape:
        raise AssertionError(
            f"{what}: expected the shape {want.shape}, got {got.shape}.\n"
            f"An axis was summed over that should stay, or the other way round.\n{link}"
        )
    with np.errstate(all="ignore"):
        error = np.where(got == want, 0.0, np.abs(got - want))
        wrong = ~(error <= tol * np.maximum(1.0, np.abs(want)))
    if not wrong.any():
        return
    worst = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error)), error.shape)
    place = f" at [{', '.join(map(str, worst))}]" if worst else ""
    extent = f"{int(wrong.sum())} of {wrong.size} entries are wrong; the worst" if wrong.size > 1 else "it"
    raise AssertionError(
        f"{what}: expected {want[worst]:.10g}{place}, got {got[worst]:.10g}.\n"
        f"{extent[0].upper()}{extent[1:]} is off by {error[worst]:.3g}, accepted is {tol:g}.\n{link}"
    )


def expect_shape(actual: Any, shape: tuple[int, ...], *, what: str) -> None:
    """Compare the shape of an array or a tensor.

    Parameters
    ----------
    actual : what the student's code returned.
    shape : what its shape should be.
    what : name of the quantity.

    Raises
    ------
    AssertionError : another shape, or nothing that has one.
    """
    got = _as_numbers(actual, what).shape
    if got != tuple(shape):
        raise AssertionError(f"{what}: expected an array of shape {tuple(shape)}, got {got}.")


def expect_true(condition: Any, *, what: str, equation: str) -> None:
    """State a property; of an array, in every entry.

    Parameters
    ----------
    condition : True where the property holds.
    what : the property, as a sentence without a full stop.
    equation : label of the equation that says so.

    Raises
    ------
    AssertionError : it does not hold.
    ValueError : ``equation`` is no label of the book.
    """
    link = _where(equation)
    if not bool(np.all(_as_numbers(condition, what) == 1)):
        raise AssertionError(f"This should hold and does not: {what}.\n{link}")


def expect_rejected(
    function: Callable[..., Any], *args: Any, error: type[Exception] = ValueError, what: str
) -> None:
    """Call a function with input that it should refuse.

    Parameters
    ----------
    function, args : what to call with what.
    error : kind of error that it should raise.
    what : the input, in words.

    Raises
    ------
    AssertionError : it returned, or raised another kind of error.
    """
    try:
        function(*args)
    except error:
        return
    except Exception as other:
        wrong = f"{type(other).__name__}: {other}"
    else:
        wrong = "an answer"
    raise AssertionError(f"{what}: expected a {error.__name__} that says what is wrong, got {wrong}.")


def expect_own_work(
    function: Callable[..., Any], *forbidden: str, example: tuple[Any, ...] | None = None
) -> None:
    """Refuse an answer that the package gives, where writing it is the task.

    The function's code is read, and that of all in the notebook that it uses; with an ``example``
    it is also called, and a call that reaches the package's answer by another way is seen.

    Parameters
    ----------
    function : the student's function or class.
    forbidden : full names of what must not do the work, such as
        ``"emvae.responsibilities.log_normalize"``; a module's name stands for all that it holds.
    example : arguments to call ``function`` with; what it returns or raises does not count here.

    Raises
    ------
    AssertionError : the answer is the package's.
    ValueError : a name in ``forbidden`` leads nowhere.
    """
    name = getattr(function, "__name__", "your answer")
    answers = {code: full_name for full_name in forbidden for code in as_code(full_name)}
    found = used(function, answers)
    if found is None and example is not None:
        found = reached(function, example, answers)
    if found is not None:
        raise AssertionError(
            f"{name}: writing this is your task, and your code leaves it to `{found}` of the package.\n"
            "Write the computation out; the chapter derives every step of it."
        )


def _as_numbers(value: Any, what: str) -> NDArray[np.float64]:
    """Return a plain float64 array, whatever kind of array, tensor or number comes."""
    if value is None:
        raise AssertionError(f"{what}: expected numbers, got None. Does the function end in `return`?")
    if value is NotImplemented or value is Ellipsis:
        raise AssertionError(f"{what}: expected numbers, got {value}. Is the task still open?")
    if hasattr(value, "detach"):  # a torch tensor; torch itself need not be there
        value = value.detach().cpu().numpy()
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise AssertionError(f"{what}: expected numbers, got {type(value).__name__} {value!r:.80}.") from None


@cache
def _pages() -> dict[str, str]:
    """Map each equation's label to its page in the book."""
    text = resources.files("emvae").joinpath("data", "equations.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def _where(equation: str) -> str:
    """Say where the book has an equation; a release's file or EMVAE_BOOK says where the book is."""
    if equation not in _pages():
        raise ValueError(f"equation = {equation!r} is no label of the book: pass one that a chapter gives")
    page = _pages()[equation]
    base = os.environ.get("EMVAE_BOOK", "")
    if not base and Path("book-address.txt").is_file():
        base = Path("book-address.txt").read_text(encoding="utf-8")
    address = f"{base.strip().rstrip('/')}/{page}.html#equation-{equation}".lstrip("/")
    chapter = page.rpartition("/")[2].partition("-")[0]
    return f"See equation {equation} in chapter {chapter}: {address}"
