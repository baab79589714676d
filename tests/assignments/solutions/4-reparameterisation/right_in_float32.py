"""Correct: torch makes float32 of two plain floats, and six digits are enough."""

FAILS = set()

# %% jump_gradient
def jump_gradient(places, jumps, mu, sigma):
    traffic = jumps.float() * Normal(mu, sigma).log_prob(places.float()).exp()
    return traffic.sum(), (traffic * (places.float() - mu) / sigma).sum()
