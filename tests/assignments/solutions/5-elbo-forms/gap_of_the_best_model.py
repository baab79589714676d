"""The importance weights are drawn from the exact posterior, whatever c is."""

FAILS = {"test_gaps"}

# %% gaps
def gaps(c, k, n_repeats, generator):
    truth = best_model.log_evidence(twenty).detach()
    first = (truth - widened(c).exact_elbo(twenty).value.detach()).mean()
    second = 0.0
    for _ in range(n_repeats):
        bound = bounds.importance_weighted_bound(best_model, twenty, n_samples=k, generator=generator)
        second += (truth - bound.value).mean().item() / n_repeats
    return float(first), second
