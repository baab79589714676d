"""From grey levels to bits, and the split that keeps model selection honest."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emvae._validation import as_array, as_count, as_generator

_INK = 255  # the grey level of full ink in a byte
_BLOCK = 2**22  # pixels binarised at a time, which bounds the memory of the draws


def binarise(
    images: ArrayLike,
    *,
    method: Literal["threshold", "stochastic"] = "threshold",
    rng: np.random.Generator | None = None,
) -> NDArray[np.uint8]:
    """Turn grey levels into bits, by a threshold or by one Bernoulli draw a pixel.

    With p = grey / 255 a pixel's bit is ``p > 0.5``, or a draw from Bernoulli(p), whose mean
    is p. The draw is exact: for u uniform on the integers 0 to 254 it is ``u < grey``, so that
    grey 0 never gives a 1 and grey 255 always does.

    Parameters
    ----------
    images : (N, H, W) or (N, D). Integers are grey levels 0 to 255, floats are p itself, in [0, 1].
        Bits stored as integers are the grey levels 0 and 1, nearly paper: do not binarise twice.
    method : "threshold" or "stochastic".
    rng : for "stochastic" only, and required there. The same state and grey levels give the same
        bits.

    Returns
    -------
    bits : uint8 zeros and ones in a new array of the shape of ``images``.

    Raises
    ------
    ValueError : before any work, when images are empty, 1-d, neither integers nor floats, not
        finite or out of range; when the method is unknown, or the ``rng`` is missing, no Generator,
        or not used.

    Notes
    -----
    Train and test are never mixed: a bit depends on its own pixel and its own draw, and nothing is
    learnt from the data. With ``train_rng, test_rng = rng.spawn(2)``, one for each set, the bits of
    the test set do not depend on how many training images were drawn before them either.
    Source: Salakhutdinov and Murray (2008), who draw the bits of MNIST so.
    """
    grey = _as_images(images)
    if method == "threshold":
        if rng is not None:
            raise ValueError("rng is not used by method='threshold': leave it out")
        half = 0.5 if grey.dtype.kind == "f" else _INK // 2
        return (grey > half).view(np.uint8)
    if method != "stochastic":
        raise ValueError(f"method = {method!r}: pass 'threshold' or 'stochastic'")
    rng = as_generator(rng)
    bits = np.empty(grey.shape, np.uint8)
    step = max(1, _BLOCK * len(grey) // grey.size)
    for start in range(0, len(grey), step):
        bits[start : start + step] = _draw(grey[start : start + step], rng)
    return bits


def _draw(grey: NDArray[Any], rng: np.random.Generator) -> NDArray[np.bool_]:
    if grey.dtype.kind == "f":
        return rng.random(grey.shape) < grey
    return rng.integers(0, _INK, grey.shape, np.uint8) < grey


def _as_images(images: ArrayLike) -> NDArray[Any]:
    """Return images as grey levels (integers) or probabilities (floats), without a copy."""
    grey = as_array(images, name="images")
    if grey.dtype.kind == "b":
        raise ValueError("images are bits already: pass integers 0 to 255, or floats in [0, 1]")
    if grey.ndim < 2 or grey.size == 0:
        raise ValueError(f"images have shape {grey.shape}: pass (N, H, W) or (N, D), images[None] for one")
    top = 1 if grey.dtype.kind == "f" else _INK
    if not (grey.min() >= 0 and grey.max() <= top):
        raise ValueError(
            f"images of dtype {grey.dtype} should be finite and in [0, {top}]: "
            "pass grey levels as integers 0 to 255, or divided by 255 as floats"
        )
    return grey


@dataclass(frozen=True, eq=False)
class Split:
    """The row numbers of the two parts of a training set, disjoint and in order.

    Attributes
    ----------
    train : (N - V,) rows to fit on.
    validation : (V,) rows held out, to choose a model by.
    """

    train: NDArray[np.int64]
    validation: NDArray[np.int64]


def train_validation_split(n: int, *, n_validation: int, rng: np.random.Generator) -> Split:
    """Choose at random the rows of a training set to hold out for model selection.

    Every subset of V rows is equally likely. What is chosen by its score on the validation rows (K,
    a floor, a start) was not chosen on the test set, which stays untouched until the end.

    Parameters
    ----------
    n : rows N of the training set; test rows are not to be counted.
    n_validation : rows V to hold out, at least 1 and at most N - 1.
    rng : numpy Generator.

    Returns
    -------
    Split : row numbers, as in ``images[split.train]`` and ``labels[split.train]``.

    Raises
    ------
    ValueError : a count is no integer or out of range, or ``rng`` is no Generator.

    Notes
    -----
    Source: Bishop (2006), section 1.3.
    """
    n = as_count(n, name="n", minimum=2)
    n_validation = as_count(n_validation, name="n_validation", maximum=n - 1)
    order = as_generator(rng).permutation(np.arange(n, dtype=np.int64))
    return Split(np.sort(order[n_validation:]), np.sort(order[:n_validation]))
