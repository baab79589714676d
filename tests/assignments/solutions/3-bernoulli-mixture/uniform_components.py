"""Draws the components with equal probabilities, whatever the weights."""

FAILS = {"test_sample"}

# %% sample
def sample(weights, probs, n, *, rng):
    z = rng.integers(len(weights), size=n)
    return rng.binomial(1, probs[z]), z
