"""Correct: loops over samples and coordinates, one backward pass for each sample."""

FAILS = set()

# %% gaussian_path
def gaussian_path(mu, L, eps):
    rows = []
    for e in eps:
        entries = [mu[i] + sum(L[i, j] * e[j] for j in range(i + 1)) for i in range(len(mu))]
        rows.append(torch.stack(entries))
    return torch.stack(rows)

# %% pathwise_samples
def pathwise_samples(f, mu, sigma, eps):
    in_mu, in_sigma = [], []
    for e in eps:
        m = mu.detach().clone().requires_grad_(True)
        s = sigma.detach().clone().requires_grad_(True)
        value = f((m + s * e).reshape(1, -1))[0]
        value.backward()
        in_mu.append(m.grad)
        in_sigma.append(s.grad)
    return torch.stack(in_mu), torch.stack(in_sigma)

# %% score_samples
def score_samples(f, mu, sigma, eps, baseline=0.0):
    S, D = eps.shape
    in_mu, in_sigma = np.zeros((S, D)), np.zeros((S, D))
    values = f(mu + sigma * eps)
    for s in range(S):
        for d in range(D):
            gain = float(values[s]) - baseline
            away = float(sigma[d] * eps[s, d])
            in_mu[s, d] = gain * away / float(sigma[d]) ** 2
            in_sigma[s, d] = gain * (away**2 / float(sigma[d]) ** 3 - 1 / float(sigma[d]))
    return in_mu, in_sigma

# %% leave_one_out_samples
def leave_one_out_samples(values, scores):
    total = values.sum()
    S = len(values)
    result = torch.zeros_like(scores)
    for s in range(S):
        result[s] = (values[s] - (total - values[s]) / (S - 1)) * scores[s]
    return result

# %% jump_gradient
def jump_gradient(places, jumps, mu, sigma):
    slope_mu = slope_sigma = 0.0
    for place, jump in zip(places.tolist(), jumps.tolist(), strict=True):
        eps = (place - mu) / sigma
        density = np.exp(-(eps**2) / 2) / np.sqrt(2 * np.pi) / sigma
        slope_mu += jump * density
        slope_sigma += jump * density * eps
    return slope_mu, slope_sigma
