"""Works for tables (N, K) only: axis 1 instead of the last axis; and shifts the caller's array in place."""

FAILS = {"test_log_normalize_values"}

# %% log_normalize
def log_normalize(log_joint):
    if log_joint.ndim == 1:
        log_joint = log_joint[None]
    m = log_joint.max(axis=1, keepdims=True)
    if np.isinf(m).any():
        raise ValueError("impossible datum")
    log_joint -= m
    log_total = np.log(np.exp(log_joint).sum(axis=1, keepdims=True))
    return log_joint - log_total, (m + log_total)[:, 0]
