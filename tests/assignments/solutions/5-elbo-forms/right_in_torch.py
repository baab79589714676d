"""Correct: torch tensors and torch's distributions throughout."""

FAILS = set()

# %% kl_diagonal
def kl_diagonal(m, s, mu, tau):
    m, s, mu, tau = (torch.as_tensor(np.array(v)) for v in (m, s, mu, tau))
    terms = torch.square(s / tau) + torch.square((m - mu) / tau) - 1
    return (terms / 2 + tau.log() - s.log()).sum(-1)

# %% atoms
def atoms(x, z, m, s, W, b, sigma):
    x, z, m, s, W, b = (torch.as_tensor(np.array(v)) for v in (x, z, m, s, W, b))
    normal = torch.distributions.Normal
    log_likelihood = normal(z @ W.T + b, sigma).log_prob(x).sum(-1)
    log_prior = normal(0.0, 1.0).log_prob(z).sum(-1)
    return log_likelihood, log_prior, -normal(m, s).log_prob(z).sum(-1)

# %% log_evidence
def log_evidence(x, W, b, sigma):
    x, W, b = (torch.as_tensor(np.array(v)) for v in (x, W, b))
    p = torch.distributions.LowRankMultivariateNormal(b, W, torch.full_like(b, sigma**2))
    return p.log_prob(x)

# %% posterior
def posterior(x, W, b, sigma):
    x, W, b = (torch.as_tensor(np.array(v)) for v in (x, W, b))
    M = torch.eye(W.shape[1], dtype=W.dtype) + W.mT @ W / sigma**2
    return torch.linalg.solve(M, W.mT @ (x - b).mT / sigma**2).mT, torch.linalg.inv(M)

# %% importance_weighted
def importance_weighted(log_w, k):
    log_w = torch.as_tensor(np.array(log_w))
    if k < 1 or len(log_w) % k:
        raise ValueError("k does not divide S")
    blocks = torch.stack(log_w.split(k))
    return (blocks.logsumexp(1) - math.log(k)).mean(0)

# %% landing_gradient
def landing_gradient(x, m, s, W, b, sigma, eps):
    x, m, s, W, b, eps = (torch.as_tensor(np.array(v)) for v in (x, m, s, W, b, eps))
    z = (m + s * eps).requires_grad_()
    normal = torch.distributions.Normal
    log_joint = normal(z @ W.T + b, sigma).log_prob(x).sum() + normal(0.0, 1.0).log_prob(z).sum()
    (slope,) = torch.autograd.grad(log_joint - normal(m, s).log_prob(z).sum(), z)
    return slope, slope * eps
