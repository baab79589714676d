"""The scatter of single draws is given for the error of their mean."""

FAILS = {"test_quietest_values", "test_quietest_choice"}

# %% quietest_form
def quietest_form(log_likelihood, log_prior, minus_log_q, kl, entropy):
    joint = log_likelihood + log_prior
    forms = np.stack([log_likelihood - kl, joint + entropy, joint + minus_log_q])
    errors = forms.std(axis=1, ddof=1)
    best, data = errors.argmin(axis=0), np.arange(len(kl))
    return forms.mean(axis=1)[best, data], errors[best, data], best + 1
