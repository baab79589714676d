"""ln p - ln q averaged over q: the divergence of the cloud with its sign turned."""

FAILS = {"test_cloud"}

# %% surgery
def surgery(aggregate, z, n):
    mu, var = aggregate.means[n], aggregate.covariances[n]
    log_qn = (-0.5 * (z - mu) ** 2 / var - 0.5 * np.log(2 * np.pi * var)).sum(1)
    log_q = aggregate.log_evidence(z)
    log_p = (-0.5 * z**2 - 0.5 * np.log(2 * np.pi)).sum(1)
    return np.mean(log_qn - log_p), np.mean(log_qn - log_q), np.mean(log_p - log_q)
