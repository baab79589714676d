"""Writes -1e9 for the logarithm of zero: a number where -inf is the answer."""

FAILS = {"test_log_normalize_impossible"}

# %% log_normalize
def log_normalize(log_joint):
    peak = log_joint.max(axis=-1, keepdims=True)
    if np.isneginf(peak).any():
        raise ValueError("impossible")
    shifted = np.maximum(log_joint - peak, -1e9)
    log_total = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted - log_total, (peak + log_total)[..., 0]
