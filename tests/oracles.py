"""Slow, obvious references: loops over scalars that share nothing with the code they judge.

Numbers are mpmath's with 60 digits, from the exact binary values of the floats that they are given, so
a difference from these references is an error of the package alone. `fractions` where sums are exact.
"""

from fractions import Fraction
from itertools import product

import mpmath as mp
import numpy as np

mp.mp.dps = 60


def exact(array):
    """Nested lists of mpmath numbers, exactly the floats of an array."""
    array = np.asarray(array)
    if array.ndim == 0:
        return mp.mpf(float(array))
    return [exact(entry) for entry in array]


# --- discrete latent: p(z | x) and p(x) of a table of log p(x, z)


def posterior_and_log_evidence(log_joint):
    """Rows of p(z | x) and a list of log p(x), from nested lists of mpmath log p(x, z)."""
    posterior, log_evidence = [], []
    for row in log_joint:
        joint = [mp.exp(entry) for entry in row]
        evidence = mp.fsum(joint)
        posterior.append([entry / evidence for entry in joint])
        log_evidence.append(mp.log(evidence))
    return posterior, log_evidence


def posterior_of_fractions(likelihood, prior):
    """p(z | x) by Bayes' theorem in exact arithmetic, rows of Fractions."""
    rows = []
    for row in likelihood:
        joint = [Fraction(a) * Fraction(b) for a, b in zip(row, prior, strict=True)]
        rows.append([entry / sum(joint) for entry in joint])
    return rows


def elbo_atoms(log_likelihood, log_prior, q):
    """E_q log p(x | z), E_q log p(z) and H[q] of each datum, by the sums that define them."""
    atoms = []
    for row, weights in zip(log_likelihood, q, strict=True):
        terms = [
            (float(r) * a, float(r) * b, -float(r) * float(mp.log(float(r))))
            for r, a, b in zip(weights, row, log_prior, strict=True)
            if r > 0
        ]
        atoms.append([mp.fsum(column) for column in zip(*terms, strict=True)])
    return np.array(atoms, dtype=float).T


# --- Gaussians


def full_matrices(covariances, n_components, n_features):
    """(K, D, D) matrices that covariances of any of the four shapes stand for."""
    covariances = np.asarray(covariances)
    matrices = np.empty((n_components, n_features, n_features))
    for k in range(n_components):
        entry = covariances[min(k, len(covariances) - 1)]
        matrices[k] = entry if entry.ndim == 2 else np.diag(np.ones(n_features) * entry)
    return matrices


def gaussian_log_likelihood(x, means, matrices):
    """log N(x_n | mu_k, Sigma_k), rows of mpmath numbers: determinant and inverse as in the formula."""
    x, means = exact(x), exact(means)
    d = len(means[0])
    inverses, constants = [], []
    for matrix in matrices:
        sigma = mp.matrix(exact(matrix))
        inverses.append(mp.inverse(sigma))
        constants.append(-(d * mp.log(2 * mp.pi) + mp.log(mp.det(sigma))) / 2)
    table = []
    for row in x:
        entries = []
        for mean, inverse, constant in zip(means, inverses, constants, strict=True):
            z = [a - b for a, b in zip(row, mean, strict=True)]
            square = mp.fsum(z[i] * inverse[i, j] * z[j] for i in range(d) for j in range(d))
            entries.append(constant - square / 2)
        table.append(entries)
    return table


def diagonal_log_likelihood(x, means, variances):
    """log N of independent features, one sum each: for many features."""
    x, means, variances = exact(x), exact(means), exact(variances)
    table = []
    for row in x:
        entries = []
        for mean, variance in zip(means, variances, strict=True):
            terms = [
                -(mp.log(2 * mp.pi * v) + (a - m) ** 2 / v) / 2
                for a, m, v in zip(row, mean, variance, strict=True)
            ]
            entries.append(mp.fsum(terms))
        table.append(entries)
    return table


def weighted_moments(x, resp):
    """counts, means and covariance matrices under responsibilities, lists of mpmath numbers."""
    x, resp = exact(x), [list(map(mp.mpf, row)) for row in resp]
    n, d, n_components = len(x), len(x[0]), len(resp[0])
    counts, means, matrices = [], [], []
    for k in range(n_components):
        count = mp.fsum(resp[i][k] for i in range(n))
        mean = [mp.fsum(resp[i][k] * x[i][a] for i in range(n)) / count for a in range(d)]
        matrix = [
            [
                mp.fsum(resp[i][k] * (x[i][a] - mean[a]) * (x[i][b] - mean[b]) for i in range(n)) / count
                for b in range(d)
            ]
            for a in range(d)
        ]
        counts.append(count)
        means.append(mean)
        matrices.append(matrix)
    return counts, means, matrices


def constrained_covariances(covariance_type, counts, matrices):
    """What the four constraints make of weighted covariance matrices, without floors."""
    d, total = len(matrices[0]), mp.fsum(counts)
    if covariance_type == "full":
        return matrices
    if covariance_type == "tied":
        pooled = [
            [mp.fsum(c * m[a][b] for c, m in zip(counts, matrices, strict=True)) / total for b in range(d)]
            for a in range(d)
        ]
        return [pooled]
    if covariance_type == "diagonal":
        return [[matrix[a][a] for a in range(d)] for matrix in matrices]
    return [[mp.fsum(matrix[a][a] for a in range(d)) / d] for matrix in matrices]


def gaussian_expected_log_joint(x, resp, weights, means, matrices):
    """EM's Q: sum_nk r_nk log(w_k N(x_n | mu_k, Sigma_k)) in floats, by inverse and determinant."""
    total = 0.0
    for r, weight, mean, matrix in zip(np.transpose(resp), weights, means, matrices, strict=True):
        z = x - mean
        squares = (z @ np.linalg.inv(matrix) * z).sum(axis=1)
        log_volume = np.log(np.linalg.det(2 * np.pi * matrix))
        total += float(r @ (np.log(weight) - 0.5 * (squares + log_volume)))
    return total


def count_gaussian_parameters(n_components, n_features, covariance_type, *, learn_weights):
    """Count free parameters one by one: an entry counts when no earlier entry determines it."""
    names = set()
    for k in range(n_components):
        names |= {("mean", k, a) for a in range(n_features)}
        if learn_weights and k:
            names.add(("weight", k))
        for a in range(n_features):
            for b in range(n_features):
                names |= {
                    "full": {("covariance", k, min(a, b), max(a, b))},
                    "tied": {("covariance", min(a, b), max(a, b))},
                    "diagonal": {("variance", k, a)},
                    "spherical": {("variance", k)},
                }[covariance_type]
    return len(names)


# --- Bernoullis


def all_bits(n_features):
    """Every point of {0, 1}^D, (2^D, D)."""
    return np.array(list(product((0, 1), repeat=n_features)))


def bernoulli_log_likelihood(x, probs):
    """log p(x_n | k) as a sum over pixels, rows of mpmath numbers; log 0 is -inf."""
    probs = exact(probs)
    table = []
    for row in np.asarray(x):
        entries = []
        for theta in probs:
            chances = [p if bit else 1 - p for p, bit in zip(theta, row, strict=True)]
            entries.append(-mp.inf if 0 in chances else mp.fsum(map(mp.log, chances)))
        table.append(entries)
    return table


def bernoulli_frequencies(x, resp):
    """Expected counts and frequencies of ones, lists of mpmath numbers."""
    rows, resp = exact(x), [list(map(mp.mpf, row)) for row in resp]
    counts, frequencies = [], []
    for k in range(len(resp[0])):
        count = mp.fsum(r[k] for r in resp)
        weighted = [[r[k] * bit for bit in row] for r, row in zip(resp, rows, strict=True)]
        ones = [mp.fsum(column) for column in zip(*weighted, strict=True)]
        counts.append(count)
        frequencies.append([one / count for one in ones])
    return counts, frequencies


def bernoulli_expected_log_joint(x, resp, weights, probs):
    """EM's Q: sum_nk r_nk [log w_k + sum_d log Bernoulli(x_nd | theta_kd)], by loops."""
    total = 0.0
    for row, r in zip(x, resp, strict=True):
        for r_nk, weight, theta in zip(r, weights, probs, strict=True):
            terms = [np.log(p if bit else 1 - p) for p, bit in zip(theta, row, strict=True)]
            total += r_nk * (np.log(weight) + sum(terms))
    return total


def joint_table(log_likelihood, weights):
    """log p(x_n, k), rows of mpmath numbers; a weight of 0 gives -inf."""
    log_weights = [mp.log(w) if w > 0 else -mp.inf for w in exact(weights)]
    return [[a + b for a, b in zip(row, log_weights, strict=True)] for row in log_likelihood]


def relative_errors(values, reference):
    """|value - reference| / |reference|, entry by entry in 60 digits, as floats; 0 where both are 0."""
    values, reference = np.asarray(values), np.array(reference, dtype=object)
    errors = np.empty(values.shape)
    for index in np.ndindex(values.shape):
        value, truth = mp.mpf(float(values[index])), mp.mpf(reference[index])
        errors[index] = 0.0 if value == truth else float(abs(value - truth) / abs(truth)) if truth else np.inf
    return errors


def exact_array(values):
    """Object array of mpmath numbers, exactly the floats of an array."""
    values = np.asarray(values)
    numbers = np.empty(values.shape, dtype=object)
    for index in np.ndindex(values.shape):
        numbers[index] = mp.mpf(float(values[index]))
    return numbers
