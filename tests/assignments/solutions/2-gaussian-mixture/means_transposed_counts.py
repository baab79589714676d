"""Forgets the new axis: N_k divides along the features, which goes unnoticed only where K = D."""

FAILS = {
    "test_m_step_weights",
    "test_m_step_means",
    "test_m_step_covariances",
    "test_m_step_digits",
    "test_m_step_empty",
}

# %% m_step
def m_step(x, resp, old):
    counts = resp.sum(axis=0)
    means = resp.T @ x / counts
    z = x[:, None] - means
    covariances = np.einsum("nk,nki,nkj->kij", resp, z, z) / counts[:, None, None]
    return Parameters(counts / len(x), means, covariances)
