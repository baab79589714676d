"""The two distributions against torch's own, value and gradient, and their divergence by quadrature."""

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Independent, MultivariateNormal, kl_divergence

from emvae.autoencoders import DiagonalNormal, IndependentBernoulli


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("values", ["bits", "grey"])
def test_log_prob_and_its_gradient_are_those_of_torch(values):
    logits = 3 * draw(2, 4, 6)
    x = torch.sigmoid(draw(4, 6, seed=1))
    x = x.round() if values == "bits" else x
    results = []
    for make in (IndependentBernoulli, lambda v: Independent(Bernoulli(logits=v, validate_args=False), 1)):
        leaf = logits.clone().requires_grad_()
        log_prob = make(leaf).log_prob(x)
        log_prob.square().sum().backward()
        results.append((log_prob.detach(), leaf.grad))
    assert results[0][0].shape == (2, 4)
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_extreme_logits_give_no_infinity():
    logits = torch.tensor([[-1e4, 1e4, 0.0]], dtype=torch.float64, requires_grad=True)
    p = IndependentBernoulli(logits)
    right, wrong = (p.log_prob(torch.tensor(x).double()) for x in ([0, 1, 0], [1, 0, 0]))
    assert right.item() == pytest.approx(-np.log(2), rel=1e-10)
    assert wrong.item() == pytest.approx(-2e4 - np.log(2), rel=1e-14)
    wrong.backward()
    assert logits.grad.tolist() == [[1.0, -1.0, -0.5]]


def test_the_rest_of_a_bernoulli_is_torchs():
    p = IndependentBernoulli(torch.tensor([[0.0, 1.0], [2.0, -1.0]]))
    assert (p.batch_shape, p.event_shape) == ((2,), (2,))
    torch.testing.assert_close(p.mean, torch.sigmoid(p.base_dist.logits))
    assert p.entropy().shape == (2,)
    assert set(p.sample((50,)).unique().tolist()) == {0.0, 1.0}


def test_the_divergence_of_a_full_from_a_diagonal_gaussian():
    """Against torch's for two full ones, whose code is another."""
    factor = torch.tril(draw(3, 4, 4), -1) + torch.diag_embed(draw(3, 4, seed=1).exp())
    q = MultivariateNormal(draw(3, 4, seed=2), scale_tril=factor)
    loc, scale = draw(3, 4, seed=3), draw(3, 4, seed=4).exp()
    p = DiagonalNormal(loc, scale)
    same = MultivariateNormal(loc, scale_tril=torch.diag_embed(scale))
    torch.testing.assert_close(kl_divergence(q, p), kl_divergence(q, same), rtol=1e-12, atol=1e-12)
    standard = DiagonalNormal(torch.zeros(4, dtype=torch.float64), torch.ones(4, dtype=torch.float64))
    assert kl_divergence(q, standard).shape == (3,)


def test_the_divergence_by_quadrature():
    factor = torch.tensor([[0.8, 0], [0.5, 1.2]], dtype=torch.float64)
    q = MultivariateNormal(torch.tensor([0.3, -0.7], dtype=torch.float64), scale_tril=factor)
    p = DiagonalNormal(torch.tensor([0.1, 0.2], dtype=torch.float64), torch.tensor([1.5, 0.9]).double())
    axis = torch.linspace(-12, 12, 401, dtype=torch.float64)
    z = torch.cartesian_prod(axis, axis)
    log_q = q.log_prob(z)
    integral = (log_q.exp() * (log_q - p.log_prob(z))).sum() * (axis[1] - axis[0]) ** 2
    assert kl_divergence(q, p).item() == pytest.approx(integral.item(), abs=1e-10)
