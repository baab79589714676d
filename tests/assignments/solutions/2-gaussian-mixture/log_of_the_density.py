"""Computes the density and takes its logarithm: -inf far away, and a determinant that underflows."""

FAILS = {"test_gaussian_log_density_stress"}

# %% gaussian_log_density
def gaussian_log_density(x, mean, covariance):
    z = x - mean
    quadratic = np.einsum("nd,de,ne->n", z, np.linalg.inv(covariance), z)
    density = np.exp(-quadratic / 2) / np.sqrt((2 * np.pi) ** len(mean) * np.linalg.det(covariance))
    return np.log(density)
