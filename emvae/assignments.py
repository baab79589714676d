"""What the test cells of the assignments say: a failure teaches what was expected, and by which equation."""

import copy
import json
import os
import time
import tracemalloc
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "expect_close",
    "expect_fast",
    "expect_rejected",
    "expect_shape",
    "expect_true",
    "expect_unchanged",
    "runs_with_student",
]

Numbers = NDArray[np.float64]
BUILT_BOOK = Path(__file__).resolve().parent.parent / "_build" / "html"


def expect_close(
    actual: Any,
    expected: Any,
    *,
    what: str,
    equation: str,
    tol: float = 1e-10,
    slips: Mapping[str, Any] | None = None,
) -> None:
    """Compare numbers: |actual - expected| <= tol max(1, |expected|) in every entry.

    Where infinity or NaN is expected nothing else will do.

    Parameters
    ----------
    actual : what the student's code returned: an array, a tensor or a number.
    expected : what it should be, of the same shape.
    what : name of the quantity, as the text of the task has it.
    equation : label of the equation by which it is expected ("eq-..." or "def-...").
    tol : largest error accepted, relative where |expected| is above 1.
    slips : what comes out by a known slip, by its name: ``{"summed over the data": ...}``. A failure whose
        numbers are those of a slip says so.

    Raises
    ------
    AssertionError : another shape, NaN, or an error above ``tol``.
    ValueError : ``equation`` is no label of the book.
    """
    link = _where(equation)
    got, want = _as_numbers(actual, what), _as_numbers(expected, what)
    hint = "".join(
        f"The numbers are what comes out if it is {slip}.\n"
        for slip, value in (slips or {}).items()
        if _agree(got, _as_numbers(value, slip), tol)
    )
    hint = hint or _relation(got, want, tol)
    if got.shape != want.shape:
        raise AssertionError(
            f"{what}: expected the shape {want.shape}, got {got.shape}.\n"
            + (hint or "An axis was summed over that should stay, or the other way round.\n")
            + link
        )
    wrong = _differs(got, want, tol)
    if not wrong.any():
        return
    with np.errstate(invalid="ignore"):
        error = np.abs(got - want)
    worst = np.unravel_index(np.argmax(np.where(wrong, np.nan_to_num(error, nan=np.inf), -1.0)), wrong.shape)
    place = f" at [{', '.join(map(str, worst))}]" if worst else ""
    extent = f"{int(wrong.sum())} of {wrong.size} entries are wrong; the worst" if wrong.size > 1 else "It"
    exact = "Here it should be exactly that." if not np.isfinite(want[worst]) else f"accepted is {tol:g}."
    raise AssertionError(
        f"{what}: expected {want[worst]:.10g}{place}, got {got[worst]:.10g}.\n"
        f"{extent} is off by {error[worst]:.3g}, {exact}\n{hint}{link}"
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


def expect_unchanged(function: Callable[..., Any], *args: Any, what: str) -> None:
    """Call a function with copies of its arguments, and compare the copies afterwards.

    Parameters
    ----------
    function, args : what to call with what; arrays and tensors among the arguments are compared.
    what : the arguments, in words.

    Raises
    ------
    AssertionError : the function has written into an argument.
    """
    given = copy.deepcopy(args)
    getattr(function, "copies_back", function)(*given)  # a grader's stand-in brings the arguments back
    for now, before in zip(given, args, strict=True):
        if hasattr(before, "shape") and not _agree(
            _as_numbers(now, what), _as_numbers(before, what), tol=0.0
        ):
            raise AssertionError(
                f"{what}: your function has changed an argument, which its caller still needs as it was.\n"
                "Write `a = a - m` and not `a -= m`, and copy an array before you assign to its entries."
            )


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


def expect_fast(
    function: Callable[..., Any],
    *args: Any,
    what: str,
    seconds: float,
    megabytes: float | None = None,
    **options: Any,
) -> Any:
    """Call a function, time it, and return what it returned; near the limit it has three tries.

    A grader compares its time with that of the model solution on the same machine instead.

    Parameters
    ----------
    function, args, options : what to call with what.
    what : the work, in words.
    seconds : how long it may take.
    megabytes : how much memory its arrays may take at any one time; None is any amount.

    Raises
    ------
    AssertionError : it was slower each time, or took more memory.
    """
    measured = getattr(function, "measured", None)
    taken, allowed = np.inf, seconds
    for _ in range(3):
        if measured is None:
            answer, now, peak = _measured(lambda: function(*args, **options), memory=megabytes is not None)
        else:
            answer, now, peak, model = measured(*args, **options)
            allowed = 20 * max(model, 0.05)
        if megabytes is not None and peak > megabytes:
            raise AssertionError(
                f"{what}: arrays of {peak:.0f} MB were held at one time, {megabytes:g} are allowed.\n"
                "Go through the rows in blocks, and let each block's arrays go before the next."
            )
        taken = min(taken, now)
        if taken <= allowed:
            return answer
        if taken > 3 * allowed:
            break  # no other try will be that much faster
    raise AssertionError(
        f"{what}: this took {taken:.2g} s, {allowed:.2g} s are allowed.\n"
        "Let numpy go over the rows: a line of Python for each of them takes longer than all the arithmetic."
    )


def runs_with_student(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a helper that has to run where the student's function does, for its graph or its own objects.

    Parameters
    ----------
    function : of a student's function and plain data; returns plain data.
    """
    function.runs_with_student = True  # type: ignore[attr-defined]
    return function


def _measured(work: Callable[[], Any], *, memory: bool) -> tuple[Any, float, float]:
    """Return what a call returned, the seconds that it took, and the most megabytes that it held."""
    if memory:
        tracemalloc.start()
    start = time.perf_counter()
    try:
        answer = work()
        return answer, time.perf_counter() - start, tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def _relation(got: Numbers, want: Numbers, tol: float) -> str:
    """Say what all numbers together have to do with the right ones, where that is the trace of a slip."""
    if np.unique(want).size < 2 or not np.isfinite(got).any():
        return ""  # of a single number much can be said by chance, of none anything
    with np.errstate(all="ignore"):
        tried = {
            "have the wrong sign": -want,
            "are twice what they should be": 2 * want,
            "are half of what they should be": want / 2,
            "are the logarithms of the right ones": np.log(want),
            "are the exponentials of the right ones": np.exp(want),
            "are the squares of the right ones": want**2,
            "are the square roots of the right ones": np.sqrt(want),
            "are the reciprocals of the right ones": 1 / want,
            "are the right ones, transposed": want.T,
            "are the right ones, averaged over everything": want.mean(),
        }
        for axis in range(want.ndim):
            tried[f"are the right ones, summed over axis {axis}"] = want.sum(axis)
            tried[f"are the right ones, averaged over axis {axis}"] = want.mean(axis)
            tried[f"are the right ones, divided by their sum over axis {axis}"] = want / want.sum(
                axis, keepdims=True
            )
        if got.shape == want.shape:
            tried["are all off by the same amount"] = want + np.ravel(got - want)[0]
            tried["are all off by the same factor"] = want * np.ravel(got / want)[0]
            tried["are the right ones in another order"] = _ranked(got, want)
    said = (what for what, value in tried.items() if _agree(got, np.asarray(value), tol))
    return next((f"The numbers {what}.\n" for what in said), "")


def _ranked(got: Numbers, want: Numbers) -> Numbers:
    """Return the entries of ``want`` in the order in which those of ``got`` stand."""
    ranked = np.empty(want.size)
    ranked[np.argsort(got, axis=None)] = np.sort(want, axis=None)
    return ranked.reshape(want.shape)


def _agree(got: Numbers, want: Numbers, tol: float) -> bool:
    """Tell whether two arrays have one shape and the same entries."""
    return got.shape == want.shape and not _differs(got, want, tol).any()


def _differs(got: Numbers, want: Numbers, tol: float) -> NDArray[np.bool_]:
    """Mark the entries that are off by more than ``tol``; where ``want`` is not finite, at all."""
    with np.errstate(all="ignore"):
        near = np.abs(got - want) <= tol * np.maximum(1.0, np.abs(want))
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    return np.asarray(~(same | (near & np.isfinite(want))))


def _as_numbers(value: Any, what: str) -> Numbers:
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
def _equations() -> dict[str, dict[str, str]]:
    """Map each equation's label to its number, its section, and its page in the book."""
    text = resources.files("emvae").joinpath("data", "equations.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def _where(equation: str) -> str:
    """Say where the book has an equation, with its address where one is known."""
    if equation not in _equations():
        raise ValueError(f"equation = {equation!r} is no label of the book: pass one that a chapter gives")
    place = _equations()[equation]
    address = _address(f"{place['page']}.html")
    link = f": {address}#equation-{equation}" if address else " of the book."
    return f"See equation ({place['number']}), section {place['section']}{link}"


def _address(page: str) -> str:
    """Return where a page of the book can be read, or nothing.

    A release's file or EMVAE_BOOK says where the book is published; EMVAE_BOOK="" says that it is not. Beside
    a checkout's package stands the book that was built last.
    """
    base = os.environ.get("EMVAE_BOOK")
    if base is None and Path("book-address.txt").is_file():
        base = Path("book-address.txt").read_text(encoding="utf-8")
    if base is not None:
        return f"{base.strip().rstrip('/')}/{page}" if base.strip() else ""
    built = BUILT_BOOK / page
    return built.as_uri() if built.is_file() else ""
