"""Argument checks shared by the package: each names the argument and the remedy."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


# What to pass in place of an object that numpy cannot read, told by a method that only its kind has.
_REMEDIES = {
    "toarray": "pass {name}.toarray(), if that fits into memory",  # scipy's sparse matrices
    "collect": "pass {name}.collect()",  # polars' lazy frames
    "detach": "pass {name}.detach().cpu().double().numpy(), of a sparse one {name}.to_dense() first",  # torch
}


def as_array(x: Any, *, name: str = "x") -> NDArray[Any]:
    """Return x as an array of real numbers, of any shape, without a copy where it is one already.

    Frames, tables and tensors of other libraries come in by numpy's own protocol; missing values of a
    frame become NaN. What would be lost (a mask) or cannot be read so (sparse, lazy) is refused.
    """
    if np.ma.is_masked(x) or (isinstance(x, list | tuple) and any(map(np.ma.is_masked, x))):
        raise ValueError(
            f"{name} has masked entries, which would be taken for data: "
            f"drop their rows, or pass {name}.filled(...) with values of your choice"
        )
    try:
        array = np.asarray(x)
    except (TypeError, ValueError, RuntimeError) as error:
        raise _unreadable(x, name) from error
    if array.dtype == object:
        if any(hasattr(x, method) for method in _REMEDIES):
            raise _unreadable(x, name)
        if hasattr(x, "to_numpy") and hasattr(getattr(x, "dtypes", None), "items"):
            array = _from_frame(x, name)
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"{name}{_kind(x)} has dtype {array.dtype}: "
            "pass real numbers (encode strings and fill missing values first)"
        )
    return array


def _from_frame(frame: Any, name: str) -> NDArray[Any]:
    """Read a frame of pandas with nullable or mixed columns, of which numpy makes objects."""
    for column, dtype in frame.dtypes.items():
        if dtype.kind not in "biuf":
            raise ValueError(
                f"{name} has a column {column!r} of dtype {dtype}: encode it as numbers, or drop it"
            )
    return frame.to_numpy(dtype=np.float64, na_value=np.nan)


def _unreadable(x: Any, name: str) -> ValueError:
    remedies = (remedy.format(name=name) for method, remedy in _REMEDIES.items() if hasattr(x, method))
    remedy = next(remedies, "pass numbers, in rows of equal length")
    return ValueError(f"{name}{_kind(x)} is not an array of real numbers: {remedy}")


def _kind(x: Any) -> str:
    """Name the library and class of what is neither Python's nor numpy's own."""
    library = type(x).__module__.partition(".")[0]
    return "" if library in ("builtins", "numpy") else f" (a {library} {type(x).__name__})"


def as_matrix(x: ArrayLike, *, name: str = "x", n_features: int | None = None) -> NDArray[Any]:
    """Return x as a non-empty numeric (N, D) array, without a copy where it is one already."""
    array = as_array(x, name=name)
    if array.ndim != 2:
        raise ValueError(
            f"{name} is {array.ndim}-d: pass a 2-d array of shape (N, D); "
            "x.reshape(-1, 1) makes one feature of a 1-d array"
        )
    if array.size == 0:
        raise ValueError(f"{name} is empty with shape {array.shape}: pass at least one datum")
    if n_features is not None and array.shape[1] != n_features:
        raise ValueError(
            f"{name} has {array.shape[1]} features, the model has {n_features}: "
            "pass data of the dimension that the model was made for"
        )
    return array


def check_finite(block: NDArray[Any], *, name: str = "x", first_row: int = 0) -> None:
    """Raise where a block holds NaN or infinity; one sum suffices when it does not."""
    if block.dtype.kind != "f":
        return
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = not np.isfinite(block.sum(dtype=np.float64))
    if suspicious and not (finite := np.isfinite(block)).all():
        row, column = np.argwhere(~finite)[0]
        raise ValueError(
            f"{name} holds {block[row, column]} in row {first_row + row}, column {column}: "
            "drop or impute missing values first"
        )


def as_floats(values: ArrayLike, *, name: str, shape: tuple[int | None, ...] | None = None) -> Array:
    """Return a read-only float64 copy with finite entries; None in ``shape`` means any length."""
    array = as_array(values, name=name).astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity: pass finite numbers")
    if shape is not None and (
        array.ndim != len(shape)
        or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True))
    ):
        wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
        raise ValueError(f"{name} has shape {array.shape}: it should be {wanted}")
    array.flags.writeable = False
    return array


def as_probabilities(values: ArrayLike, *, name: str) -> Array:
    """Return a read-only (K,) array of non-negative weights with sum one."""
    weights = as_floats(values, name=name, shape=(None,))
    if weights.size == 0 or (weights < 0).any() or abs(weights.sum() - 1.0) > 1e-8:
        raise ValueError(
            f"{name} is not a distribution: entries must be non-negative and sum to one, "
            "divide them by their sum"
        )
    return weights


def as_responsibilities(resp: ArrayLike, shape: tuple[int, ...]) -> Array:
    """Return responsibilities as floats, if they have the shape (N, K) of the data and the components."""
    array = as_array(resp, name="resp").astype(np.float64, copy=False)
    if array.shape != shape:
        raise ValueError(
            f"resp has shape {array.shape}: pass one row per datum and one column per component, {shape}"
        )
    return array


def as_count(value: Any, *, name: str, minimum: int = 1, maximum: int | None = None) -> int:
    """Return a Python int within bounds; booleans and floats are no counts."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise ValueError(f"{name} = {value!r} is not an integer: pass a whole number")
    if value < minimum or (maximum is not None and value > maximum):
        bounds = f"at least {minimum}" + (f" and at most {maximum}" if maximum is not None else "")
        raise ValueError(f"{name} = {value}: it should be {bounds}")
    return int(value)


def as_generator(rng: Any) -> np.random.Generator:
    """Return rng if it is a numpy Generator; seeds and RandomState are refused."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(
            f"rng is a {type(rng).__name__}: pass a numpy Generator, such as numpy.random.default_rng(0)"
        )
    return rng


def as_non_negative(value: Any, *, name: str) -> float:
    """Return a finite float that is not negative."""
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} = {value!r} is not a number: pass a finite number that is not negative"
        ) from error
    if not (number >= 0 and np.isfinite(number)):
        raise ValueError(f"{name} = {value!r}: it should be finite and not negative")
    return number


def as_positive(value: Any, *, name: str) -> float:
    """Return a finite float above zero; booleans are none."""
    if isinstance(value, bool) or (number := as_non_negative(value, name=name)) == 0:
        raise ValueError(f"{name} = {value!r}: it should be positive")
    return number
