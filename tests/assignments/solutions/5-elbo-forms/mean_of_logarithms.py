"""The mean of ln w in each block, which is the ELBO for every k."""

FAILS = {"test_importance_weighted", "test_importance_weighted_bound"}

# %% importance_weighted
def importance_weighted(log_w, k):
    S, N = log_w.shape
    if k == 0 or S % k != 0:
        raise ValueError(k)
    return log_w.reshape(S // k, k, N).mean(axis=1).mean(axis=0)
