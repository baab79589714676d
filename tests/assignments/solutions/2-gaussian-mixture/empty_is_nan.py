"""Divides by N_k = 0: nan for a component that has lost all its data."""

FAILS = {"test_m_step_empty"}

# %% m_step
def m_step(x, resp, old):
    counts = resp.sum(axis=0)
    means = (resp.T @ x) / counts[:, None]
    z = x[:, None] - means
    covariances = np.einsum("nk,nki,nkj->kij", resp, z, z) / counts[:, None, None]
    return Parameters(counts / len(x), means, covariances)
