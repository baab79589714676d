"""The vocabulary of numerical checks that chapters and tests share."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "absolute_error",
    "central_difference",
    "relative_error",
    "report",
    "shortfall",
    "standard_errors",
]

Array = NDArray[np.float64]


def report(label: str, error: ArrayLike, tol: float, *, part: str | None = None) -> None:
    """State that an equation or a figure's claim holds, or raise.

    In a notebook the sentence is the output, the same on every processor; the measured error
    travels in the output's metadata, from which the book's verification ledger is made.

    Parameters
    ----------
    label : label of the equation ("eq-...") or of the figure ("fig-...").
    error : measured error, scalar or array; the largest absolute entry counts.
    tol : largest error accepted, in the same units.
    part : which part or line of the claim this is, where one check is not all of it.

    Raises
    ------
    AssertionError : the error is above ``tol`` or is not a number.
    ValueError : ``tol`` is negative or not a number.
    """
    if not tol >= 0:
        raise ValueError(f"tol = {tol}: it should be a number that is not negative")
    measured = float(np.max(np.abs(np.asarray(error, dtype=float))))
    claim = label if part is None else f"{label}, {part}"
    if not measured <= tol:
        raise AssertionError(f"{claim}: fails, error {measured:.3g} is above {tol:g}")
    record = {"label": label, "part": part, "error": float(f"{measured:.1e}"), "tol": float(tol)}
    _show(f"{claim}: holds, error at most {tol:g}", record)


def absolute_error(left: ArrayLike, right: ArrayLike) -> float:
    """Return the largest |left - right|; equal infinities differ by nothing.

    Parameters
    ----------
    left, right : arrays of one shape, or shapes that broadcast.
    """
    a, b = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    with np.errstate(invalid="ignore"):
        return float(np.where(a == b, 0.0, np.abs(a - b)).max())


def relative_error(left: ArrayLike, right: ArrayLike) -> float:
    """Return the largest |left - right| / |right|; where right is 0, left must be 0 too.

    Parameters
    ----------
    left, right : arrays of one shape, or shapes that broadcast; ``right`` is the reference.
    """
    a, b = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.where(a == b, 0.0, np.abs(a - b) / np.abs(b)).max())


def shortfall(surplus: ArrayLike) -> float:
    """Return by how much ``surplus >= 0`` fails, where it fails most; 0 where it holds everywhere.

    It makes an inequality a claim with an error: ``report(label, shortfall(right - left), 0)``.

    Parameters
    ----------
    surplus : differences that should not be negative, of any shape.

    Returns
    -------
    float : nan if there is one among them.

    Raises
    ------
    ValueError : there are none.
    """
    values = np.asarray(surplus, dtype=float)
    if not values.size:
        raise ValueError("surplus is empty: pass at least one difference")
    lowest = float(values.min())
    return 0.0 if lowest >= 0 else -lowest


def standard_errors(samples: ArrayLike, truth: ArrayLike) -> float:
    """Return how many standard errors a Monte-Carlo mean lies from the truth, at most.

    A correct estimator exceeds 4 with probability 6e-5 per entry. When a check fails, raise the
    number of samples, never the tolerance.

    Parameters
    ----------
    samples : (S, ...) independent samples of the estimator.
    truth : (...) the expectation.

    Raises
    ------
    ValueError : fewer than two samples.
    """
    s = np.asarray(samples, dtype=float)
    if s.ndim == 0 or len(s) < 2:
        raise ValueError(
            "samples holds fewer than two samples: pass at least two, a standard error needs them"
        )
    error = s.std(axis=0, ddof=1) / np.sqrt(len(s))
    distance = np.abs(s.mean(axis=0) - np.asarray(truth, dtype=float))
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.where(distance == 0, 0.0, distance / error).max())


def central_difference(function: Callable[[Array], ArrayLike], x: ArrayLike, *, step: float = 1e-4) -> Array:
    """Differentiate a scalar function numerically, to fourth order.

    ``f'(x) = [8 f(x + h) - 8 f(x - h) - f(x + 2 h) + f(x - 2 h)] / (12 h) + O(h^4)`` for each
    entry, with h = ``step`` times max(1, |entry|).

    Parameters
    ----------
    function : maps an array of the shape of ``x`` to a number.
    x : where to differentiate, any shape.
    step : relative step h.

    Returns
    -------
    gradient : of the shape of ``x``.
    """
    x = np.asarray(x, dtype=float)
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        h = step * max(1.0, float(abs(x[index])))

        def at(shift: float, index: tuple[int, ...] = index) -> float:
            moved = x.copy()
            moved[index] += shift
            return float(np.asarray(function(moved)))

        gradient[index] = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    return gradient


def _show(sentence: str, record: dict[str, Any]) -> None:
    """Print on a terminal; in a notebook display, with the record as output metadata."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        print(sentence)
    else:
        shell.display_pub.publish({"text/plain": sentence}, metadata={"emvae": record})
