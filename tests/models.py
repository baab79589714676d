"""One table of models: what a law says of every model is tested on every row of it.

A row draws a random start and random data from a Generator. About half of the starts carry a floor
that is high enough to matter, and about half come from ``initialise``.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from emvae.em import LatentClassModel
from emvae.mixtures import BernoulliMixture, GaussianMixture
from tests import oracles

COVARIANCE_TYPES = ("full", "tied", "diagonal", "spherical")
METHODS = ("k-means++", "random-points", "random-responsibilities")


@dataclass(frozen=True)
class PoissonMixture(LatentClassModel):
    """A student's own family: four methods and nothing else."""

    weights: np.ndarray
    rates: np.ndarray
    learn_weights: bool = True

    def log_prior(self):
        return np.log(self.weights)

    def log_likelihood(self, x):
        log_factorial = np.vectorize(lambda n: float(np.log(np.arange(1, n + 1)).sum()))(x)
        per_feature = x[:, None, :] * np.log(self.rates) - self.rates - log_factorial[:, None, :]
        return per_feature.sum(axis=2)

    def statistics(self, x, resp):
        return np.column_stack([resp.sum(axis=0), resp.T @ x])

    def maximise(self, statistics):
        counts, sums = statistics[:, 0], statistics[:, 1:]
        weights = counts / counts.sum() if self.learn_weights else self.weights
        return replace(self, weights=weights, rates=sums / counts[:, None])


@dataclass(frozen=True)
class Row:
    """A family with its constraints; ``draw(rng)`` returns a start and data."""

    name: str
    draw: Callable[[np.random.Generator], tuple[Any, np.ndarray]]

    @property
    def has_floor(self) -> bool:
        return "poisson" not in self.name


def random_covariances(rng, n_components, n_features, covariance_type):
    """Positive definite covariances of one type, with eigenvalues near 1."""
    k, d = n_components, n_features
    if covariance_type == "diagonal":
        return rng.uniform(0.3, 2, size=(k, d))
    if covariance_type == "spherical":
        return rng.uniform(0.3, 2, size=(k, 1))
    factors = rng.normal(size=(k if covariance_type == "full" else 1, d, d)) / np.sqrt(d)
    return factors @ factors.swapaxes(1, 2) + 0.3 * np.eye(d)


def random_gaussian_mixture(rng, n_components, n_features, covariance_type, **options):
    """Parameters drawn at random, of order one."""
    return GaussianMixture(
        rng.dirichlet(np.full(n_components, 5.0)),
        2 * rng.normal(size=(n_components, n_features)),
        random_covariances(rng, n_components, n_features, covariance_type),
        **options,
    )


def random_bernoulli_mixture(rng, n_components, n_features, **options):
    """Parameters drawn at random, none near 0 or 1."""
    weights = rng.dirichlet(np.full(n_components, 5.0))
    return BernoulliMixture(weights, rng.uniform(0.25, 0.75, (n_components, n_features)), **options)


def _draw_gaussian(rng, covariance_type, learn_weights):
    k, d = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    x = random_gaussian_mixture(rng, k, d, covariance_type).sample(int(rng.integers(40, 90)), rng=rng).x
    # With many components and no floor at all one may die on a single point, which is an error.
    level = rng.choice([0.0 if k <= 2 else 1e-6, 0.5])
    floor = level * x.var(axis=0) * rng.uniform(0.5, 1.5, size=d)
    options = {"min_variance": floor, "learn_weights": learn_weights}
    if rng.random() < 0.5:
        start = GaussianMixture.initialise(
            x, k, rng=rng, method=rng.choice(METHODS), covariance_type=covariance_type, **options
        )
    else:
        above = np.maximum(floor, x.var(axis=0))
        if covariance_type == "spherical":
            above = above.max()
        elif covariance_type in ("full", "tied"):
            above = np.diag(above)
        start = random_gaussian_mixture(rng, k, d, covariance_type, learn_weights=learn_weights)
        start = replace(start, covariances=start.covariances + above, min_variance=floor)
    # Everything in other units and far from the origin.
    scale, offset = 10 ** rng.uniform(-3, 3), 10 * rng.normal(size=d)
    moved = replace(
        start,
        means=scale * (start.means + offset),
        covariances=scale**2 * start.covariances,
        min_variance=scale**2 * start.min_variance,
    )
    return moved, scale * (x + offset)


def _draw_bernoulli(rng, learn_weights):
    k, d = int(rng.integers(1, 5)), int(rng.integers(1, 7))
    x = random_bernoulli_mixture(rng, k, d).sample(int(rng.integers(10, 60)), rng=rng).x
    min_prob = float(rng.choice([0.0, 0.2]))
    options = {"min_prob": min_prob, "learn_weights": learn_weights}
    if rng.random() < 0.5:
        return BernoulliMixture.initialise(x, k, rng=rng, method=rng.choice(METHODS), **options), x
    return random_bernoulli_mixture(rng, k, d, **options), x


def _draw_poisson(rng, learn_weights):
    k, d = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    x = rng.poisson(rng.uniform(1, 9, size=(int(rng.integers(10, 40)), d))) + 1
    return PoissonMixture(rng.dirichlet(np.full(k, 5.0)), rng.uniform(1, 9, (k, d)), learn_weights), x


def _rows():
    for learn_weights in (True, False):
        suffix = "learned" if learn_weights else "fixed"
        for kind in COVARIANCE_TYPES:
            yield Row(
                f"gaussian-{kind}-{suffix}",
                lambda rng, kind=kind, learn=learn_weights: _draw_gaussian(rng, kind, learn),
            )
        yield Row(f"bernoulli-{suffix}", lambda rng, learn=learn_weights: _draw_bernoulli(rng, learn))
        yield Row(f"poisson-{suffix}", lambda rng, learn=learn_weights: _draw_poisson(rng, learn))


ROWS = tuple(_rows())


def touches_floor(model) -> bool:
    """Whether a parameter of the model lies on the boundary of its constraint."""
    if isinstance(model, BernoulliMixture):
        on_edge = (model.probs == model.min_prob) | (model.probs == 1 - model.min_prob)
        return model.min_prob > 0 and bool(on_edge.any())
    if not np.any(model.min_variance):
        return False
    floor = np.broadcast_to(model.min_variance, model.n_features)
    for matrix in oracles.full_matrices(model.covariances, model.n_components, model.n_features):
        room = np.linalg.eigvalsh(matrix / np.sqrt(np.outer(floor, floor))).min() - 1
        if abs(room) < 1e-9:
            return True
    return False
