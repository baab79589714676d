"""Least squares: the prior's share I is missing from the precision."""

FAILS = {"test_posterior"}

# %% posterior
def posterior(x, W, b, sigma):
    covariance = np.linalg.pinv(W.T @ W / sigma**2)
    return (x - b) @ W @ covariance / sigma**2, covariance
