"""Divides by N_k = 0."""

FAILS = {"test_m_step_empty"}

# %% m_step
def m_step(x, resp, *, min_prob):
    return np.clip(resp.T @ x / resp.sum(axis=0)[:, None], min_prob, 1 - min_prob)
