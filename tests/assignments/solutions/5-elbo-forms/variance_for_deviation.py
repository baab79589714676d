"""s is taken for a variance in ln q."""

FAILS = {"test_minus_log_q"}

# %% atoms
def atoms(x, z, m, s, W, b, sigma):
    away = x - b - z @ W.T
    log_likelihood = -0.5 * np.log(2 * np.pi * sigma**2) - 0.5 * away**2 / sigma**2
    log_prior = -0.5 * np.log(2 * np.pi) - 0.5 * z**2
    log_q = -0.5 * np.log(2 * np.pi * s) - 0.5 * (z - m) ** 2 / s
    return log_likelihood.sum(-1), log_prior.sum(-1), -log_q.sum(-1)
