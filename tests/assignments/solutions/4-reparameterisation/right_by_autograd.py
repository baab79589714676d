"""Correct: parameters copied for each sample, scores from torch's own densities."""

FAILS = set()

# %% gaussian_path
def gaussian_path(mu, L, eps):
    return torch.einsum("ij,sj->si", L, eps) + mu

# %% pathwise_samples
def pathwise_samples(f, mu, sigma, eps):
    m = mu.detach().repeat(len(eps), 1).requires_grad_()
    s = sigma.detach().repeat(len(eps), 1).requires_grad_()
    return torch.autograd.grad(f(m + s * eps).sum(), [m, s])

# %% score_samples
def score_samples(f, mu, sigma, eps, baseline=0.0):
    z = (mu + sigma * eps).detach()
    m = mu.detach().repeat(len(eps), 1).requires_grad_()
    s = sigma.detach().repeat(len(eps), 1).requires_grad_()
    log_q = Normal(m, s).log_prob(z).sum()
    weight = (f(z) - baseline)[:, None]
    return [weight * score for score in torch.autograd.grad(log_q, [m, s])]

# %% linear_control_samples
def linear_control_samples(f, mu, sigma, eps):
    slope = torch.func.grad(lambda m: f(m[None])[0])(mu)
    z = mu + sigma * eps
    plane = f(mu[None]) + (z - mu) @ slope
    rest = (f(z) - plane).unsqueeze(-1)
    return slope + rest * (z - mu) / sigma**2, rest * ((z - mu) ** 2 / sigma**3 - 1 / sigma)
