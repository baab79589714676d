"""Applies Problem 1's formula to any prior: the log weights are accepted and ignored."""

FAILS = {"test_responsibilities_weighted"}

# %% responsibilities
def responsibilities(log_likelihood, log_weights=None):
    return np.exp(trusted_log_normalize(log_likelihood)[0])
