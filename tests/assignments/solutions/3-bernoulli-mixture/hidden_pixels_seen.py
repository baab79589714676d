"""Computes the responsibilities from all pixels: the answer has been looked at."""

FAILS = {"test_complete_values", "test_complete_digits"}

# %% complete
def complete(x, seen, probs):
    log_p = x @ np.log(probs).T + (1 - x) @ np.log(1 - probs).T
    return np.where(seen, x, np.exp(trusted_log_normalize(log_p)[0]) @ probs)
