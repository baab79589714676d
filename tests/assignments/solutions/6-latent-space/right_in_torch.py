"""Correct: torch throughout, tensors as results."""

FAILS = set()

# %% equal_mass_mesh
def equal_mass_mesh(n):
    axis = torch.special.ndtri((torch.arange(n, dtype=torch.float64) + 0.5) / n)
    z_2, z_1 = torch.meshgrid(-axis, axis, indexing="ij")
    return torch.stack([z_1, z_2], dim=-1)

# %% decode_table
def decode_table(vae, mesh):
    mesh = torch.as_tensor(np.array(mesh)).float()
    with torch.no_grad():
        logits = vae.decoder(mesh).base_dist.logits
    return torch.sigmoid(logits).unflatten(-1, (28, 28))

# %% log_aggregate
def log_aggregate(z, means, variances):
    z, mu, var = (torch.as_tensor(np.array(v)) for v in (z, means, variances))
    parts = []
    for rows in z.split(100):
        table = -0.5 * ((rows[:, None] - mu).square() / var).sum(-1)
        parts.append(torch.logsumexp(table - 0.5 * torch.log(var).sum(-1), dim=1))
    return torch.cat(parts) - np.log(2 * np.pi * len(mu))

# %% surgery
def surgery(aggregate, z, n):
    mu, sd = torch.tensor(aggregate.means[n]), torch.tensor(aggregate.covariances[n]).sqrt()
    log_q, z = torch.tensor(aggregate.log_evidence(z)), torch.tensor(z)
    normal = torch.distributions.Normal
    own, prior = normal(mu, sd).log_prob(z).sum(-1), normal(0.0, 1.0).log_prob(z).sum(-1)
    information, cloud = (own - log_q).mean(), (log_q - prior).mean()
    return information + cloud, information, cloud

# %% accept
def accept(log_q, log_p, u):
    log_ratio = torch.as_tensor(np.array(log_q)) - torch.as_tensor(np.array(log_p))
    probability = log_ratio.clamp(max=0).exp()
    return torch.as_tensor(np.array(u)) < probability, (1 - probability).mean()
