"""Forgets that the square root of the determinant is half of its logarithm."""

FAILS = {"test_gaussian_log_density_values", "test_gaussian_log_density_stress"}

# %% gaussian_log_density
def gaussian_log_density(x, mean, covariance):
    z = x - mean
    quadratic = np.sum(z @ np.linalg.inv(covariance) * z, axis=1)
    return -0.5 * (x.shape[1] * np.log(2 * np.pi) + quadratic) - np.linalg.slogdet(covariance)[1]
