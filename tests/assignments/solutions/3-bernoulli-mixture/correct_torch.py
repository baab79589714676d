"""Correct: torch's distributions and tensors, handed back as arrays or as they are."""

FAILS = set()

# %% log_likelihood
import torch


def log_likelihood(x, probs):
    x, theta = torch.as_tensor(x, dtype=torch.float64), torch.as_tensor(probs)
    columns = [(torch.special.xlogy(x, t) + torch.special.xlog1py(1 - x, -t)).sum(1) for t in theta]
    return torch.stack(columns, 1)


# %% e_step
def e_step(x, probs):
    log_p = torch.tensor(trusted_log_likelihood(x, probs))
    log_evidence = torch.logsumexp(log_p, 1) - np.log(len(probs))
    return torch.softmax(log_p, 1), log_evidence


# %% m_step
def m_step(x, resp, *, min_prob):
    r = torch.as_tensor(resp)
    N = r.sum(0)
    S = r.T @ torch.as_tensor(x, dtype=r.dtype)
    theta = torch.where(N[:, None] > 0, S / N[:, None], torch.full_like(S, 0.5))
    return torch.clamp(theta, min_prob, 1 - min_prob).numpy()


# %% semi_supervised_e_step
def semi_supervised_e_step(log_joint, labels):
    a, y = torch.tensor(log_joint), torch.tensor(labels)
    allowed = (y[:, None] < 0) | (torch.arange(a.shape[1]) == y[:, None])
    a = torch.where(allowed, a, -torch.inf)
    return torch.softmax(a, 1).numpy(), torch.logsumexp(a, 1).numpy()
