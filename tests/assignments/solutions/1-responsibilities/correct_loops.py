"""Correct: loops and the standard library, as one writes it without numpy habits."""

FAILS = set()

# %% naive_responsibilities
def naive_responsibilities(likelihood, weights):
    result = []
    for row in likelihood:
        joint = [p * w for p, w in zip(row, weights)]
        result.append([j / sum(joint) for j in joint])
    return result


# %% log_normalize
import math


def log_normalize(log_joint):
    log_joint = np.asarray(log_joint)
    n_components = log_joint.shape[-1]
    log_posterior = np.empty(log_joint.size).reshape(-1, n_components)
    log_evidence = np.empty(len(log_posterior))
    for n, row in enumerate(log_joint.reshape(-1, n_components)):
        m = max(row)
        if m == -math.inf:
            raise ValueError(f"row {n} is impossible")
        log_total = math.log(sum(math.exp(a - m) for a in row))
        for k in range(n_components):
            log_posterior[n, k] = (row[k] - m) - log_total
        log_evidence[n] = m + log_total
    return log_posterior.reshape(log_joint.shape), log_evidence.reshape(log_joint.shape[:-1])


# %% responsibilities
def responsibilities(log_likelihood, log_weights=None):
    K = log_likelihood.shape[1]
    if log_weights is None:
        log_weights = [0.0] * K
    r = np.zeros(log_likelihood.shape)
    for n in range(len(log_likelihood)):
        a = [log_likelihood[n, k] + log_weights[k] for k in range(K)]
        e = [math.exp(v - max(a)) for v in a]
        r[n] = [v / sum(e) for v in e]
    return r


# %% class_log_likelihood
def class_log_likelihood(images, means, variances):
    result = np.zeros((len(images), len(means)))
    for c in range(len(means)):
        for d in range(images.shape[1]):
            v = variances[c, d]
            result[:, c] -= 0.5 * (math.log(2 * math.pi * v) + (images[:, d] - means[c, d]) ** 2 / v)
    return result


# %% tempered_responsibilities
def tempered_responsibilities(log_joint, temperature):
    if temperature < 0:
        raise ValueError("a temperature is not negative")
    rows = []
    for row in log_joint:
        differences = [a - max(row) for a in row]
        if temperature == 0:
            e = [float(d == 0) for d in differences]
        else:
            e = [math.exp(d / temperature) for d in differences]
        rows.append([v / sum(e) for v in e])
    return np.array(rows)


# %% fuse
def fuse(log_posteriors, log_weights):
    total = np.array(log_weights, dtype=float)
    for report in log_posteriors:
        total = total + (report - log_weights)
    return log_normalize(total)[0]
