"""The baseline is subtracted from f times the score, not from f."""

FAILS = {"test_score_baseline"}

# %% score_samples
def score_samples(f, mu, sigma, eps, baseline=0.0):
    value = f(mu + sigma * eps)[:, None]
    return value * eps / sigma - baseline, value * (eps**2 - 1) / sigma - baseline
