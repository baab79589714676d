"""One table of all points and all data: right, and too large."""

FAILS = {"test_aggregate_blocks"}

# %% log_aggregate
def log_aggregate(z, means, variances):
    table = -0.5 * np.log((2 * np.pi) ** 2 * variances[:, 0]) - 0.5 * np.log(variances[:, 1])
    table = table - 0.5 * (z[:, 0, None] - means[:, 0]) ** 2 / variances[:, 0]
    table = table - 0.5 * (z[:, 1, None] - means[:, 1]) ** 2 / variances[:, 1]
    return np.logaddexp.reduce(table, axis=1) - np.log(len(means))
