"""A hole is where q is small, whatever the prior says."""

FAILS = {"test_hole_mass"}

# %% hole_mass
def hole_mass(aggregate, n_samples, threshold, rng):
    z = rng.normal(size=(n_samples, 2))
    m = (aggregate.log_evidence(z) < threshold).mean()
    return m, np.sqrt(m * (1 - m) / n_samples)
