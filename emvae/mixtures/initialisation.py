"""Where EM starts: responsibilities that no model has computed yet."""

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emvae._validation import as_count, as_generator, as_matrix, check_finite

Array = NDArray[np.float64]
Method = Literal["k-means++", "random-points", "random-responsibilities"]

MAX_ROWS = 16_384
"""Initialisation looks at no more rows than this, drawn at random: a start needs no more."""


def initial_responsibilities(
    x: ArrayLike, n_components: int, *, rng: np.random.Generator, method: Method = "k-means++"
) -> Array:
    """Assign responsibilities before there is a model.

    "k-means++" draws seeds among the data, each with probability proportional to its squared
    distance from the seeds so far; "random-points" draws them uniformly. Either way every datum
    goes to its nearest seed. "random-responsibilities" draws each row uniformly from the simplex.

    Parameters
    ----------
    x : (N, D) data, scaled so that Euclidean distance makes sense.
    n_components : K, from 1 to N.
    rng : numpy Generator.
    method : as above.

    Returns
    -------
    resp : (N, K), rows that sum to one.

    Raises
    ------
    ValueError : ``x`` is not a finite (N, D) array, ``n_components`` is not in 1..N, ``method`` is
        unknown, or ``rng`` is no Generator.

    Notes
    -----
    With fewer distinct points than components, some components get nothing.
    Source: Arthur and Vassilvitskii (2007).
    """
    data, rng = as_matrix(x), as_generator(rng)
    check_finite(data)
    n_components = as_count(n_components, name="n_components", maximum=len(data))
    if method == "random-responsibilities":
        return rng.dirichlet(np.ones(n_components), size=len(data))
    if method not in get_args(Method):
        raise ValueError(f"method = {method!r}: choose one of {', '.join(get_args(Method))}")
    centred = data - data.mean(axis=0)
    nearest = np.zeros(len(data), dtype=np.intp)
    distance = np.full(len(data), np.inf)
    for k in range(n_components):
        seed = _draw_seed(distance, rng, spread=method == "k-means++" and k > 0)
        to_seed = np.square(centred - centred[seed]).sum(axis=1)
        nearest[to_seed < distance] = k
        distance = np.minimum(distance, to_seed)
    return np.eye(n_components)[nearest]


def _draw_seed(distance: Array, rng: np.random.Generator, *, spread: bool) -> int:
    """Index of the next seed: far from the others if ``spread``, else any that is not one yet."""
    mass = distance if spread else (distance > 0).astype(float)
    total = mass.sum()
    return int(rng.choice(len(mass), p=mass / total if total > 0 else None))


def subsample(x: ArrayLike, *, n_components: int, rng: np.random.Generator) -> NDArray[Any]:
    """Return at most MAX_ROWS rows of data as float64, never fewer than the components need."""
    data, rng = as_matrix(x), as_generator(rng)
    n_components = as_count(n_components, name="n_components", maximum=len(data))
    n = max(MAX_ROWS, n_components)
    if len(data) > n:
        data = data[np.sort(rng.choice(len(data), size=n, replace=False))]
    data = np.asarray(data, dtype=np.float64)
    check_finite(data)
    return data
