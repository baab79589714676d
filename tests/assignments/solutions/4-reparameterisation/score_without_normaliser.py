"""The score in sigma without the term of the factor 1 / sigma in front of the exponential."""

FAILS = {"test_score_deviation", "test_score_baseline"}

# %% score_samples
def score_samples(f, mu, sigma, eps, baseline=0.0):
    z = mu + sigma * eps
    value = (f(z) - baseline).unsqueeze(1)
    return value * (z - mu) / sigma**2, value * (z - mu) ** 2 / sigma**3
