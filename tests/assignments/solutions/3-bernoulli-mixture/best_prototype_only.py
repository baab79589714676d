"""Completes with the most responsible prototype instead of the average over all."""

FAILS = {"test_complete_values"}

# %% complete
def complete(x, seen, probs):
    best = trusted_log_likelihood(x[:, seen], probs[:, seen]).argmax(axis=1)
    return np.where(seen, x, probs[best])
