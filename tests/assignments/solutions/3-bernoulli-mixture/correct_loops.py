"""Correct: loops over components and pixels, the standard library's logarithm."""

FAILS = set()

# %% sample
def sample(weights, probs, n, *, rng):
    x, z = [], []
    for _ in range(n):
        u, k = rng.random(), 0
        while k < len(weights) - 1 and u >= weights[k]:
            u -= weights[k]
            k += 1
        z.append(k)
        x.append([int(rng.random() < p) for p in probs[k]])
    return x, z


# %% log_likelihood
import math


def log_likelihood(x, probs):
    N, D = x.shape
    result = np.zeros((N, len(probs)))
    for k, row in enumerate(probs):
        for d in range(D):
            on = math.log(row[d]) if row[d] > 0 else -math.inf
            off = math.log1p(-row[d]) if row[d] < 1 else -math.inf
            column = np.full(N, off)
            column[x[:, d] == 1] = on
            result[:, k] += column
    return result


# %% e_step
def e_step(x, probs):
    K = len(probs)
    resp, log_evidence = [], []
    for row in trusted_log_likelihood(x, probs):
        top = max(row)
        e = [math.exp(v - top) for v in row]
        resp.append([v / sum(e) for v in e])
        log_evidence.append(top + math.log(sum(e) / K))
    return np.array(resp), np.array(log_evidence)


# %% m_step
def m_step(x, resp, *, min_prob):
    K = resp.shape[1]
    probs = np.zeros((K, x.shape[1]))
    for k in range(K):
        N_k = resp[:, k].sum()
        for d in range(x.shape[1]):
            theta = 0.5 if N_k == 0 else resp[:, k] @ x[:, d] / N_k
            probs[k, d] = min(max(theta, min_prob), 1 - min_prob)
    return probs


# %% complete
def complete(x, seen, probs):
    where = [d for d in range(len(seen)) if seen[d]]
    log_p = log_likelihood(x[:, where], probs[:, where])
    result = np.zeros(x.shape)
    for n in range(len(x)):
        r = np.exp(log_p[n] - max(log_p[n]))
        r = r / r.sum()
        for d in range(x.shape[1]):
            result[n, d] = x[n, d] if seen[d] else sum(r[k] * probs[k, d] for k in range(len(probs)))
    return result


# %% semi_supervised_e_step
def semi_supervised_e_step(log_joint, labels):
    resp, observed = np.zeros(log_joint.shape), []
    for n, label in enumerate(labels):
        if label == -1:
            top = log_joint[n].max()
            e = np.exp(log_joint[n] - top)
            resp[n] = e / e.sum()
            observed.append(top + math.log(e.sum()))
        else:
            resp[n, label] = 1
            observed.append(log_joint[n, label])
    return resp, np.array(observed)
