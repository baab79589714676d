"""Correct: written in torch and handed back as numpy arrays."""

FAILS = set()

# %% log_normalize
import torch


def log_normalize(log_joint):
    a = torch.from_numpy(np.array(log_joint))
    if torch.isneginf(a).all(dim=-1).any():
        raise ValueError("a datum that no component can have produced")
    log_evidence = torch.logsumexp(a, dim=-1)
    return torch.log_softmax(a, dim=-1).numpy(), log_evidence.numpy()


# %% responsibilities
def responsibilities(log_likelihood, log_weights=None):
    a = torch.as_tensor(log_likelihood)
    if log_weights is not None:
        a = a + torch.as_tensor(log_weights)
    return torch.softmax(a, dim=1)


# %% class_log_likelihood
def class_log_likelihood(images, means, variances):
    x = torch.as_tensor(images)
    columns = []
    for mean, variance in zip(means, variances):
        normal = torch.distributions.Normal(torch.as_tensor(mean), torch.as_tensor(variance).sqrt())
        columns.append(normal.log_prob(x).sum(dim=1))
    return torch.stack(columns, dim=1).numpy()


# %% tempered_responsibilities
def tempered_responsibilities(log_joint, temperature):
    if temperature < 0:
        raise ValueError("negative temperature")
    a = torch.as_tensor(log_joint)
    a = a - a.amax(dim=1, keepdim=True)
    if temperature == 0:
        top = (a == 0).double()
        return top / top.sum(dim=1, keepdim=True)
    return torch.softmax(a / temperature, dim=1)
