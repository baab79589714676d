"""The posterior without 1/sigma^2: right only where sigma is one."""

FAILS = {"test_posterior"}

# %% posterior
def posterior(x, W, b, sigma):
    covariance = np.linalg.inv(np.eye(W.shape[1]) + W.T @ W)
    return (x - b) @ W @ covariance, covariance
