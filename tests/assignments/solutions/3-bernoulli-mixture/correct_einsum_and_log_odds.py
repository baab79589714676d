"""Correct in another order: log-odds and a matrix product, contradictions counted apart, einsum."""

FAILS = set()

# %% sample
def sample(weights, probs, n, *, rng):
    u = rng.random((n, probs.shape[1] + 1))
    z = np.minimum(np.searchsorted(np.cumsum(weights), u[:, 0], side="right"), len(weights) - 1)
    return np.where(u[:, 1:] < probs[z], 1, 0), z


# %% log_likelihood
def log_likelihood(x, probs):
    certain = (probs == 0) | (probs == 1)
    safe = np.where(certain, 0.5, probs)
    w = np.where(certain, 0.0, np.log(safe) - np.log1p(-safe))
    b = np.einsum("kd->k", np.where(certain, 0.0, np.log1p(-safe)))
    contradictions = x @ (probs == 0).T.astype(float) + (1 - x) @ (probs == 1).T.astype(float)
    return np.where(contradictions > 0, -np.inf, np.einsum("nd,kd->nk", x, w) + b)


# %% e_step
def e_step(x, probs):
    log_joint = trusted_log_likelihood(x, probs) + np.log(1 / len(probs))
    log_evidence = np.logaddexp.reduce(log_joint, axis=1)
    return np.exp(log_joint - log_evidence[:, None]), log_evidence


# %% m_step
def m_step(x, resp, *, min_prob):
    ink = np.einsum("nk,nd->kd", resp, x, optimize=True)
    paper = np.einsum("nk,nd->kd", resp, 1.0 - x, optimize=True)
    both = resp.sum(axis=0)[:, None]
    with np.errstate(invalid="ignore"):
        probs = np.where(ink < paper, ink / both, 1 - paper / both)
    return np.minimum(np.maximum(np.nan_to_num(probs, nan=0.5), min_prob), 1 - min_prob)


# %% complete
def complete(x, seen, probs):
    resp, _ = e_step(x[:, seen], probs[:, seen])
    result = x.astype(float)
    result[:, ~seen] = np.einsum("nk,kd->nd", resp, probs[:, ~seen])
    return result


# %% semi_supervised_e_step
def semi_supervised_e_step(log_joint, labels):
    unknown = labels < 0
    allowed = unknown[:, None] | (labels[:, None] == np.arange(log_joint.shape[1]))
    masked = np.where(allowed, log_joint, -np.inf)
    log_posterior, log_observed = trusted_log_normalize(masked)
    return np.exp(log_posterior), log_observed
