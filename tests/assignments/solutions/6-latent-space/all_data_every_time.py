"""The holes of all data, whatever the count."""

FAILS = {"test_holes_by_data"}

# %% holes_by_data
def holes_by_data(means, variances, counts, rng):
    N = len(means)
    q = GaussianMixture(np.full(N, 1 / N), means, variances)
    return [latents.hole_mass(q, n_samples=4000, rng=rng).share.value for _ in counts]
