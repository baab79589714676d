"""Correct: the remainder is asked for where k is positive; posterior by solving."""

FAILS = set()

# %% importance_weighted
def importance_weighted(log_w, k):
    if k <= 0 or len(log_w) % k:
        raise ValueError("k should be a positive divisor of S")
    blocks = log_w.reshape(-1, k, log_w.shape[1])
    return np.mean(np.logaddexp.reduce(blocks, axis=1) - np.log(k), axis=0)
