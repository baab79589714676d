"""eps L instead of eps L^T: the covariance becomes L^T L."""

FAILS = {"test_gaussian_path"}

# %% gaussian_path
def gaussian_path(mu, L, eps):
    return mu + eps @ L
