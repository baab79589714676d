"""Gradients of expectations, against closed forms, quadrature, enumeration and finite differences.

Means are judged in standard errors: a correct estimator exceeds 4.5 of them with probability 7e-6 an entry,
and there are some 300 entries, so that one seed in 500 fails. The seeds are fixed. Variances are judged by
closed forms within 3 to 6 %, which is about five of their standard errors.
"""

import dataclasses
import itertools
import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy import integrate, special
from torch import Tensor
from torch.distributions import (
    AbsTransform,
    AffineTransform,
    Bernoulli,
    Beta,
    Categorical,
    Exponential,
    Gamma,
    Independent,
    Laplace,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    OneHotCategorical,
    SigmoidTransform,
    TransformedDistribution,
    Uniform,
)

from emvae.checks import central_difference
from emvae.gradients import (
    GradientEstimate,
    gumbel_softmax_gradient,
    pathwise_gradient,
    score_function_gradient,
)

S, MANY = 30_000, 100_000
LIMIT = 4.5


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def tensor(*values):
    return torch.tensor(values, dtype=torch.float64)


SCORE = {
    "plain": score_function_gradient,
    "constant baseline": partial(score_function_gradient, baseline=1.7),
    "leave-one-out": partial(score_function_gradient, baseline="leave-one-out"),
}
EVERY = {"pathwise": pathwise_gradient, **SCORE}
every_estimator = pytest.mark.parametrize("estimator", EVERY.values(), ids=EVERY.keys())
every_score = pytest.mark.parametrize("estimator", SCORE.values(), ids=SCORE.keys())


def distances(gradient, truth):
    """How many standard errors each entry lies from the truth, largest by parameter; 0 where it is exact."""
    result = {}
    assert gradient.estimate.keys() == truth.keys()
    for name, value in truth.items():
        difference = (gradient.estimate[name] - torch.as_tensor(value, dtype=torch.float64)).abs()
        assert difference.shape == gradient.standard_error[name].shape
        exact = difference < 1e-12
        result[name] = torch.where(exact, 0.0, difference / gradient.standard_error[name]).max().item()
    return result


def assert_unbiased(gradient, truth):
    assert max(distances(gradient, truth).values()) < LIMIT


MEAN, FACTOR = (
    tensor(0.7, -0.4, 1.1),
    torch.linalg.cholesky(
        torch.tensor([[1.2, 0.4, -0.3], [0.4, 0.9, 0.2], [-0.3, 0.2, 0.7]], dtype=torch.float64)
    ),
)
SIGMA = FACTOR @ FACTOR.T
A = torch.tensor([[1.0, 0.3, 0.2], [0.3, -0.8, 0.5], [0.2, 0.5, 0.6]], dtype=torch.float64)
B = tensor(0.5, -1.0, 0.25)


def quadratic(z):
    return torch.einsum("si,ij,sj->s", z, A, z) + z @ B


# --- Gaussians: E f = mu' A mu + b' mu + tr(A Sigma) for a quadratic f


@every_estimator
def test_a_full_gaussian_moved_by_its_mean_and_stretched_by_its_factor(estimator):
    parameters = {"loc": MEAN, "scale_tril": FACTOR}
    gradient = estimator(quadratic, MultivariateNormal, parameters, n_samples=S, generator=generator())
    assert_unbiased(gradient, {"loc": 2 * A @ MEAN + B, "scale_tril": (2 * A @ FACTOR).tril()})


@every_estimator
def test_the_gradient_in_sigma_is_the_symmetric_one(estimator):
    parameters = {"loc": MEAN, "covariance_matrix": SIGMA}
    gradient = estimator(quadratic, MultivariateNormal, parameters, n_samples=S, generator=generator(1))
    assert_unbiased(gradient, {"loc": 2 * A @ MEAN + B, "covariance_matrix": A})


@every_estimator
def test_a_diagonal_gaussian(estimator):
    parameters = {"loc": MEAN, "scale": tensor(0.5, 1.5, 0.8)}
    gradient = estimator(quadratic, Normal, parameters, n_samples=S, generator=generator(2))
    truth = {"loc": 2 * A @ MEAN + B, "scale": 2 * A.diagonal() * tensor(0.5, 1.5, 0.8)}
    assert_unbiased(gradient, truth)


@every_estimator
def test_bonnet_and_price_for_a_function_that_is_not_quadratic(estimator):
    """E cos(a'z) = cos(a'mu) exp(-a'Sigma a / 2): gradient of f in mu, half the Hessian in Sigma."""
    a = tensor(0.6, 1.0, -0.5)
    damping = math.exp(-0.5 * float(a @ SIGMA @ a))
    truth = {
        "loc": -a * math.sin(float(a @ MEAN)) * damping,
        "covariance_matrix": -0.5 * torch.outer(a, a) * math.cos(float(a @ MEAN)) * damping,
    }
    parameters = {"loc": MEAN, "covariance_matrix": SIGMA}
    gradient = estimator(
        lambda z: torch.cos(z @ a), MultivariateNormal, parameters, n_samples=S, generator=generator(3)
    )
    assert_unbiased(gradient, truth)


def test_samples_are_those_of_the_formula_draw_by_draw():
    """By numpy, on the very draws: grad f at mu + L eps, and its outer product with eps."""
    parameters = {"loc": MEAN, "scale_tril": FACTOR}
    gradient = pathwise_gradient(
        quadratic, MultivariateNormal, parameters, n_samples=7, generator=generator(4)
    )
    eps = torch.randn(7, 3, generator=generator(4), dtype=torch.float64).numpy()
    z = MEAN.numpy() + eps @ FACTOR.numpy().T
    slope = 2 * z @ A.numpy() + B.numpy()
    np.testing.assert_allclose(gradient.samples["loc"], slope, rtol=1e-12)
    stretched = np.tril(slope[:, :, None] * eps[:, None, :])
    np.testing.assert_allclose(gradient.samples["scale_tril"], stretched, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("baseline", [None, -2.5, 3, "leave-one-out"])
def test_scores_are_weighted_draw_by_draw(baseline):
    """By numpy: (f - b) eps / sigma and (f - b)(eps^2 - 1) / sigma, b over the other samples."""
    mean, scale, n = tensor(0.3, -1.0), tensor(0.5, 2.0), 6
    gradient = score_function_gradient(
        lambda z: z[:, 0] ** 2 * z[:, 1],
        Normal,
        {"loc": mean, "scale": scale},
        n_samples=n,
        generator=generator(5),
        baseline=baseline,
    )
    eps = torch.randn(n, 2, generator=generator(5), dtype=torch.float64).numpy()
    z = mean.numpy() + scale.numpy() * eps
    f = z[:, 0] ** 2 * z[:, 1]
    others = np.array([np.delete(f, s).mean() for s in range(n)])
    b = {None: 0.0, "leave-one-out": others}.get(baseline, baseline)
    weight = (f - b)[:, None]
    np.testing.assert_allclose(gradient.samples["loc"], weight * eps / scale.numpy(), rtol=1e-10)
    np.testing.assert_allclose(
        gradient.samples["scale"], weight * (eps**2 - 1) / scale.numpy(), rtol=1e-10, atol=1e-12
    )


def test_a_linear_f_has_no_variance_in_the_mean():
    gradient = pathwise_gradient(
        lambda z: z @ B,
        MultivariateNormal,
        {"loc": MEAN, "scale_tril": FACTOR},
        n_samples=50,
        generator=generator(),
    )
    assert torch.equal(gradient.samples["loc"], B.expand(50, 3))
    assert torch.equal(gradient.variance["loc"], torch.zeros(3, dtype=torch.float64))
    assert torch.equal(gradient.standard_error["loc"], torch.zeros(3, dtype=torch.float64))
    assert gradient.variance["scale_tril"].diagonal().min() > 0.01


def test_a_constant_f_has_no_gradient_with_leave_one_out():
    gradient = score_function_gradient(
        lambda z: torch.full((len(z),), 8.0, dtype=torch.float64),
        Normal,
        {"loc": tensor(0.0)[0], "scale": tensor(1.0)[0]},
        n_samples=50,
        generator=generator(),
        baseline="leave-one-out",
    )
    assert torch.equal(gradient.samples["loc"], torch.zeros(50, dtype=torch.float64))


# --- variance: f = z'z under a unit Gaussian at mu


@pytest.mark.parametrize("n_dimensions", [1, 4, 20])
def test_variances_of_the_square_in_closed_form(n_dimensions):
    """Var of (f - b) eps_i, with m = mu'mu and f = m + 2 mu'eps + eps'eps, by Isserlis' theorem.

    Pathwise 2 (mu + eps): 4. With f = m + 2 mu'e + e'e - b, c = m - b and Z = D:
    E[f^2 e_1^2] = c^2 + 2c(Z + 2) + (Z + 2)(Z + 4) + 4 (|mu|^2 + 2 mu_1^2), less (2 mu_1)^2.
    """
    mu = torch.linspace(0.2, 1.0, n_dimensions, dtype=torch.float64)
    parameters = {"loc": mu, "scale": torch.ones_like(mu)}
    for baseline in (None, 4.0, n_dimensions + 2 + float(mu @ mu)):
        gradient = score_function_gradient(
            lambda z: (z**2).sum(1),
            Normal,
            parameters,
            n_samples=MANY,
            generator=generator(6),
            baseline=baseline,
        )
        c, d, m = float(mu @ mu) - (baseline or 0.0), n_dimensions, float(mu @ mu)
        square = c**2 + 2 * c * (d + 2) + (d + 2) * (d + 4) + 4 * (m + 2 * mu**2)
        truth = square - (2 * mu) ** 2
        torch.testing.assert_close(gradient.variance["loc"], truth, rtol=0.06, atol=0)
    pathwise = pathwise_gradient(
        lambda z: (z**2).sum(1), Normal, parameters, n_samples=MANY, generator=generator(6)
    )
    torch.testing.assert_close(pathwise.variance["loc"], torch.full_like(mu, 4.0), rtol=0.03, atol=0)


def test_leave_one_out_is_unbiased_at_few_samples_and_its_standard_error_is_right():
    """The mean of 2,000 estimates from 4 samples each."""
    mu, f = tensor(0.5)[0], torch.exp
    estimates, n = [], 4
    g = generator(7)
    for _ in range(2000):
        gradient = score_function_gradient(
            f, lambda loc: Normal(loc, 1.0), {"loc": mu}, n_samples=n, generator=g, baseline="leave-one-out"
        )
        estimates.append(gradient.estimate["loc"])
    estimates = torch.stack(estimates)
    truth = math.exp(0.5 + 0.5)
    assert abs(estimates.mean() - truth) < LIMIT * estimates.std() / math.sqrt(2000)


def test_standard_error_is_the_spread_of_independent_estimates():
    g, runs = generator(8), []
    for _ in range(1500):
        runs.append(
            score_function_gradient(
                lambda z: z**2,
                lambda loc: Normal(loc, 1.0),
                {"loc": tensor(1.0)[0]},
                n_samples=100,
                generator=g,
                baseline="leave-one-out",
            )
        )
    spread = torch.stack([run.estimate["loc"] for run in runs]).std()
    told = torch.stack([run.standard_error["loc"] ** 2 for run in runs]).mean().sqrt()
    assert spread == pytest.approx(told.item(), rel=0.1)  # 5 standard errors of a standard deviation


# --- other families, truth by quadrature or finite differences of quadratures


def expectation(f, density, low, high):
    return integrate.quad(lambda z: f(z) * density(z), low, high, epsabs=1e-13, epsrel=1e-12, limit=300)[0]


def gamma_density(z, alpha, beta):
    return math.exp(alpha * math.log(beta) + (alpha - 1) * math.log(z) - beta * z - math.lgamma(alpha))


def laplace_density(z, loc, scale):
    return math.exp(-abs(z - loc) / scale) / (2 * scale)


def beta_density(z, a, b):
    return z ** (a - 1) * (1 - z) ** (b - 1) / special.beta(a, b)


def logistic(loc, scale):
    base = TransformedDistribution(
        Uniform(torch.zeros_like(loc), torch.ones_like(loc)), SigmoidTransform().inv
    )
    return TransformedDistribution(base, AffineTransform(loc, scale))


def logistic_density(z, loc, scale):
    t = abs(z - loc) / scale
    return math.exp(-t) / (scale * (1 + math.exp(-t)) ** 2)


FAMILIES = {
    "gamma, implicit": (Gamma, {"concentration": 2.3, "rate": 1.4}, gamma_density, 1e-12, 60.0),
    "laplace, location-scale": (Laplace, {"loc": 0.4, "scale": 0.7}, laplace_density, -30.0, 30.0),
    "beta, implicit": (Beta, {"concentration1": 2.0, "concentration0": 3.5}, beta_density, 0.0, 1.0),
    "logistic, inverse cdf": (logistic, {"loc": 0.3, "scale": 0.6}, logistic_density, -30.0, 30.0),
    "exponential, inverse cdf": (Exponential, {"rate": 1.3}, lambda z, r: r * math.exp(-r * z), 0.0, 40.0),
}


@pytest.mark.parametrize("name", FAMILIES)
@every_estimator
def test_families_against_the_differentiated_quadrature(estimator, name):
    family, values, density, low, high = FAMILIES[name]

    def mean_of_f(phi):
        return expectation(lambda z: math.sin(1.5 * z) + z, lambda z: density(z, *phi), low, high)

    truth = central_difference(mean_of_f, np.array(list(values.values())))
    parameters = {key: tensor(value)[0] for key, value in values.items()}
    gradient = estimator(
        lambda z: torch.sin(1.5 * z) + z, family, parameters, n_samples=S, generator=generator(9)
    )
    assert_unbiased(gradient, dict(zip(values, truth, strict=True)))


# --- discrete z, by enumeration


def enumerated(f, logits):
    """Gradient of sum_z p(z) f(z) over all one-hot codes of independent variables, by finite differences."""
    shape = logits.shape
    k = shape[-1]

    def mean_of_f(values):
        probs = special.softmax(values, axis=-1).reshape(-1, k)
        total = 0.0
        for picks in itertools.product(range(k), repeat=len(probs)):
            z = np.eye(k)[list(picks)].reshape(shape)
            total += np.prod([row[pick] for row, pick in zip(probs, picks, strict=True)]) * float(
                f(torch.from_numpy(z)[None])[0]
            )
        return total

    return central_difference(mean_of_f, logits.numpy())


LOGITS = torch.tensor([[0.0, 0.7, -0.5], [0.3, -0.2, 0.1]], dtype=torch.float64)
COSTS = tensor(1.0, 2.0, 4.0)


def product_of_costs(z):
    return (z[:, 0] @ COSTS) * (z[:, 1] @ COSTS + 1.0)


@every_score
def test_the_score_function_is_unbiased_for_discrete_z(estimator):
    """Two one-hot variables at once: the log probabilities of a batch add up."""
    family = lambda logits: OneHotCategorical(logits=logits)  # noqa: E731  # as a user would write it
    gradient = estimator(product_of_costs, family, {"logits": LOGITS}, n_samples=S, generator=generator(10))
    assert_unbiased(gradient, {"logits": enumerated(product_of_costs, LOGITS)})


@every_score
@pytest.mark.parametrize("dtype", [torch.int64, torch.float64, torch.bool])
def test_integers_and_truth_values_of_f_count_as_numbers(estimator, dtype):
    f = lambda z: (z > 0.2).to(dtype)  # noqa: E731  # short
    gradient = estimator(
        f, lambda loc: Normal(loc, 1.0), {"loc": tensor(0.5)[0]}, n_samples=S, generator=generator(11)
    )
    assert gradient.estimate["loc"].dtype == torch.float64
    assert_unbiased(gradient, {"loc": math.exp(-0.5 * 0.3**2) / math.sqrt(2 * math.pi)})


def test_categorical_numbers_may_be_indices():
    family = lambda logits: Categorical(logits=logits)  # noqa: E731  # as a user would write it
    gradient = score_function_gradient(
        lambda z: COSTS[z], family, {"logits": LOGITS[0]}, n_samples=S, generator=generator(12)
    )
    assert_unbiased(gradient, {"logits": enumerated(lambda z: z @ COSTS, LOGITS[0])})


def relaxed_mean(temperature, logit):
    """E sigmoid((logit + logistic noise) / temperature)^2: K = 2 relaxed, as an integral over [0, 1]."""

    def integrand(u):
        return special.expit((logit + special.logit(u)) / temperature) ** 2

    return integrate.quad(integrand, 0, 1, epsabs=1e-12, limit=400)[0]


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2])
def test_the_relaxation_estimates_the_gradient_of_the_relaxed_problem(temperature):
    """With two categories the relaxed draw is sigmoid((l_0 - l_1 + logistic) / temperature)."""
    logits = tensor(0.8, 0.0)
    truth = central_difference(lambda d: relaxed_mean(temperature, float(d)), np.array(0.8), step=1e-3).item()
    gradient = gumbel_softmax_gradient(
        lambda z: z[:, 0] ** 2, logits, temperature=temperature, n_samples=S, generator=generator(13)
    )
    assert max(distances(gradient, {"logits": [truth, -truth]}).values()) < LIMIT


def test_the_relaxation_is_biased_and_less_so_when_it_is_cold():
    p = special.expit(0.8)
    exact = p * (1 - p)  # z^2 = z for a bit
    biases = [
        gumbel_softmax_gradient(
            lambda z: z[:, 0] ** 2, tensor(0.8, 0.0), temperature=t, n_samples=S, generator=generator(14)
        )
        for t in (2.0, 0.1)
    ]
    off = [(g.estimate["logits"][0] - exact) / g.standard_error["logits"][0] for g in biases]
    assert abs(off[0]) > 50
    assert abs(off[1]) < 6
    assert biases[1].variance["logits"][0] > 10 * biases[0].variance["logits"][0]


# --- what is returned, and what is left alone


def test_mean_variance_and_standard_error_of_given_samples():
    samples = {"a": tensor(1.0, 2.0, 6.0), "b": tensor(1.0, 1.0, 4.0)[:, None] * tensor(1.0, 2.0)}
    gradient = GradientEstimate(samples)
    assert gradient.n_samples == 3
    assert gradient.estimate["a"].item() == 3.0
    assert gradient.variance["a"].item() == 7.0
    assert gradient.standard_error["a"].item() == pytest.approx(math.sqrt(7 / 3), rel=1e-15)
    assert gradient.estimate["b"].tolist() == [2.0, 4.0]
    assert gradient.variance["b"].tolist() == pytest.approx([3.0, 12.0])
    assert gradient.standard_error["b"].tolist() == pytest.approx([1.0, 2.0])
    with pytest.raises(dataclasses.FrozenInstanceError):
        gradient.samples = {}
    assert len({gradient, GradientEstimate(samples)}) == 2  # told apart as objects: tensors are not compared


@every_estimator
def test_shapes_types_and_reproducibility(estimator):
    loc = torch.zeros(2, 3, dtype=torch.float32, requires_grad=True)
    f = lambda z: (z**2).sum((1, 2))  # noqa: E731  # short
    with torch.no_grad():
        first = estimator(f, lambda loc: Normal(loc, 1.0), {"loc": loc}, n_samples=5, generator=generator(15))
    again = estimator(f, lambda loc: Normal(loc, 1.0), {"loc": loc}, n_samples=5, generator=generator(15))
    other = estimator(f, lambda loc: Normal(loc, 1.0), {"loc": loc}, n_samples=5, generator=generator(16))
    assert first.samples["loc"].shape == (5, 2, 3)
    assert first.samples["loc"].dtype == torch.float32
    assert not first.samples["loc"].requires_grad
    assert first.n_samples == 5
    assert torch.equal(first.samples["loc"], again.samples["loc"])
    assert not torch.equal(first.samples["loc"], other.samples["loc"])
    assert loc.grad is None


@every_estimator
def test_weights_inside_f_get_no_gradient_and_the_global_stream_stays(estimator):
    weight = tensor(2.0).requires_grad_()
    before = torch.random.get_rng_state()
    estimator(
        lambda z: z * weight,
        lambda loc: Normal(loc, 1.0),
        {"loc": tensor(0.0)[0]},
        n_samples=9,
        generator=generator(),
    )
    assert weight.grad is None
    assert torch.equal(before, torch.random.get_rng_state())


def test_f_may_draw_numbers_of_its_own_from_the_global_stream():
    """What f draws comes from where it always comes from, not from the generator."""
    outside = torch.random.get_rng_state()
    drawn = []

    def f(z):
        drawn.append(torch.rand(1))
        return z**2

    for _ in range(2):
        torch.random.set_rng_state(outside)
        pathwise_gradient(
            f, lambda loc: Normal(loc, 1.0), {"loc": tensor(0.0)[0]}, n_samples=2, generator=generator(17)
        )
    torch.random.set_rng_state(outside)
    expected = torch.rand(1)
    torch.random.set_rng_state(outside)
    assert drawn == [expected, expected]


@every_estimator
def test_two_samples_are_enough(estimator):
    gradient = estimator(
        lambda z: z**2,
        lambda loc: Normal(loc, 1.0),
        {"loc": tensor(0.0)[0]},
        n_samples=2,
        generator=generator(),
    )
    assert gradient.n_samples == 2
    assert gradient.standard_error["loc"].isfinite()


# --- bad input

UNIT = {"loc": tensor(0.0, 0.0), "scale": tensor(1.0, 1.0)}
SUM = lambda z: z.sum(1)  # noqa: E731  # short


def right_but_for(**changes):
    """Arguments that are right, but for the changes."""
    return {
        "f": SUM,
        "family": Normal,
        "parameters": UNIT,
        "n_samples": 4,
        "generator": generator(),
        **changes,
    }


LOWER = {"loc": MEAN, "scale_tril": FACTOR}
BAD = {
    "full L": (
        right_but_for(family=MultivariateNormal, parameters={**LOWER, "scale_tril": SIGMA}),
        r"scale_tril is not lower.*cholesky",
    ),
    "singular L": (
        right_but_for(family=MultivariateNormal, parameters={**LOWER, "scale_tril": torch.zeros(3, 3)}),
        r"scale_tril is not lower triangular with positive diagonal",
    ),
    "indefinite Sigma": (
        right_but_for(family=MultivariateNormal, parameters={"loc": MEAN, "covariance_matrix": A}),
        r"covariance_matrix is not symmetric and positive definite.*L @ L\.T",
    ),
    "asymmetric Sigma": (
        right_but_for(family=MultivariateNormal, parameters={"loc": MEAN, "covariance_matrix": SIGMA.tril()}),
        r"covariance_matrix is not symmetric",
    ),
    "negative scale": (
        right_but_for(parameters={**UNIT, "scale": tensor(1.0, -1.0)}),
        r"scale is not positive.*exp",
    ),
    "probabilities": (
        right_but_for(family=Categorical, parameters={"probs": tensor(0.5, 0.6)}),
        r"probs is not a distribution.*softmax",
    ),
    "refused inside a function": (
        right_but_for(family=lambda loc, scale: Normal(loc, -scale)),
        r"family does not take these parameters.*scale",
    ),
    "unknown name": (
        right_but_for(parameters={**UNIT, "shape": tensor(1.0)}),
        r"family does not take.*'shape'",
    ),
    "shapes at odds": (
        right_but_for(parameters={"loc": tensor(0.0, 0.0), "scale": tensor(1.0)[0]}),
        r"shapes \{'loc': \(2,\), 'scale': \(\)\}.*equally many dimensions",
    ),
    "shapes that S makes fit": (
        right_but_for(parameters={"loc": tensor(0.0, 0.0), "scale": tensor(1.0)[0]}, n_samples=2),
        r"cannot be stacked",
    ),
    "shapes that one dimension makes fit": (
        right_but_for(parameters={"loc": tensor(0.0), "scale": tensor(1.0)[0]}),
        r"cannot be stacked",
    ),
    "no distribution": (right_but_for(family=lambda loc, scale: loc), r"family returns a Tensor"),
    "no dictionary": (right_but_for(parameters=[tensor(0.0)]), r"parameters should be a dictionary"),
    "no parameter": (right_but_for(parameters={}), r"parameters should be a dictionary"),
    "unused parameter": (
        right_but_for(family=lambda loc, scale: Normal(loc, torch.ones(2))),
        r"no use of the parameter scale",
    ),
    "integer parameter": (
        right_but_for(parameters={**UNIT, "loc": torch.tensor([0, 0])}),
        r"parameter loc is torch.int64",
    ),
    "number as parameter": (
        right_but_for(parameters={**UNIT, "loc": 0.0}),
        r"parameter loc is float: pass a torch.Tensor",
    ),
    "NaN parameter": (
        right_but_for(parameters={**UNIT, "loc": tensor(0.0, math.nan)}),
        r"parameter loc holds NaN",
    ),
    "infinite parameter": (
        right_but_for(parameters={**UNIT, "scale": tensor(1.0, math.inf)}),
        r"parameter scale holds NaN or inf",
    ),
    "no samples": (right_but_for(n_samples=0), r"n_samples = 0: it should be at least 2"),
    "one sample": (right_but_for(n_samples=1), r"n_samples = 1: it should be at least 2"),
    "half a sample": (right_but_for(n_samples=2.5), r"n_samples = 2.5 is not an integer"),
    "seed": (right_but_for(generator=0), r"generator is a int: pass a torch.Generator"),
    "numpy generator": (right_but_for(generator=np.random.default_rng(0)), r"pass a torch.Generator"),
    "f of the shape of z": (
        right_but_for(f=lambda z: z),
        r"f returns \(4, 2\) for z of shape \(4, 2\).*\(4,\)",
    ),
    "f that sums over all": (right_but_for(f=lambda z: z.sum()), r"f returns \(\)"),
    "f with a spare dimension": (right_but_for(f=lambda z: z[:, :1]), r"f returns \(4, 1\)"),
    "f that returns a number": (right_but_for(f=lambda z: 1.0), r"f returns float"),
    "f that is NaN": (right_but_for(f=lambda z: z.sum(1) / 0 * 0), r"f returns nan for sample 0"),
    "f that is infinite later": (
        right_but_for(f=lambda z: z.sum(1) + tensor(0.0, 0.0, math.inf, math.nan)),
        r"f returns inf for sample 2",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD.keys())
@every_estimator
def test_bad_input_is_refused(estimator, arguments, message):
    with pytest.raises(ValueError, match=message):
        estimator(**arguments)


PATHWISE_ONLY = {
    "discrete": (
        right_but_for(family=Bernoulli, parameters={"probs": tensor(0.5, 0.5)}),
        r"Bernoulli.*score_function_gradient.*gumbel",
    ),
    "no rsample": (
        right_but_for(
            family=lambda loc, scale: Independent(
                MixtureSameFamily(
                    Categorical(logits=torch.zeros_like(loc)[..., None]),
                    Normal(loc[..., None], scale[..., None]),
                ),
                1,
            )
        ),
        r"no rsample.*score_function_gradient",
    ),
    "integer f": (
        right_but_for(f=lambda z: z.sum(1).long()),
        r"f returns torch.int64.*score_function_gradient",
    ),
    "step f": (
        right_but_for(f=lambda z: (z.sum(1) > 0).double()),
        r"without gradient.*score_function_gradient",
    ),
    "f with an infinite slope for one sample": (
        right_but_for(f=lambda z: (tensor(1.0, 1.0, 0.0, 1.0) * z.sum(1) ** 2).sqrt()),
        r"gradient with respect to loc is NaN or infinite",
    ),
    "f with an infinite slope": (
        right_but_for(f=lambda z: (0 * z.sum(1)).sqrt()),
        r"gradient with respect to loc is NaN or infinite",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), PATHWISE_ONLY.values(), ids=PATHWISE_ONLY.keys())
def test_what_has_no_pathwise_gradient_is_told_the_other(arguments, message):
    with pytest.raises(ValueError, match=message):
        pathwise_gradient(**arguments)


@every_score
def test_what_has_no_density_is_told_the_other(estimator):
    """The absolute value cannot be inverted: torch knows no density for it."""
    family = lambda loc, scale: TransformedDistribution(Normal(loc, scale), AbsTransform())  # noqa: E731  # short
    with pytest.raises(ValueError, match=r"TransformedDistribution, whose log_prob is.*pathwise_gradient"):
        estimator(**right_but_for(family=family))
    assert pathwise_gradient(**right_but_for(family=family)).n_samples == 4


def test_the_trial_copies_are_few():
    """A family of large matrices is tried on three copies at most, not on as many as a matrix has rows."""
    seen = []

    def family(loc, scale):
        seen.append(len(loc))
        return Normal(loc, scale)

    sizes = torch.ones(50, 2, 40, dtype=torch.float64)
    f = lambda z: z.sum((1, 2, 3))  # noqa: E731  # short
    pathwise_gradient(f, family, {"loc": sizes, "scale": sizes}, n_samples=7, generator=generator())
    assert seen == [50, 3, 7]


@pytest.mark.parametrize("baseline", ["loo", math.nan, math.inf, -math.inf, True, [1.0], tensor(1.0, 2.0)])
def test_bad_baselines(baseline):
    with pytest.raises(ValueError, match="pass None, a finite number or"):
        score_function_gradient(**right_but_for(baseline=baseline))


@pytest.mark.parametrize("temperature", [0, 0.0, -1.0, math.inf, math.nan, "cold", True, None])
def test_bad_temperatures(temperature):
    remedy = r"^temperature = .*: (it should be (positive|finite)|pass a finite number)"
    with pytest.raises(ValueError, match=remedy):
        gumbel_softmax_gradient(SUM, LOGITS[0], temperature=temperature, n_samples=3, generator=generator())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_generator_elsewhere_is_refused():
    with pytest.raises(ValueError, match="generator is on cpu, parameter loc on cuda"):
        pathwise_gradient(**right_but_for(parameters={k: v.cuda() for k, v in UNIT.items()}))


def test_a_generator_of_another_device_is_refused():
    """A tensor without data stands in for one on a GPU."""

    class Elsewhere(Tensor):
        @property
        def device(self):
            return torch.device("cuda")

    loc = UNIT["loc"].as_subclass(Elsewhere)
    with pytest.raises(ValueError, match="generator is on cpu, parameter loc on cuda"):
        pathwise_gradient(**right_but_for(parameters={**UNIT, "loc": loc}))
