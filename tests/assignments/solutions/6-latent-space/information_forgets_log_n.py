"""The mean log responsibility, without ln N."""

FAILS = {"test_information"}

# %% surgery
def surgery(aggregate, z, n):
    mu, var = aggregate.means[n], aggregate.covariances[n]
    log_qn = (-0.5 * (z - mu) ** 2 / var - 0.5 * np.log(2 * np.pi * var)).sum(1)
    log_q = aggregate.log_evidence(z)
    log_p = (-0.5 * z**2 - 0.5 * np.log(2 * np.pi)).sum(1)
    log_r = aggregate.log_posterior(z)[np.arange(len(z)), n]
    return np.mean(log_qn - log_p), np.mean(log_r), np.mean(log_q - log_p)
