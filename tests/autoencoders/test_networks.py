"""The networks against numpy on the same weights, and their distributions against scipy."""

import numpy as np
import pytest
import torch

from emvae.autoencoders import BernoulliNetwork, GaussianNetwork, StandardGaussian
from tests.autoencoders import oracles

COVARIANCES = ("diagonal", "full", "shared", "fixed")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def gaussian(sizes=(5, 7, 6, 3), covariance="diagonal", **options):
    options = {"scale": 0.7} if covariance in ("shared", "fixed") and not options else options
    return GaussianNetwork(list(sizes), covariance=covariance, generator=generator(), **options).double()


X = np.random.default_rng(0).normal(size=(4, 5))


@pytest.mark.parametrize("sizes", [(5, 3), (5, 7, 3), (5, 7, 6, 3), (5, 4, 1)])
@pytest.mark.parametrize("covariance", COVARIANCES)
def test_a_gaussian_network_returns_the_gaussian_of_its_weights(covariance, sizes):
    network = gaussian(sizes, covariance)
    q = network(torch.from_numpy(X))
    mean, matrix = oracles.gaussian_moments(network, X)
    assert q.batch_shape == (4,)
    assert q.event_shape == (sizes[-1],)
    np.testing.assert_allclose(oracles.numbers(q.mean), mean, atol=1e-14)
    np.testing.assert_allclose(oracles.numbers(q.variance), matrix.diagonal(axis1=1, axis2=2), rtol=1e-13)
    z = np.random.default_rng(1).normal(size=(3, 4, sizes[-1]))
    expected = oracles.gaussian_log_density(z, mean, matrix)
    np.testing.assert_allclose(oracles.numbers(q.log_prob(torch.from_numpy(z))), expected, rtol=1e-12)
    np.testing.assert_allclose(oracles.numbers(q.entropy()), oracles.gaussian_entropy(matrix), rtol=1e-12)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_a_table_of_inputs_gives_a_table_of_gaussians(covariance):
    """A decoder gets z (S, N, Z): row s has to be what z[s] alone gives."""
    network, table = gaussian(covariance=covariance), torch.from_numpy(np.stack([X, 2 - X]))
    z = torch.linspace(-1, 1, 3, dtype=torch.float64)
    together = network(table)
    assert together.batch_shape == (2, 4)
    rows = torch.stack([network(row).log_prob(z) for row in table])
    torch.testing.assert_close(together.log_prob(z), rows, rtol=1e-12, atol=0)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_samples_have_the_covariance(covariance):
    """Means and products of 40,000 draws; each entry exceeds 4.5 standard errors with probability 7e-6."""
    network = gaussian((5, 7, 3), covariance)
    mean, matrix = oracles.gaussian_moments(network, X)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        z = network(torch.from_numpy(X)).rsample((40_000,)).numpy() - mean
    products = z[..., :, None] * z[..., None, :]
    for samples, truth in ((z, 0), (products, matrix)):
        error = samples.std(axis=0, ddof=1) / len(samples) ** 0.5
        assert (abs(samples.mean(axis=0) - truth) / error).max() < 4.5


@pytest.mark.parametrize("covariance", ["diagonal", "full"])
def test_gradients_reach_all_weights_of_an_encoder(covariance):
    network = gaussian((5, 7, 3), covariance)
    q = network(torch.from_numpy(X))
    (q.rsample().sum() + q.entropy().sum()).backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())


def test_a_shared_scale_is_learned_and_a_fixed_one_is_not():
    shared, fixed = gaussian((5, 3), "shared"), gaussian((5, 3), "fixed")
    shared(torch.from_numpy(X)).log_prob(torch.zeros(4, 3)).sum().backward()
    assert shared.log_sigma.exp().item() == pytest.approx(0.7)
    assert shared.log_sigma.grad.abs().item() > 0
    assert [name for name, _ in fixed.named_parameters()] == ["loc.weight", "loc.bias"]
    assert fixed(torch.from_numpy(X)).stddev.unique().tolist() == [0.7]


@pytest.mark.parametrize("covariance", ["fixed", "shared", "diagonal", "full"])
def test_a_network_that_has_diverged_leaves_the_complaint_to_the_training(covariance):
    network = gaussian(covariance=covariance)
    with torch.no_grad():
        for value in network.parameters():
            value.fill_(torch.nan)
    assert network(torch.from_numpy(X)).mean.isnan().all()


def test_the_prior_is_standard():
    p = StandardGaussian(3)()
    assert (p.batch_shape, p.event_shape) == ((), (3,))
    z = np.random.default_rng(0).normal(size=(2, 4, 3))
    expected = -0.5 * (z**2 + np.log(2 * np.pi)).sum(axis=-1)
    np.testing.assert_allclose(p.log_prob(torch.from_numpy(z)), expected, rtol=1e-6)


@pytest.mark.parametrize("sizes", [(2, 6), (2, 8, 6), (2, 8, 7, 6)])
def test_a_bernoulli_network_scores_bits_and_grey_levels(sizes):
    network = BernoulliNetwork(sizes, generator=generator()).double()
    rng = np.random.default_rng(0)
    z, bits, grey = rng.normal(size=(3, 4, 2)), rng.integers(0, 2, (4, 6)) * 1.0, rng.uniform(size=(4, 6))
    p = network(torch.from_numpy(z))
    assert (p.batch_shape, p.event_shape) == ((3, 4), (6,))
    for x in (bits, grey):
        expected = oracles.bernoulli_log_likelihood(network, x, z)
        np.testing.assert_allclose(oracles.numbers(p.log_prob(torch.from_numpy(x))), expected, rtol=1e-12)
    logits = oracles.perceptron(network.logits, z)
    np.testing.assert_allclose(oracles.numbers(p.mean), 1 / (1 + np.exp(-logits)), rtol=1e-12)


def test_initial_weights_are_torchs_and_come_from_the_generator():
    state = torch.get_rng_state()
    one, same, other = (
        BernoulliNetwork([400, 300], generator=generator(seed)).logits[0] for seed in (1, 1, 2)
    )
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one.weight, same.weight)
    assert not torch.equal(one.weight, other.weight)
    assert not torch.equal(one.bias, other.bias)
    for values in (one.weight, one.bias):
        assert 0.95 / 20 < values.abs().max() <= 1 / 20  # uniform up to 1 / sqrt(400)
        assert abs(values.mean()) < 5 / 20 / 3**0.5 / values.numel() ** 0.5


def test_networks_run_in_half_the_precision_too():
    q = GaussianNetwork([5, 4, 2], covariance="full", generator=generator())(torch.zeros(3, 5))
    assert q.rsample().dtype == torch.float32


BAD = {
    "no sizes": (lambda: gaussian([]), r"sizes = \[\]: pass the widths of all layers"),
    "one size": (lambda: gaussian([5]), r"sizes = \[5\]: pass the widths"),
    "sizes as text": (
        lambda: BernoulliNetwork("5,2", generator=generator()),
        r"sizes = '5,2': pass the widths",
    ),
    "no width": (lambda: gaussian([5, 0, 2]), r"sizes = 0: it should be at least 1"),
    "half a unit": (lambda: gaussian([5, 2.5, 2]), r"sizes = 2\.5 is not an integer"),
    "another covariance": (
        lambda: gaussian(covariance="tied"),
        r"covariance = 'tied': pass one of 'diagonal', 'full', 'shared', 'fixed'",
    ),
    "no spread": (lambda: gaussian(covariance="fixed", scale=0.0), r"scale = 0.*should be positive"),
    "negative spread": (lambda: gaussian(covariance="shared", scale=-1.0), r"scale = -1\.0: it should be"),
    "an idle scale": (lambda: gaussian(scale=2.0), r"scale is not used by covariance='diagonal': drop it"),
    "a seed": (lambda: GaussianNetwork([5, 2], generator=0), r"generator is a int: pass a torch\.Generator"),
    "numpy's generator": (
        lambda: BernoulliNetwork([2, 5], generator=np.random.default_rng()),
        r"generator is a Generator: pass a torch\.Generator",
    ),
    "no latent": (lambda: StandardGaussian(0), r"n_latent = 0: it should be at least 1"),
    "half a latent": (lambda: StandardGaussian(0.5), r"n_latent = 0\.5 is not an integer"),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD.keys())
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()
