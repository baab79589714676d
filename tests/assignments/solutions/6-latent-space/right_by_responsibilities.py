"""Correct: the information from responsibilities, the prior as a mixture of one, blocks over the data."""

FAILS = set()

# %% equal_mass_mesh
def equal_mass_mesh(n):
    u = np.mgrid[0:n, 0:n] + 0.5
    return np.moveaxis(np.array([quantile(u[1] / n), quantile(1 - u[0] / n)]), 0, 2)

# %% log_aggregate
def log_aggregate(z, means, variances):
    total = np.full(len(z), -np.inf)
    for start in range(0, len(means), 500):
        mu, var = means[start : start + 500], variances[start : start + 500]
        table = -np.log(2 * np.pi) - 0.5 * np.log(var[:, 0]) - 0.5 * np.log(var[:, 1])
        table = table - (z[:, :1] - mu[:, 0]) ** 2 / (2 * var[:, 0])
        table -= (z[:, 1:] - mu[:, 1]) ** 2 / (2 * var[:, 1])
        total = np.logaddexp(total, np.logaddexp.reduce(table, axis=1))
    return total - np.log(len(means))

# %% hole_mass
def hole_mass(aggregate, n_samples, threshold, rng):
    prior = GaussianMixture([1.0], [[0.0, 0.0]], [[1.0, 1.0]])
    z = prior.sample(n_samples, rng=rng).x
    inside = (prior.log_evidence(z) - aggregate.log_evidence(z)) > -threshold
    return inside.mean(), np.sqrt(inside.var() / n_samples)

# %% surgery
def surgery(aggregate, z, n):
    log_r = np.take_along_axis(aggregate.log_posterior(z), np.asarray(n)[:, None], axis=1)[:, 0]
    information = log_r.mean() + np.log(aggregate.n_components)
    cloud = aggregate.log_evidence(z).mean() + np.log(2 * np.pi) + 0.5 * (z**2).sum(1).mean()
    return information + cloud, information, cloud

# %% holes_by_data
def holes_by_data(means, variances, counts, rng):
    z = rng.standard_normal((4000, 2))
    log_prior = -0.5 * (z**2).sum(1) - np.log(2 * np.pi)
    shares = []
    for k in counts:
        q = GaussianMixture(np.full(k, 1 / k), means[:k], variances[:k])
        shares.append(np.mean(q.log_evidence(z) - log_prior < np.log(0.1)))
    return np.array(shares)

# %% accept
def accept(log_q, log_p, u):
    probability = np.where(log_q < log_p, np.exp(np.clip(log_q - log_p, None, 0)), 1.0)
    return np.greater(probability, u), np.average(1 - probability)
