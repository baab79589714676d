"""Blocks of a hundred points, and the rest after the last full one is left empty."""

FAILS = {"test_aggregate_values", "test_aggregate_far", "test_aggregate_density"}

# %% log_aggregate
def log_aggregate(z, means, variances):
    log_q = np.zeros(len(z))
    for block in range(len(z) // 100):
        rows = z[100 * block : 100 * block + 100]
        table = -0.5 * np.log(2 * np.pi * variances).sum(1)
        table = table - 0.5 * ((rows[:, None] - means) ** 2 / variances).sum(2)
        log_q[100 * block : 100 * block + 100] = np.logaddexp.reduce(table, axis=1) - np.log(len(means))
    return log_q
