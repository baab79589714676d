"""Multiplies 784 densities and takes the logarithm afterwards: -inf for every real image."""

FAILS = {"test_class_log_likelihood_digit"}

# %% class_log_likelihood
def class_log_likelihood(images, means, variances):
    columns = []
    for mean, variance in zip(means, variances):
        density = np.exp(-0.5 * (images - mean) ** 2 / variance) / np.sqrt(2 * np.pi * variance)
        columns.append(np.log(density.prod(axis=1)))
    return np.array(columns).T
