"""The plane is subtracted and its expectation never added again: biased by the slope."""

FAILS = {"test_linear_control", "test_linear_control_gain"}

# %% linear_control_samples
def linear_control_samples(f, mu, sigma, eps):
    at = mu.detach()[None].clone().requires_grad_()
    slope = torch.autograd.grad(f(at).sum(), at)[0]
    with torch.no_grad():
        rest = (f(mu + sigma * eps) - f(at) - (sigma * eps * slope).sum(1))[:, None]
        return rest * eps / sigma, rest * (eps**2 - 1) / sigma
