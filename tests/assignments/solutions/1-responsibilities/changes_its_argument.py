"""Subtracts the maximum in place: the caller's log joints are not what they were."""

FAILS = {"test_log_normalize_values"}

# %% log_normalize
def log_normalize(log_joint):
    peak = log_joint.max(axis=-1, keepdims=True)
    if np.isneginf(peak).any():
        raise ValueError("a row is -inf throughout")
    log_joint -= peak
    log_total = np.log(np.exp(log_joint).sum(axis=-1, keepdims=True))
    return log_joint - log_total, (peak + log_total)[..., 0]
