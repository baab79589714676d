"""The likelihood at the prior's mean z = 0, instead of the integral over z."""

FAILS = {"test_log_evidence", "test_log_evidence_of_digits"}

# %% log_evidence
def log_evidence(x, W, b, sigma):
    away = ((x - b) ** 2).sum(axis=1)
    return -0.5 * (away / sigma**2 + x.shape[1] * np.log(2 * np.pi * sigma**2))
