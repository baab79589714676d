"""The mass of the holes under the codes, where hardly any code is, instead of under the prior."""

FAILS = {"test_hole_mass"}

# %% hole_mass
def hole_mass(aggregate, n_samples, threshold, rng):
    z = aggregate.sample(n_samples, rng=rng).x
    log_p = -0.5 * (z**2).sum(1) - np.log(2 * np.pi)
    m = (aggregate.log_evidence(z) - log_p < threshold).mean()
    return m, np.sqrt(m * (1 - m) / n_samples)
