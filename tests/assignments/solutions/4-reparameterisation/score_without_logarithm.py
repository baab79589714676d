"""The derivative of q instead of the derivative of ln q."""

FAILS = {"test_score_mean", "test_score_deviation", "test_score_baseline"}

# %% score_samples
def score_samples(f, mu, sigma, eps, baseline=0.0):
    z = mu + sigma * eps
    density = torch.exp(Normal(mu, sigma).log_prob(z))
    value = (f(z) - baseline)[:, None]
    return value * density * eps / sigma, value * density * (eps**2 - 1) / sigma
