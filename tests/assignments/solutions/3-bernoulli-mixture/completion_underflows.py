"""Leaves the log domain: right for toys, nan for an image that nobody can have made."""

FAILS = {"test_complete_digits"}

# %% complete
def complete(x, seen, probs):
    p = np.exp(trusted_log_likelihood(x[:, seen], probs[:, seen]))
    r = p / p.sum(axis=1, keepdims=True)
    return np.where(seen, x, r @ probs)
