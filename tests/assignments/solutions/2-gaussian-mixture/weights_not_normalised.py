"""Returns the effective numbers of data N_k for the weights: they sum to N."""

FAILS = {"test_m_step_weights"}

# %% m_step
def m_step(x, resp, old):
    counts = resp.sum(axis=0)
    means, covariances = np.array(old.means, float), np.array(old.covariances, float)
    for k, n_k in enumerate(counts):
        if n_k == 0:
            continue
        means[k] = (resp[:, [k]] * x).sum(axis=0) / n_k
        z = x - means[k]
        covariances[k] = (resp[:, [k]] * z).T @ z / n_k
    return Parameters(counts, means, covariances)
