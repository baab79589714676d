"""k codes drawn at random, where the first k are asked for."""

FAILS = {"test_holes_by_data"}
ONLY_HIDDEN = "which codes were taken shows only where many differ, and one draw of few may hit the first"

# %% holes_by_data
def holes_by_data(means, variances, counts, rng):
    shares = []
    for k in counts:
        some = rng.choice(len(means), k, replace=False)
        part = GaussianMixture(np.full(k, 1 / k), means[some], variances[some])
        shares.append(latents.hole_mass(part, n_samples=4000, rng=rng).share.value)
    return shares
