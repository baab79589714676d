"""Form (1) adds the divergence: leaving the prior is rewarded."""

FAILS = {"test_three_forms", "test_forms_agree"}

# %% three_forms
def three_forms(log_likelihood, log_prior, minus_log_q, kl, entropy):
    return log_likelihood + kl, log_likelihood + log_prior + entropy, log_likelihood + log_prior + minus_log_q
