"""Types the formula in as it stands: 0 ln 0 is nan in floating point."""

FAILS = {"test_log_likelihood_edges"}

# %% log_likelihood
def log_likelihood(x, probs):
    return x @ np.log(probs).T + (1 - x) @ np.log(1 - probs).T
