"""Multiplies log likelihoods by weights: the product of the formula, one logarithm too late."""

FAILS = {"test_responsibilities_weighted"}

# %% responsibilities
def responsibilities(log_likelihood, log_weights=None):
    if log_weights is None:
        return np.exp(trusted_log_normalize(log_likelihood)[0])
    return np.exp(trusted_log_normalize(np.exp(log_weights) * log_likelihood)[0])
