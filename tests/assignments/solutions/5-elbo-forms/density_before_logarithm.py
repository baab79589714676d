"""The density of an image is computed first, and underflows at 784 pixels."""

FAILS = {"test_log_likelihood"}

# %% atoms
def atoms(x, z, m, s, W, b, sigma):
    def density(value, mean, sd):
        return np.exp(-0.5 * ((value - mean) / sd) ** 2) / (sd * np.sqrt(2 * np.pi))

    with np.errstate(divide="ignore"):
        log_likelihood = np.log(density(x, z @ W.T + b, sigma).prod(-1))
    log_prior = -0.5 * (z**2).sum(-1) - 0.5 * z.shape[-1] * np.log(2 * np.pi)
    minus_log_q = (0.5 * ((z - m) / s) ** 2 + np.log(s) + 0.5 * np.log(2 * np.pi)).sum(-1)
    return log_likelihood, log_prior, minus_log_q
