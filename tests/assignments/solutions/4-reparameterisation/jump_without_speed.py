"""The speed of the path is forgotten: the step counts for sigma as it does for mu."""

FAILS = {"test_jump_gradient"}

# %% jump_gradient
def jump_gradient(places, jumps, mu, sigma):
    density = torch.exp(Normal(mu, sigma).log_prob(places))
    return (jumps * density).sum(), (jumps * density).sum()
