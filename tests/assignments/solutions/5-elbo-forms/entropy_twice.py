"""Form (3) gets the closed-form entropy on top of the sampled one."""

FAILS = {"test_three_forms", "test_forms_agree"}

# %% three_forms
def three_forms(log_likelihood, log_prior, minus_log_q, kl, entropy):
    joint = log_likelihood + log_prior
    return log_likelihood - kl, joint + entropy, joint + minus_log_q + entropy
