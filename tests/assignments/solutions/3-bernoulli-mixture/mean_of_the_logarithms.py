"""Takes the mean of the logarithms for the logarithm of the mean: Jensen's inequality, unnoticed."""

FAILS = {"test_e_step_evidence"}

# %% e_step
def e_step(x, probs):
    log_p = trusted_log_likelihood(x, probs)
    return np.exp(trusted_log_normalize(log_p)[0]), log_p.mean(axis=1)
