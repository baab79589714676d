"""Correct: torch tensors inside, its own distributions for the density."""

FAILS = set()

# %% gaussian_log_density
import torch
from torch.distributions import MultivariateNormal


def gaussian_log_density(x, mean, covariance):
    gaussian = MultivariateNormal(torch.as_tensor(mean), torch.as_tensor((covariance + covariance.T) / 2))
    return gaussian.log_prob(torch.as_tensor(x))


# %% e_step
def e_step(x, parameters):
    means, covariances = torch.tensor(parameters.means), torch.tensor(parameters.covariances)
    densities = MultivariateNormal(means, covariances).log_prob(torch.tensor(x)[:, None])
    log_joint = densities + torch.tensor(parameters.weights).log()
    return torch.softmax(log_joint, dim=1).numpy(), torch.logsumexp(log_joint, dim=1).numpy()


# %% m_step
def m_step(x, resp, old):
    x, r = torch.tensor(x), torch.tensor(resp)
    counts = r.sum(0)
    shares = torch.nan_to_num(r / counts)
    means = shares.T @ x
    offsets = x.unsqueeze(1) - means
    covariances = torch.einsum("nk,nki,nkj->kij", shares, offsets, offsets)
    empty = counts == 0
    means[empty] = torch.tensor(old.means)[empty]
    covariances[empty] = torch.tensor(old.covariances)[empty]
    return Parameters((counts / len(x)).numpy(), means.numpy(), covariances.numpy())
