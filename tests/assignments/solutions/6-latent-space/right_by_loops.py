"""Correct: loops over points, and the standard library's inverse distribution function."""

FAILS = set()

# %% equal_mass_mesh
def equal_mass_mesh(n):
    from statistics import NormalDist

    inverse = NormalDist().inv_cdf
    axis = [inverse((2 * j + 1) / (2 * n)) for j in range(n)]
    return [[[axis[j], -axis[i]] for j in range(n)] for i in range(n)]

# %% decode_table
def decode_table(vae, mesh):
    n = len(mesh)
    images = np.zeros((n, n, 28, 28))
    for i in range(n):
        for j in range(n):
            z = torch.tensor(np.array(mesh[i][j]), dtype=torch.float32)[None]
            a = vae.decoder(z).base_dist.logits[0].detach().double().numpy()
            images[i, j] = (1 / (1 + np.exp(-a))).reshape(28, 28)
    return images

# %% log_aggregate
def log_aggregate(z, means, variances):
    precision, volume = 1 / variances, 0.5 * np.log(variances).sum(1)
    result = []
    for point in z:
        logs = -0.5 * np.einsum("nd,nd->n", (point - means) ** 2, precision) - volume
        top = logs.max()
        result.append(top + np.log(np.mean(np.exp(logs - top))) - np.log(2 * np.pi))
    return np.array(result)

# %% hole_mass
def hole_mass(aggregate, n_samples, threshold, rng):
    count = 0
    for _ in range(n_samples // 50):
        z = rng.standard_normal((50, 2))
        log_p = -0.5 * (z[:, 0] ** 2 + z[:, 1] ** 2) - np.log(2 * np.pi)
        count += int(np.sum(aggregate.log_evidence(z) - log_p < threshold))
    share = count / n_samples
    return share, (share * (1 - share) / n_samples) ** 0.5

# %% surgery
def surgery(aggregate, z, n):
    one = two = three = 0.0
    log_q = aggregate.log_evidence(z)
    for i in range(len(z)):
        mu, var = aggregate.means[n[i]], aggregate.covariances[n[i]]
        own = prior = 0.0
        for d in range(2):
            own += -0.5 * np.log(2 * np.pi * var[d]) - (z[i, d] - mu[d]) ** 2 / (2 * var[d])
            prior += -0.5 * np.log(2 * np.pi) - z[i, d] ** 2 / 2
        one, two, three = one + own - prior, two + own - log_q[i], three + log_q[i] - prior
    return one / len(z), two / len(z), three / len(z)

# %% accept
def accept(log_q, log_p, u):
    accepted, distance = [], 0.0
    for a, b, v in zip(log_q, log_p, u, strict=True):
        probability = 1.0 if a >= b else np.exp(a - b)
        accepted.append(bool(v < probability))
        distance += (1 - probability) / len(u)
    return accepted, distance
