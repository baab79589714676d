"""Correct: torch.func, a gradient of one sample mapped over all of them."""

FAILS = set()

# %% gaussian_path
def gaussian_path(mu, L, eps):
    return torch.func.vmap(lambda e: mu + L @ e)(eps)

# %% pathwise_samples
def pathwise_samples(f, mu, sigma, eps):
    def of_one(m, s, e):
        return f((m + s * e).unsqueeze(0)).squeeze(0)

    slopes = torch.func.grad(of_one, argnums=(0, 1))
    mu, sigma = mu.detach(), sigma.detach()
    return torch.func.vmap(slopes, in_dims=(None, None, 0))(mu, sigma, eps)

# %% mean_and_error
def mean_and_error(samples):
    samples = torch.as_tensor(samples)
    if samples.shape[0] < 2:
        raise ValueError("pass at least two samples")
    variance, mean = torch.var_mean(samples, dim=0)
    return mean, torch.sqrt(variance / samples.shape[0])

# %% leave_one_out_samples
def leave_one_out_samples(values, scores):
    S = values.shape[0]
    baseline = (values.sum() - values) / (S - 1)
    return torch.einsum("s,sp->sp", values - baseline, scores)
