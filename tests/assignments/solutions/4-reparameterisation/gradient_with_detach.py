"""The scaled noise is detached, so that sigma never sees a gradient."""

FAILS = {"test_pathwise_deviation", "test_pathwise_closed_form"}

# %% pathwise_samples
def pathwise_samples(f, mu, sigma, eps):
    location = mu.detach().expand_as(eps).clone().requires_grad_()
    scale = sigma.detach().expand_as(eps).clone().requires_grad_()
    z = location + (scale * eps).detach()
    by_location, by_scale = torch.autograd.grad(f(z).sum(), (location, scale), allow_unused=True)
    if by_scale is None:
        by_scale = torch.zeros_like(eps)
    return by_location, by_scale
