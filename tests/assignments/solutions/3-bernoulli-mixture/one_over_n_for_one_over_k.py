"""Takes the number of images for the number of components: the evidence is off by ln(N/K)."""

FAILS = {"test_e_step_evidence"}

# %% e_step
def e_step(x, probs):
    log_joint = trusted_log_likelihood(x, probs) - np.log(len(x))
    log_posterior, log_evidence = trusted_log_normalize(log_joint)
    return np.exp(log_posterior), log_evidence
