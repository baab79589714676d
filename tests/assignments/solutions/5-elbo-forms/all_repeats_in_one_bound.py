"""One bound with k times n_repeats samples, in place of the mean of n_repeats bounds with k."""

FAILS = {"test_gaps"}

# %% gaps
def gaps(c, k, n_repeats, generator):
    model = widened(c)
    truth = model.log_evidence(twenty).detach()
    first = (truth - model.exact_elbo(twenty).value.detach()).mean().item()
    bound = bounds.importance_weighted_bound(model, twenty, n_samples=k * n_repeats, generator=generator)
    return first, (truth - bound.value).mean().item()
