"""Sums over axis 0: normalises each component over the data, in both functions that normalise."""

FAILS = {
    "test_naive_responsibilities",
    "test_log_normalize_values",
    "test_log_normalize_underflow",
    "test_log_normalize_digits",
    "test_log_normalize_impossible",
}

# %% naive_responsibilities
def naive_responsibilities(likelihood, weights):
    joint = likelihood * weights
    return joint / joint.sum(axis=0)


# %% log_normalize
def log_normalize(log_joint):
    m = log_joint.max(axis=0)
    log_evidence = m + np.log(np.exp(log_joint - m).sum(axis=0))
    return log_joint - log_evidence, log_evidence
