"""The variances of the atoms are added, as if they did not move together: form (1) always looks quietest."""

FAILS = {"test_quietest_values", "test_quietest_choice"}

# %% quietest_form
def quietest_form(log_likelihood, log_prior, minus_log_q, kl, entropy):
    joint = log_likelihood + log_prior
    forms = np.stack([log_likelihood - kl, joint + entropy, joint + minus_log_q])
    atoms = np.stack([log_likelihood, log_prior, minus_log_q])
    errors = np.sqrt(atoms.var(axis=1, ddof=1).cumsum(axis=0) / len(log_prior))
    best, data = errors.argmin(axis=0), np.arange(len(kl))
    return forms.mean(axis=1)[best, data], errors[best, data], best + 1
