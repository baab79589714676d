"""Leaves out ln(2 pi sigma^2): harmless if all classes had the same variances, and they have not."""

FAILS = {"test_class_log_likelihood_values", "test_class_log_likelihood_digit"}

# %% class_log_likelihood
def class_log_likelihood(images, means, variances):
    return np.stack([-0.5 * ((images - m) ** 2 / v).sum(axis=1) for m, v in zip(means, variances)], axis=1)
