"""Correct: numpy wherever f does not ask for torch, results as arrays."""

FAILS = set()

# %% score_samples
def score_samples(f, mu, sigma, eps, baseline=0.0):
    values = np.asarray(f(mu + sigma * eps)) - baseline
    e, s = eps.numpy(), sigma.numpy()
    return np.einsum("s,sd->sd", values, e / s), np.einsum("s,sd->sd", values, (e * e - 1.0) / s)

# %% mean_and_error
def mean_and_error(samples):
    g = np.asarray(samples, dtype=float)
    S = g.shape[0]
    if S < 2:
        raise ValueError(f"S = {S} samples have no standard error")
    average = g.sum(axis=0) / S
    squares = ((g - average) ** 2).sum(axis=0)
    return average, np.sqrt(squares / S / (S - 1))

# %% leave_one_out_samples
def leave_one_out_samples(values, scores):
    v, t = np.asarray(values), np.asarray(scores)
    others = (v.sum() - v) / (len(v) - 1)
    return (v - others)[:, np.newaxis] * t

# %% jump_gradient
def jump_gradient(places, jumps, mu, sigma):
    eps = (places.numpy() - mu) / sigma
    weight = jumps.numpy() * np.exp(-0.5 * eps**2) / np.sqrt(2 * np.pi * sigma**2)
    return weight.sum(), weight @ eps

# %% variances
def variances(D, n_samples, generator):
    eps = torch.randn(n_samples, D, generator=generator, dtype=torch.float64).numpy()
    z = 1 + eps
    height = np.cos(z).sum(1)
    others = (height.sum() - height) / (n_samples - 1)
    samples = -np.sin(z), (height - others)[:, None] * eps, height[:, None] * eps
    return np.array([g.var(axis=0, ddof=1).mean() for g in samples])
