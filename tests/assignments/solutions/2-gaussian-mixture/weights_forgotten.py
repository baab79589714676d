"""Applies Problem 1 where the prior is not uniform: the E-step ignores the weights."""

FAILS = {"test_e_step_values", "test_e_step_stress"}

# %% e_step
def e_step(x, parameters):
    log_posterior, log_evidence = trusted_log_normalize(trusted_log_densities(x, parameters))
    return np.exp(log_posterior), log_evidence
