"""Adds a small number inside the logarithms: no nan, but no -inf either, and a bias elsewhere."""

FAILS = {"test_log_likelihood_digit", "test_log_likelihood_edges", "test_log_likelihood_values"}

# %% log_likelihood
def log_likelihood(x, probs):
    eps = 1e-8
    return x @ np.log(probs + eps).T + (1 - x) @ np.log(1 - probs + eps).T
