"""Form (3) gets the closed-form entropy on top of the sampled one."""

FAILS = {"test_quietest_values", "test_quietest_choice"}

# %% quietest_form
def quietest_form(log_likelihood, log_prior, minus_log_q, kl, entropy):
    joint = log_likelihood + log_prior
    forms = np.stack([log_likelihood - kl, joint + entropy, joint + minus_log_q + entropy])
    errors = forms.std(axis=1, ddof=1) / np.sqrt(forms.shape[1])
    best, data = errors.argmin(axis=0), np.arange(len(kl))
    return forms.mean(axis=1)[best, data], errors[best, data], best + 1
