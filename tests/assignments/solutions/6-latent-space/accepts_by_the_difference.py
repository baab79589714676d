"""u is compared with q - p instead of q / p."""

FAILS = {"test_accept", "test_distance"}

# %% accept
def accept(log_q, log_p, u):
    probability = np.clip(np.exp(np.minimum(log_q, 700)) - np.exp(log_p), 0, 1)
    return u < probability, 1 - probability.mean()
