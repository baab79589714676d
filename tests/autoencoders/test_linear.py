"""The linear-Gaussian VAE against dense covariances, Bayes on a mesh, and every other model of its kind."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch.distributions import kl_divergence

from emvae.autoencoders import LinearGaussianVAE
from tests.autoencoders.oracles import gaussian_kl_to_standard, grid, numbers


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def random_model(n_features=5, n_latent=2, seed=0):
    """All parameters at random, none at its start."""
    g = generator(seed)
    model = LinearGaussianVAE(n_features, n_latent, generator=g)
    with torch.no_grad():
        for value in model.parameters():
            value.normal_(std=0.6, generator=g)
    return model


def parameters(model):
    """W, b, sigma, V, c and L of the formulas."""
    lower = numbers(model.encoder.below_diagonal)
    factor = np.tril(lower, -1) + np.diag(np.exp(numbers(model.encoder.log_diagonal)))
    return (
        numbers(model.decoder.loc.weight),
        numbers(model.decoder.loc.bias),
        float(numbers(model.decoder.log_sigma.exp())),
        numbers(model.encoder.loc.weight),
        numbers(model.encoder.loc.bias),
        factor,
    )


X = np.random.default_rng(0).normal(size=(40, 5)) @ np.random.default_rng(1).normal(size=(5, 5)) + 3


@pytest.mark.parametrize("n_latent", [1, 2, 4])
def test_the_evidence_is_the_density_of_the_dense_gaussian(n_latent):
    model = random_model(n_latent=n_latent)
    w, b, sigma, *_ = parameters(model)
    expected = multivariate_normal(b, w @ w.T + sigma**2 * np.eye(5)).logpdf(X)
    np.testing.assert_allclose(numbers(model.log_evidence(torch.from_numpy(X))), expected, rtol=1e-12)


def test_the_posterior_is_bayes_on_a_mesh():
    model = random_model(seed=1)
    w, b, sigma, *_ = parameters(model)
    z, log_cell = grid(n=361)
    joint = -0.5 * (z**2).sum(axis=1) - 0.5 * ((X[0] - b - z @ w.T) ** 2).sum(axis=1) / sigma**2
    weights = np.exp(joint - np.logaddexp.reduce(joint))
    q = model.exact_posterior(torch.from_numpy(X[:1]))
    density = np.exp(numbers(q.log_prob(torch.from_numpy(z))) + log_cell)
    np.testing.assert_allclose(density, weights, atol=1e-12)


def test_q_is_the_gaussian_of_its_parameters():
    model = random_model()
    *_, v, c, factor = parameters(model)
    q = model.encoder(torch.from_numpy(X))
    np.testing.assert_allclose(numbers(q.mean), X @ v.T + c, rtol=1e-12)
    np.testing.assert_allclose(numbers(q.covariance_matrix[7]), factor @ factor.T, rtol=1e-12)


def test_the_exact_bound_is_three_gaussian_integrals():
    """Each atom from moments: E|x - b - Wz|^2 = |x - b - Wm|^2 + tr(W C W^T)."""
    model = random_model()
    w, b, sigma, v, c, factor = parameters(model)
    cov, mean = factor @ factor.T, X @ v.T + c
    squares = ((X - b - mean @ w.T) ** 2).sum(axis=1) + np.trace(w @ cov @ w.T)
    likelihood = -0.5 * squares / sigma**2 - 2.5 * np.log(2 * np.pi * sigma**2)
    prior = -0.5 * ((mean**2).sum(axis=1) + np.trace(cov)) - np.log(2 * np.pi)
    entropy = 0.5 * np.linalg.slogdet(2 * np.pi * np.e * cov)[1]
    bound = model.exact_elbo(torch.from_numpy(X))
    np.testing.assert_allclose(numbers(bound.expected_log_likelihood), likelihood, rtol=1e-12)
    np.testing.assert_allclose(numbers(bound.expected_log_prior), prior, rtol=1e-12)
    np.testing.assert_allclose(numbers(bound.entropy), np.full(40, entropy), rtol=1e-12)
    kl = gaussian_kl_to_standard(mean, np.tile(cov, (40, 1, 1)))
    np.testing.assert_allclose(numbers(bound.kl_to_prior), kl, rtol=1e-12)


def test_the_gap_is_the_divergence_from_the_posterior_and_closes():
    model, x = random_model(), torch.from_numpy(X)
    divergence = kl_divergence(model.encoder(x), model.exact_posterior(x))
    gap = model.exact_elbo(x).gap(model.log_evidence(x))
    torch.testing.assert_close(gap, divergence, rtol=1e-10, atol=1e-10)
    assert gap.min() > 1e-3
    before = model.log_evidence(x)
    model.close_gap()
    torch.testing.assert_close(model.log_evidence(x), before, rtol=0, atol=0)
    torch.testing.assert_close(model.exact_elbo(x).value, before, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n_latent", [1, 2, 4])
def test_ppca_is_the_maximum(n_latent):
    """Its likelihood is that of the constrained eigenvalues, its gradient zero, and steps away lose."""
    x = torch.from_numpy(X)
    model = LinearGaussianVAE.from_ppca(x, n_latent)
    eigenvalues = np.linalg.eigvalsh(np.cov(X.T, bias=True))[::-1]
    noise = eigenvalues[n_latent:].mean()
    kept = np.concatenate([eigenvalues[:n_latent], np.full(5 - n_latent, noise)])
    expected = -0.5 * (np.log(2 * np.pi * kept).sum() + 5)
    total = model.exact_elbo(x).value.mean()
    assert total.item() == pytest.approx(expected, rel=1e-12)
    total.backward()
    assert max(value.grad.abs().max().item() for value in model.parameters()) < 1e-10
    g = generator()
    for _ in range(20):
        moved = LinearGaussianVAE.from_ppca(x, n_latent)
        with torch.no_grad():
            for value in moved.parameters():
                value += 0.1 * torch.randn(value.shape, generator=g, dtype=torch.float64)
        assert moved.exact_elbo(x).value.mean() < total


def test_ppca_takes_single_precision_and_works_in_double():
    model = LinearGaussianVAE.from_ppca(torch.from_numpy(X).float(), 2)
    assert {value.dtype for value in model.state_dict().values()} == {torch.float64}


@pytest.mark.parametrize("unit", [1e-5, 1e5])
def test_ppca_does_not_depend_on_the_unit_of_the_data(unit):
    """Whether noise is left over is a question of proportions."""
    near, far = (LinearGaussianVAE.from_ppca(torch.from_numpy(scale * X), 2) for scale in (1.0, unit))
    np.testing.assert_allclose(
        numbers(far.decoder.log_sigma), numbers(near.decoder.log_sigma) + np.log(unit), rtol=1e-9
    )


def test_a_new_model_starts_with_unit_covariances():
    x = torch.from_numpy(X)
    model = LinearGaussianVAE(5, 3, generator=generator())
    np.testing.assert_array_equal(numbers(model.encoder(x[0]).covariance_matrix), np.eye(3))
    np.testing.assert_array_equal(numbers(model.decoder(torch.zeros(3).double()).stddev), np.ones(5))


def test_new_models_differ_by_their_generator_alone():
    state = torch.get_rng_state()
    one, same, other = (LinearGaussianVAE(5, 2, generator=generator(seed)) for seed in (0, 0, 1))
    LinearGaussianVAE.from_ppca(torch.from_numpy(X), 2)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one.decoder.loc.weight, same.decoder.loc.weight)
    assert not torch.equal(one.decoder.loc.weight, other.decoder.loc.weight)


MODEL = random_model()
FLAT = np.outer(np.arange(9.0), np.ones(5))
BAD = {
    "no features": (lambda: LinearGaussianVAE(0, 1, generator=generator()), r"n_features = 0: it should be"),
    "no latent": (lambda: LinearGaussianVAE(5, 0, generator=generator()), r"n_latent = 0: it should be"),
    "a seed": (lambda: LinearGaussianVAE(5, 2, generator=0), r"generator is a int: pass a torch"),
    "as many latents": (
        lambda: LinearGaussianVAE.from_ppca(torch.from_numpy(X), 5),
        r"n_latent = 5: it should be at least 1 and at most 4",
    ),
    "data on a line": (
        lambda: LinearGaussianVAE.from_ppca(torch.from_numpy(FLAT), 1),
        r"x lies in 1 dimensions, no noise is left over: lower n_latent",
    ),
    "NaN in ppca": (
        lambda: LinearGaussianVAE.from_ppca(torch.full((9, 5), torch.nan), 1),
        r"x holds nan in row 0, column 0: drop or impute",
    ),
    "another D": (
        lambda: MODEL.log_evidence(torch.zeros(3, 4).double()),
        r"x has 4 features, the model has 5",
    ),
    "another D, posterior": (lambda: MODEL.exact_posterior(torch.zeros(3, 4).double()), r"x has 4 features"),
    "another D, bound": (lambda: MODEL.exact_elbo(torch.zeros(3, 4).double()), r"x has 4 features"),
    "an array": (lambda: MODEL.log_evidence(X), r"x is a ndarray: pass a torch\.Tensor"),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD.keys())
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
