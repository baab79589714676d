"""The variance of the share is given for its standard error."""

FAILS = {"test_hole_error"}

# %% hole_mass
def hole_mass(aggregate, n_samples, threshold, rng):
    z = rng.normal(size=(n_samples, 2))
    log_p = -0.5 * (z**2).sum(1) - np.log(2 * np.pi)
    m = (aggregate.log_evidence(z) - log_p < threshold).mean()
    return m, m * (1 - m) / n_samples
