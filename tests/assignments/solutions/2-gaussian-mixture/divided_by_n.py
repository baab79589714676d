"""Divides means and covariances by N instead of N_k."""

FAILS = {"test_m_step_means", "test_m_step_covariances", "test_m_step_digits"}

# %% m_step
def m_step(x, resp, old):
    N = len(x)
    counts = resp.sum(axis=0)
    means, covariances = old.means.copy(), old.covariances.copy()
    for k in np.flatnonzero(counts):
        means[k] = resp[:, k] @ x / N
        z = x - means[k]
        covariances[k] = np.einsum("n,ni,nj->ij", resp[:, k], z, z) / N
    return Parameters(counts / N, means, covariances)
