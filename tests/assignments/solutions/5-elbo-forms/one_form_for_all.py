"""The form that is quietest on the whole is taken for every datum."""

FAILS = {"test_quietest_values", "test_quietest_choice"}

# %% quietest_form
def quietest_form(log_likelihood, log_prior, minus_log_q, kl, entropy):
    joint = log_likelihood + log_prior
    forms = np.stack([log_likelihood - kl, joint + entropy, joint + minus_log_q])
    errors = forms.std(axis=1, ddof=1) / np.sqrt(forms.shape[1])
    best = errors.sum(axis=1).argmin()
    return forms.mean(axis=1)[best], errors[best], np.full(len(kl), best + 1)
