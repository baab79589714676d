"""References for auto-encoders: numpy and scipy on the bare weights, nothing of torch or of the package."""

from itertools import product

import numpy as np
from scipy.special import expit, logsumexp
from scipy.stats import multivariate_normal, norm


def numbers(tensor):
    return tensor.detach().cpu().numpy()


def perceptron(sequential, x, *, activate_last=False):
    """Affine maps with max(0, .) between them, from the weights of an nn.Sequential."""
    weights = [numbers(value) for value in sequential.parameters()]
    layers = list(zip(weights[::2], weights[1::2], strict=True))
    for i, (w, b) in enumerate(layers):
        x = x @ w.T + b
        if activate_last or i < len(layers) - 1:
            x = np.maximum(x, 0)
    return x


def affine(layer, x):
    return x @ numbers(layer.weight).T + numbers(layer.bias)


def gaussian_moments(network, x):
    """Mean (N, Z) and covariance (N, Z, Z) that a GaussianNetwork stands for."""
    h = perceptron(network.trunk, x, activate_last=True)
    mean = affine(network.loc, h)
    n, z = mean.shape
    if network.covariance == "fixed":
        return mean, np.tile(network.scale**2 * np.eye(z), (n, 1, 1))
    if network.covariance == "shared":
        return mean, np.tile(np.exp(2 * numbers(network.log_sigma)) * np.eye(z), (n, 1, 1))
    factors = np.zeros((n, z, z))
    head = affine(network.factor if network.covariance == "full" else network.log_scale, h)
    for row in range(n):
        below = iter(head[row, z:])
        for i in range(z):
            factors[row, i, i] = np.exp(head[row, i])
            for j in range(i if network.covariance == "full" else 0):
                factors[row, i, j] = next(below)
    return mean, factors @ factors.swapaxes(1, 2)


def bernoulli_log_likelihood(network, x, z):
    """sum_d x_d log p_d + (1 - x_d) log(1 - p_d), (S, N)."""
    p = expit(perceptron(network.logits, z))
    return (x * np.log(p) + (1 - x) * np.log1p(-p)).sum(axis=-1)


def gaussian_log_density(z, mean, covariance):
    """log N(z_sn | mean_n, covariance_n), (S, N)."""
    columns = [
        multivariate_normal(m, c).logpdf(z[:, n])
        for n, (m, c) in enumerate(zip(mean, covariance, strict=True))
    ]
    return np.stack([np.atleast_1d(c) for c in columns], axis=1)


def gaussian_entropy(covariance):
    return np.array([multivariate_normal(cov=c).entropy() for c in covariance])


def gaussian_kl_to_standard(mean, covariance):
    """KL(N(m, C) || N(0, I)) by determinant and trace."""
    return np.array(
        [
            0.5 * (np.trace(c) + m @ m - len(m) - np.log(np.linalg.det(c)))
            for m, c in zip(mean, covariance, strict=True)
        ]
    )


def grid(limit=9.0, n=121, n_latent=2):
    """Points (P, Z) of a square mesh and the log of its cell: sums over it are integrals."""
    axis = np.linspace(-limit, limit, n)
    points = np.array(list(product(axis, repeat=n_latent)))
    return points, n_latent * np.log(axis[1] - axis[0])


def log_evidence_by_quadrature(network, x, *, n_latent=2):
    """log of the integral of p(x | z) p(z) over a mesh, (N,)."""
    points, log_cell = grid(n_latent=n_latent)
    log_prior = norm.logpdf(points).sum(axis=-1)
    return np.array(
        [logsumexp(bernoulli_log_likelihood(network, row, points) + log_prior) + log_cell for row in x]
    )
