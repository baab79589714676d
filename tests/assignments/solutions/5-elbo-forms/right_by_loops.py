"""Correct: loops over draws, data and dimensions, and the standard library's logarithms."""

FAILS = set()

# %% kl_diagonal
def kl_diagonal(m, s, mu, tau):
    result = []
    for mean, deviation in zip(m, s, strict=True):
        total = 0.0
        for d in range(len(mu)):
            ratio = deviation[d] / tau[d]
            total += 0.5 * (ratio**2 + ((mean[d] - mu[d]) / tau[d]) ** 2 - 1)
            total -= math.log(deviation[d]) - math.log(tau[d])
        result.append(total)
    return result

# %% atoms
def atoms(x, z, m, s, W, b, sigma):
    S, N, Z = z.shape
    D = x.shape[1]
    three = np.zeros((3, S, N))
    for i in range(S):
        for n in range(N):
            away = x[n] - (W @ z[i, n] + b)
            three[0, i, n] = -D * math.log(sigma) - (away @ away) / (2 * sigma**2)
            three[1, i, n] = -(z[i, n] @ z[i, n]) / 2
            for d in range(Z):
                three[2, i, n] += ((z[i, n, d] - m[n, d]) / s[n, d]) ** 2 / 2 + math.log(s[n, d])
    three[0] -= D / 2 * math.log(2 * math.pi)
    three[1] -= Z / 2 * math.log(2 * math.pi)
    three[2] += Z / 2 * math.log(2 * math.pi)
    return three[0], three[1], three[2]

# %% log_evidence
def log_evidence(x, W, b, sigma):
    D = len(b)
    C = W @ W.T + sigma**2 * np.eye(D)
    L = np.linalg.cholesky(C)
    values = []
    for row in x:
        u = np.linalg.solve(L, row - b) if D < 50 else None
        if u is None:
            break
        values.append(-0.5 * (u @ u) - np.log(np.diag(L)).sum() - D / 2 * math.log(2 * math.pi))
    if len(values) < len(x):  # all rows in one solve where that matters
        u = np.linalg.solve(L, (x - b).T)
        values = -0.5 * (u**2).sum(0) - np.log(np.diag(L)).sum() - D / 2 * math.log(2 * math.pi)
    return np.array(values)

# %% importance_weighted
def importance_weighted(log_w, k):
    S, N = log_w.shape
    if k < 1 or S % k != 0:
        raise ValueError(f"{k} is no divisor of {S}")
    total = np.zeros(N)
    for n in range(N):
        for start in range(0, S, k):
            block = log_w[start : start + k, n]
            top = max(block)
            total[n] += top + math.log(sum(math.exp(v - top) for v in block) / k)
    return total / (S // k)
