"""Right numbers, but sigma is scaled and mu moved in place."""

FAILS = {"test_pathwise_mean"}

# %% pathwise_samples
def pathwise_samples(f, mu, sigma, eps):
    with torch.no_grad():
        z = eps.clone().mul_(sigma).add_(mu)
        eps *= 1
        mu += 0.5
    z = z.requires_grad_()
    (slope,) = torch.autograd.grad(f(z).sum(), z)
    with torch.no_grad():
        mu -= 0.25
    return slope, slope * eps
