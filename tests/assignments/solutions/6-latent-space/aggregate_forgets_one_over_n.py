"""The sheet's slip: the sum over the data without 1/N."""

FAILS = {"test_aggregate_values", "test_aggregate_density"}

# %% log_aggregate
def log_aggregate(z, means, variances):
    log_q = np.empty(len(z))
    for i, point in enumerate(z):
        logs = -0.5 * ((point - means) ** 2 / variances + np.log(2 * np.pi * variances)).sum(1)
        log_q[i] = np.logaddexp.reduce(logs)
    return log_q
