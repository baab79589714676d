"""The bounds against numpy on the same draws, closed forms, meshes and finite differences."""

import dataclasses
import math
import re

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from torch import nn
from torch.distributions import (
    Categorical,
    Distribution,
    Independent,
    MixtureSameFamily,
    Normal,
    OneHotCategorical,
    StudentT,
    TransformedDistribution,
)
from torch.distributions.kl import register_kl
from torch.distributions.transforms import TanhTransform

from emvae import bounds
from emvae.autoencoders import (
    VAE,
    Autoencoder,
    BernoulliNetwork,
    DiagonalNormal,
    GaussianNetwork,
    LinearGaussianVAE,
    StandardGaussian,
)
from emvae.bounds import (
    ImportanceWeightedBound,
    NegativeELBO,
    NegativeIWBound,
    ReconstructionError,
    elbo_analytic_entropy,
    elbo_analytic_kl,
    elbo_monte_carlo,
    elbo_sticking_the_landing,
    importance_weighted_bound,
)
from emvae.checks import standard_errors
from emvae.elbo import ELBO
from tests.autoencoders import oracles

FORMS = (elbo_analytic_kl, elbo_analytic_entropy, elbo_monte_carlo, elbo_sticking_the_landing)
every_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
S, N, D, Z = 3, 4, 6, 2
X = np.random.default_rng(0).integers(0, 2, (N, D)) * 1.0


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def make_vae(covariance="full", **options):
    g = generator(3)
    posterior = GaussianNetwork([D, 5, Z], covariance=covariance, generator=g)
    return VAE(StandardGaussian(Z), posterior, BernoulliNetwork([Z, 5, D], generator=g, **options)).double()


def linear_model(seed=1, n_features=4, n_latent=2):
    g = generator(seed)
    model = LinearGaussianVAE(n_features, n_latent, generator=g)
    with torch.no_grad():
        for value in model.parameters():
            value.normal_(std=0.4, generator=g)
    return model


LINEAR_X = torch.randn(5, 4, generator=generator(9), dtype=torch.float64)


def atoms_by_numpy(vae, n_samples, seed):
    """log p(x | z), log p(z) and -log q(z) at z = m + L eps, and H[q] and KL, all from the bare weights."""
    mean, covariance = oracles.gaussian_moments(vae.encoder, X)
    eps = torch.randn(n_samples, N, Z, generator=generator(seed), dtype=torch.float64).numpy()
    z = mean + np.einsum("nij,snj->sni", np.linalg.cholesky(covariance), eps)
    return {
        "log_likelihood": oracles.bernoulli_log_likelihood(vae.decoder, X, z),
        "log_prior": -0.5 * (z**2).sum(axis=-1) - np.log(2 * np.pi),
        "surprise": -oracles.gaussian_log_density(z, mean, covariance),
        "entropy": np.tile(oracles.gaussian_entropy(covariance), (n_samples, 1)),
        "kl": np.tile(oracles.gaussian_kl_to_standard(mean, covariance), (n_samples, 1)),
    }


# --- the forms


@pytest.mark.parametrize("covariance", ["diagonal", "full"])
@every_form
def test_the_atoms_of_each_form_draw_by_draw(form, covariance):
    vae = make_vae(covariance)
    truth = atoms_by_numpy(vae, S, seed=5)
    bound = form(vae, torch.from_numpy(X), n_samples=S, generator=generator(5))
    expected = {
        elbo_analytic_kl: {"kl_to_prior": "kl"},
        elbo_analytic_entropy: {"expected_log_prior": "log_prior", "entropy": "entropy"},
        elbo_monte_carlo: {"expected_log_prior": "log_prior", "entropy": "surprise"},
        elbo_sticking_the_landing: {"expected_log_prior": "log_prior", "entropy": "surprise"},
    }[form]
    assert {field.name for field in dataclasses.fields(bound)} == {"expected_log_likelihood", *expected}
    for name, source in {"expected_log_likelihood": "log_likelihood", **expected}.items():
        ours, theirs = getattr(bound, name), truth[source]
        assert ours.shape == (S, N)
        np.testing.assert_allclose(oracles.numbers(ours), theirs, rtol=1e-12, atol=1e-12)


class Walk(Distribution):
    """What a path gives: draws, and a divergence from the prior; no density, no entropy."""

    arg_constraints = {}  # noqa: RUF012  # torch asks for it on the class
    has_rsample = True

    def __init__(self, drift):
        super().__init__(drift.shape[:1], drift.shape[1:], validate_args=False)
        self.drift = drift

    def rsample(self, shape=()):
        return self.drift + torch.randn(*shape, *self.drift.shape, dtype=self.drift.dtype)


@register_kl(Walk, DiagonalNormal)
def kl_of_a_walk(q, p):
    return 0.5 * q.drift.square().sum(-1)


def test_form_1_needs_a_divergence_and_nothing_else_of_q():
    """Value and gradient of the drift, where it has them from nowhere but the draws and the divergence."""
    vae = make_vae()
    drift = torch.randn(N, Z, generator=generator(4), dtype=torch.float64)
    walk = VAE(vae.prior, Returns(Walk(drift.requires_grad_())), vae.decoder)
    bound = elbo_analytic_kl(walk, torch.from_numpy(X), n_samples=S, generator=generator(5))
    z = drift.detach() + torch.randn(S, N, Z, generator=generator(5), dtype=torch.float64)
    likelihood = oracles.bernoulli_log_likelihood(vae.decoder, X, z.numpy())
    kl = 0.5 * (drift.detach().numpy() ** 2).sum(axis=1)
    np.testing.assert_allclose(oracles.numbers(bound.value), likelihood - kl, rtol=1e-12)
    np.testing.assert_allclose(oracles.numbers(bound.gap(torch.zeros(N))), kl - likelihood, rtol=1e-12)
    silent = NegativeELBO(beta=0.0), NegativeELBO(beta=3.0)
    losses = [f(walk, torch.from_numpy(X), generator=generator(5), step=0) for f in silent]
    (slope,) = torch.autograd.grad(losses[1] - losses[0], drift)
    torch.testing.assert_close(slope, 3 * drift.detach() / N, rtol=1e-10, atol=1e-12)
    with pytest.raises(
        ValueError, match=r"^no closed form for the entropy of Walk: choose elbo_analytic_kl or"
    ):
        elbo_analytic_entropy(walk, torch.from_numpy(X), generator=generator())


@pytest.mark.parametrize("form", FORMS[:3], ids=lambda form: form.__name__)
def test_torchs_own_normal_is_as_good_as_ours(form):
    vae = make_vae("diagonal")
    q = vae.encoder(torch.from_numpy(X))
    theirs = VAE(vae.prior, Returns(Independent(Normal(q.mean, q.stddev), 1)), vae.decoder)
    ours, other = (form(model, torch.from_numpy(X), generator=generator(1)).value for model in (vae, theirs))
    torch.testing.assert_close(ours, other, rtol=1e-12, atol=1e-12)


@every_form
def test_one_draw_is_the_default_and_the_generator_moves_on(form):
    vae, x, g = make_vae(), torch.from_numpy(X), generator()
    first, second = form(vae, x, generator=g).value, form(vae, x, generator=g).value
    assert first.shape == (1, N)
    assert not torch.equal(first, second)
    assert torch.equal(first, form(vae, x, n_samples=1, generator=generator()).value)


@every_form
def test_the_mean_is_the_bound(form):
    """20 means of 20,000 draws, against the closed form: beyond 4.5 standard errors with probability 1e-4."""
    model = linear_model()
    with torch.no_grad():
        value = form(model, LINEAR_X, n_samples=20_000, generator=generator()).value
    assert standard_errors(value, model.exact_elbo(LINEAR_X).value.detach()) < 4.5


def test_where_q_is_the_posterior_form_3_has_no_variance_and_the_others_have():
    model = linear_model()
    model.close_gap()
    evidence = model.log_evidence(LINEAR_X)
    spread = {
        form: (form(model, LINEAR_X, n_samples=50, generator=generator()).value - evidence).abs().max().item()
        for form in FORMS
    }
    assert spread[elbo_monte_carlo] < 1e-12
    assert spread[elbo_sticking_the_landing] < 1e-12
    assert spread[elbo_analytic_kl] > 0.1
    assert spread[elbo_analytic_entropy] > 0.1


def gradient(model, value):
    """All derivatives of a scalar in one vector; zeros where nothing depends."""
    grads = torch.autograd.grad(value, list(model.parameters()), allow_unused=True)
    parts = [torch.zeros_like(p) if g is None else g for p, g in zip(model.parameters(), grads, strict=True)]
    return torch.cat([part.flatten() for part in parts])


@pytest.mark.parametrize("form", FORMS[:3], ids=lambda form: form.__name__)
def test_the_gradient_is_the_slope_for_given_draws(form):
    """Central differences in every weight of the encoder and the decoder."""
    vae, x = make_vae(), torch.from_numpy(X)

    def value():
        return form(vae, x, n_samples=S, generator=generator(2)).value.mean()

    ours, slopes, h = gradient(vae, value()), [], 1e-5
    for weight in vae.parameters():
        flat = weight.data.view(-1)
        for i in range(len(flat)):
            kept = flat[i].item()
            ends = []
            for shift in (h, -h):
                flat[i] = kept + shift
                ends.append(value().item())
            flat[i] = kept
            slopes.append((ends[0] - ends[1]) / (2 * h))
    np.testing.assert_allclose(ours.numpy(), slopes, atol=1e-8)
    assert ours.abs().max() > 0.1


def test_sticking_the_landing_leaves_out_the_score_and_nothing_else():
    vae, x = make_vae(), torch.from_numpy(X)
    full = elbo_monte_carlo(vae, x, n_samples=S, generator=generator(2)).value.sum()
    stuck = elbo_sticking_the_landing(vae, x, n_samples=S, generator=generator(2)).value.sum()
    assert stuck.item() == pytest.approx(full.item(), rel=1e-13)
    q = vae.encoder(x)
    eps = torch.randn(S, N, Z, generator=generator(2), dtype=torch.float64)
    z = (q.loc + (q.scale_tril @ eps.unsqueeze(-1)).squeeze(-1)).detach()
    score = gradient(vae, q.log_prob(z).sum())
    difference = gradient(vae, stuck) - gradient(vae, full)
    torch.testing.assert_close(difference, score, rtol=1e-9, atol=1e-9)
    assert score.abs().max() > 0.1


def test_at_the_posterior_the_stuck_gradient_is_zero_for_every_draw():
    model = linear_model()
    model.close_gap()
    for form, zero in (
        (elbo_sticking_the_landing, True),
        (elbo_monte_carlo, False),
        (elbo_analytic_kl, False),
    ):
        value = form(model, LINEAR_X, generator=generator()).value.sum()
        largest = max(g.abs().max() for g in torch.autograd.grad(value, list(model.encoder.parameters())))
        assert (largest < 1e-10) == zero


@every_form
def test_the_mean_gradient_is_that_of_the_bound(form):
    """400 gradients against autograd of the closed form; 26 entries, 4.5 standard errors: 2e-4."""
    model, g = linear_model(), generator()
    truth = gradient(model, model.exact_elbo(LINEAR_X).value.sum())
    draws = [gradient(model, form(model, LINEAR_X, generator=g).value.sum()) for _ in range(400)]
    unused = truth == 0  # the part of L above its diagonal
    assert torch.stack(draws)[:, unused].abs().max() == 0
    assert standard_errors(torch.stack(draws)[:, ~unused], truth[~unused]) < 4.5


def test_forms_2_and_3_have_one_gradient_for_a_location_scale_q():
    vae, x = make_vae("diagonal"), torch.from_numpy(X)
    two, three = (
        gradient(vae, form(vae, x, n_samples=S, generator=generator(2)).value.sum())
        for form in (elbo_analytic_entropy, elbo_monte_carlo)
    )
    torch.testing.assert_close(two, three, rtol=1e-12, atol=1e-12)


# --- the importance-weighted bound


class Replay(Distribution):
    """Hands out given z one after the other, and scores them by given log densities."""

    arg_constraints = {}  # noqa: RUF012  # torch asks for it on the class
    has_rsample = False

    def __init__(self, z, log_q):
        super().__init__(torch.Size([z.shape[1]]), torch.Size([z.shape[2]]), validate_args=False)
        self.z, self.log_q, self.used, self.drawn = z, log_q, 0, []

    def sample(self, shape=()):
        (n,) = shape
        self.used += n
        return self.z[self.used - n : self.used]

    def log_prob(self, z):
        return self.log_q[self.used - len(z) : self.used]


class Returns(nn.Module):
    """A module that returns what it was given, and notes how many rows it saw."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, *_):
        return self.value


class Recording(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner, self.rows = inner, []

    def forward(self, z):
        self.rows.append(z.shape[:-1].numel())
        return self.inner(z)


@pytest.mark.parametrize("block_size", [1, N, 2 * N + 1, 5 * N, 1000])
def test_the_bound_is_the_log_of_the_mean_weight_whatever_the_blocks(block_size):
    vae, n = make_vae(), 7
    truth = atoms_by_numpy(vae, n, seed=5)
    log_weights = truth["log_likelihood"] + truth["log_prior"] + truth["surprise"]
    mean, covariance = oracles.gaussian_moments(vae.encoder, X)
    eps = torch.randn(n, N, Z, generator=generator(5), dtype=torch.float64).numpy()
    z = mean + np.einsum("nij,snj->sni", np.linalg.cholesky(covariance), eps)
    for row in range(N) if block_size == 1 else [slice(None)]:
        rows = slice(row, row + 1) if block_size == 1 else row
        q = Replay(torch.from_numpy(z[:, rows]), torch.from_numpy(-truth["surprise"][:, rows]))
        replayed = VAE(vae.prior, Returns(q), Recording(vae.decoder))
        result = importance_weighted_bound(
            replayed, torch.from_numpy(X[rows]), n_samples=n, generator=generator(), block_size=block_size
        )
        weights = log_weights[:, rows]
        expected = logsumexp(weights, axis=0) - np.log(n)
        ess = np.exp(weights).sum(axis=0) ** 2 / (np.exp(weights) ** 2).sum(axis=0)
        np.testing.assert_allclose(result.value, expected, rtol=1e-12)
        np.testing.assert_allclose(result.effective_sample_size, ess, rtol=1e-10)
        assert q.used == n
        assert max(replayed.decoder.rows) <= max(block_size, 1)
        assert sum(replayed.decoder.rows) == n * weights.shape[1]


def test_many_data_are_cut_into_blocks_too():
    vae = make_vae()
    vae.decoder = Recording(vae.decoder)
    x = torch.from_numpy(np.tile(X, (3, 1)))
    result = importance_weighted_bound(vae, x, n_samples=5, generator=generator(), block_size=5)
    assert result.value.shape == result.effective_sample_size.shape == (12,)
    assert vae.decoder.rows == [5] * 10 + [4, 4] + [2]
    assert not torch.equal(result.value[:4], result.value[4:8])  # equal data, fresh draws


def test_1024_points_are_decoded_at_a_time():
    vae = make_vae()
    vae.decoder = Recording(vae.decoder)
    importance_weighted_bound(vae, torch.from_numpy(X), n_samples=400, generator=generator())
    assert vae.decoder.rows == [1024, 576]


def test_with_one_sample_it_is_form_3():
    vae, x = make_vae(), torch.from_numpy(X)
    result = importance_weighted_bound(vae, x, n_samples=1, generator=generator(4))
    value = elbo_monte_carlo(vae, x, generator=generator(4)).value[0].detach()
    torch.testing.assert_close(result.value, value, rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(result.effective_sample_size, torch.ones(N).double(), rtol=1e-12, atol=0)
    assert not result.value.requires_grad


def test_at_the_posterior_every_sample_says_the_evidence():
    model = linear_model()
    model.close_gap()
    result = importance_weighted_bound(model, LINEAR_X, n_samples=33, generator=generator())
    torch.testing.assert_close(result.value, model.log_evidence(LINEAR_X).detach(), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(result.effective_sample_size, torch.full((5,), 33.0).double())


def test_it_rises_with_the_samples_to_the_evidence():
    """Means of 20,000 repetitions: each step up by more than 4.5 standard errors, none above the evidence."""
    vae, x = make_vae(), torch.from_numpy(np.repeat(X[:1], 20_000, axis=0))
    evidence = oracles.log_evidence_by_quadrature(vae.decoder, X[:1])[0]
    means, errors = [], []
    for n in (1, 2, 5, 20, 100):
        result = importance_weighted_bound(vae, x, n_samples=n, generator=generator(n), block_size=10**6)
        means.append(result.value.mean().item())
        errors.append(result.value.std().item() / 20_000**0.5)
    for i in range(4):
        assert means[i + 1] - means[i] > 4.5 * math.hypot(errors[i], errors[i + 1])
    assert means[4] < evidence + 4.5 * errors[4]
    assert evidence - means[0] > 20 * (evidence - means[4])


def test_the_mean_weight_is_the_evidence_of_a_discrete_latent():
    """Three components as one-hot latents, a q without rsample; 60,000 weights, 4.5 standard errors."""
    weights, logits = (
        torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64),
        torch.randn(3, D, generator=generator()).double(),
    )
    decoder = BernoulliNetwork([3, D], generator=generator()).double()
    with torch.no_grad():
        decoder.logits[0].weight.copy_(logits.T)
        decoder.logits[0].bias.zero_()
    q = OneHotCategorical(torch.tensor([[0.2, 0.5, 0.3]], dtype=torch.float64))
    vae = VAE(Returns(OneHotCategorical(weights)), Returns(q), decoder)
    x = torch.from_numpy(X[:1])
    evidence = sum(
        w * np.prod([p if bit else 1 - p for p, bit in zip(1 / (1 + np.exp(-row)), X[0], strict=True)])
        for w, row in zip(weights.numpy(), logits.numpy(), strict=True)
    )
    runs = [
        importance_weighted_bound(vae, x, n_samples=600, generator=generator(seed)).value.exp().item()
        for seed in range(100)
    ]
    assert standard_errors(runs, evidence) < 4.5
    everything = importance_weighted_bound(
        VAE(vae.prior, Returns(Replay(torch.eye(3).double()[:, None], q.probs.log().T)), decoder),
        x,
        n_samples=3,
        generator=generator(),
    )
    by_hand = [
        np.log(w / r)
        + sum(np.log(p if bit else 1 - p) for p, bit in zip(1 / (1 + np.exp(-row)), X[0], strict=True))
        for w, r, row in zip(weights.numpy(), q.probs[0].numpy(), logits.numpy(), strict=True)
    ]
    assert everything.value.item() == pytest.approx(logsumexp(by_hand) - np.log(3), rel=1e-12)


def test_single_precision_stays_single_and_sums_in_double():
    vae = make_vae().float()
    x = torch.from_numpy(X).float()
    result = importance_weighted_bound(vae, x, n_samples=20_000, generator=generator(), block_size=32)
    assert result.value.dtype == result.effective_sample_size.dtype == torch.float32
    evidence = oracles.log_evidence_by_quadrature(vae.decoder, X)
    error = 1 / result.effective_sample_size.numpy() - 1 / 20_000
    np.testing.assert_array_less(abs(result.value.numpy() - evidence), 4.5 * error**0.5)


# --- objectives


@every_form
def test_the_negative_elbo_is_the_mean_over_the_batch(form):
    vae, x = make_vae(), torch.from_numpy(X)
    ours = NegativeELBO(form, n_samples=S)(vae, x, generator=generator(1), step=0)
    theirs = -form(vae, x, n_samples=S, generator=generator(1)).value.mean()
    assert ours.shape == ()
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-13)
    torch.testing.assert_close(gradient(vae, ours), gradient(vae, theirs), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("step", "weight"), [(0, 0.0), (1, 0.5), (2, 1.0), (3, 1.5), (4, 2.0), (5, 2.0), (10**6, 2.0)]
)
def test_beta_weighs_the_divergence_after_a_warm_up(step, weight):
    vae, x = make_vae(), torch.from_numpy(X)
    bound = elbo_analytic_kl(vae, x, generator=generator(1))
    expected = (weight * bound.kl_to_prior - bound.expected_log_likelihood).mean()
    objective = NegativeELBO(beta=2.0, warm_up_steps=4)
    assert objective.weight(step) == weight
    assert objective(vae, x, generator=generator(1), step=step).item() == pytest.approx(
        expected.item(), rel=1e-13
    )


def test_without_warm_up_beta_holds_from_the_first_step():
    assert NegativeELBO(beta=0.3).weight(0) == 0.3
    assert NegativeELBO().weight(0) == NegativeELBO().weight(10**6) == 1.0


@pytest.mark.parametrize("n_samples", [1, 6])
def test_the_negative_iw_bound_is_the_mean_of_log_mean_weights(n_samples):
    vae, x = make_vae(), torch.from_numpy(X)
    truth = atoms_by_numpy(vae, n_samples, seed=5)
    log_weights = truth["log_likelihood"] + truth["log_prior"] + truth["surprise"]
    expected = -(logsumexp(log_weights, axis=0) - np.log(n_samples)).mean()
    loss = NegativeIWBound(n_samples)(vae, x, generator=generator(5), step=0)
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    assert gradient(vae, loss).abs().max() > 0.01


def test_the_reconstruction_error_is_that_of_the_mean():
    vae, x = make_vae(), torch.from_numpy(X)
    mean, _ = oracles.gaussian_moments(vae.encoder, X)
    expected = -oracles.bernoulli_log_likelihood(vae.decoder, X, mean).mean()
    plain = Autoencoder(vae.encoder, vae.decoder)
    loss = ReconstructionError()(plain, x, generator=generator(), step=0)
    assert loss.item() == pytest.approx(expected, rel=1e-13)


class Catching:
    """A form that keeps the data it is given."""

    def __init__(self):
        self.x = None

    def __call__(self, vae, x, *, n_samples, generator):
        self.x = x
        return ELBO(*torch.zeros(3, n_samples, len(x)))


def drawn_bits(batch, seed=0, objective=NegativeELBO):
    form = Catching()
    objective(form, binarise=True)(None, batch, generator=generator(seed), step=0)
    return form.x


@pytest.mark.parametrize("kind", ["bytes", "floats"])
def test_bits_are_drawn_with_grey_levels_as_probabilities(kind):
    """6 grey levels, 40,000 draws each, 4.5 standard errors; paper and ink are certain."""
    levels = torch.tensor([0, 1, 50, 128, 254, 255], dtype=torch.uint8).repeat(40_000, 1)
    batch = levels if kind == "bytes" else levels.float() / 255
    bits = drawn_bits(batch)
    assert bits.dtype == torch.float32
    assert set(bits.unique().tolist()) == {0.0, 1.0}
    assert standard_errors(bits, levels[0] / 255) < 4.5
    assert bits[:, 0].max() == 0
    assert bits[:, 5].min() == 1
    assert torch.equal(bits, drawn_bits(batch))
    assert not torch.equal(bits, drawn_bits(batch, seed=1))


def test_paper_stays_paper_where_the_dice_fall_on_zero():
    dice = torch.rand(2**24, generator=generator(1))
    assert (dice == 0).any()
    assert drawn_bits(torch.zeros(2**24), seed=1).max() == 0


def test_bits_keep_the_precision_of_the_batch():
    assert drawn_bits(torch.full((3, 2), 0.5, dtype=torch.float64)).dtype == torch.float64


@pytest.mark.parametrize(
    "objective",
    [NegativeELBO, NegativeIWBound, ReconstructionError],
    ids=lambda objective: objective.__name__,
)
def test_all_objectives_draw_bits_or_leave_the_batch(objective):
    """Bytes of 0 and 1 are bits as they are; as grey levels they are all but paper."""
    vae = make_vae().float()
    model = Autoencoder(vae.encoder, vae.decoder) if objective is ReconstructionError else vae
    options = {"n_samples": 2} if objective is NegativeIWBound else {}
    bits, grey = torch.from_numpy(X).byte(), torch.from_numpy(X * 255).byte()

    def loss(batch, **more):
        return objective(**options, **more)(model, batch, generator=generator(), step=3)

    as_bits = loss(bits)
    assert torch.equal(as_bits, loss(bits.float()))
    assert loss(grey, binarise=True).isfinite()
    assert loss(grey, binarise=True) != loss(bits, binarise=True)
    as_bits.backward()


def test_nothing_is_drawn_from_the_global_stream():
    vae, x, state = make_vae(), torch.from_numpy(X), torch.get_rng_state()
    for form in FORMS:
        form(vae, x, generator=generator())
    importance_weighted_bound(vae, x, n_samples=3, generator=generator())
    NegativeELBO(binarise=True)(vae, x, generator=generator(), step=0)
    assert torch.equal(torch.get_rng_state(), state)


# --- bad input

PLAIN = Autoencoder(make_vae().encoder, make_vae().decoder)
WAYS_IN = {
    **{form.__name__: lambda vae, x, form=form: form(vae, x, generator=generator()) for form in FORMS},
    "importance_weighted_bound": lambda vae, x: importance_weighted_bound(
        vae, x, n_samples=2, generator=generator()
    ),
    "NegativeELBO": lambda vae, x: NegativeELBO()(vae, x, generator=generator(), step=0),
    "NegativeIWBound": lambda vae, x: NegativeIWBound(2)(vae, x, generator=generator(), step=0),
    "ReconstructionError": lambda vae, x: ReconstructionError()(
        Autoencoder(vae.encoder, vae.decoder), x, generator=generator(), step=0
    ),
}


def with_entry(value):
    x = torch.from_numpy(X).clone()
    x[2, 1] = value
    return x


BAD_DATA = {
    "an array": (X, r"x is a ndarray: pass a torch\.Tensor"),
    "images": (
        torch.zeros(3, 2, 3).double(),
        r"x is 3-d: pass a 2-d tensor of shape \(N, D\), images as x\.flat",
    ),
    "one image": (torch.zeros(D).double(), r"x is 1-d: pass a 2-d tensor"),
    "no rows": (torch.zeros(0, D).double(), r"x is empty with shape \(0, 6\): pass at least one datum"),
    "too wide": (
        torch.zeros(3, D + 1).double(),
        r"x has 7 features, the model has 6: pass data of the dimension",
    ),
    "too narrow": (
        torch.zeros(3, 1).double(),
        r"x has 1 features, the model has 6: pass data of the dimension",
    ),
    "NaN": (with_entry(torch.nan), r"x holds nan in row 2, column 1: drop or impute missing values"),
    "infinity": (with_entry(torch.inf), r"x holds inf in row 2, column 1: drop or impute missing values"),
    "minus infinity": (with_entry(-torch.inf), r"x holds -inf in row 2, column 1: drop or impute"),
    "grey": (
        with_entry(0.5),
        r"x holds 0\.5 in row 2, column 1, the decoder models bits: binarise grey levels",
    ),
    "nearly a bit": (
        with_entry(1e-9),
        r"x holds 1e-09 in row 2, column 1, the decoder models bits: binarise",
    ),
    "negative": (with_entry(-1.0), r"x holds -1 in row 2, column 1, the decoder models bits: binarise"),
    "a byte": (with_entry(255.0), r"x holds 255 in row 2, column 1, the decoder models bits: binarise"),
}


@pytest.mark.parametrize("name", WAYS_IN)
@pytest.mark.parametrize(("x", "message"), BAD_DATA.values(), ids=BAD_DATA.keys())
def test_bad_data_are_refused(name, x, message):
    if name[0].isupper() and isinstance(x, np.ndarray):
        message = r"batch is a ndarray: pass a torch\.Tensor"
    with pytest.raises(ValueError, match=f"^{message}"):
        WAYS_IN[name](make_vae(), x)


@pytest.mark.parametrize("name", [name for name in WAYS_IN if name[0].islower()])
def test_whole_numbers_are_refused_where_nothing_says_what_they_are(name):
    with pytest.raises(ValueError, match=r"^x has dtype torch\.uint8: pass floats, bits as x\.float\(\)"):
        WAYS_IN[name](make_vae(), torch.from_numpy(X).byte())


@pytest.mark.parametrize("name", WAYS_IN)
def test_grey_levels_need_a_decoder_made_for_them(name):
    vae = make_vae(grey_levels=True)
    WAYS_IN[name](vae, with_entry(0.5))
    for value in (1.0 + 1e-9, -0.1, 255.0):
        with pytest.raises(ValueError, match=r"^x holds .* in row 2, column 1, outside of \[0, 1\]: divide"):
            WAYS_IN[name](vae, with_entry(value))


def test_a_gaussian_decoder_takes_all_finite_numbers():
    model = linear_model()
    far = torch.tensor([[-1e3, 0.5, 255.0, 3.0]]).double()
    assert elbo_monte_carlo(model, far, generator=generator()).value.isfinite().all()
    with pytest.raises(ValueError, match=r"^x holds nan in row 0, column 1: drop or impute"):
        elbo_monte_carlo(model, torch.tensor([[0, torch.nan, 1, 2]]).double(), generator=generator())


def test_modules_that_say_nothing_of_their_data_are_taken_at_their_word():
    q = Independent(Normal(torch.zeros(2, 1), torch.ones(2, 1)), 1)
    vae = VAE(
        StandardGaussian(1),
        Returns(q),
        Returns(Independent(Normal(torch.zeros(1, 1, 3), torch.ones(1, 1, 3)), 1)),
    )
    assert elbo_analytic_kl(vae, torch.full((2, 3), 7.0), generator=generator()).value.shape == (1, 2)


def mixture_posterior():
    parts = Independent(Normal(torch.zeros(N, 3, Z), torch.ones(N, 3, Z)), 1)
    return MixtureSameFamily(Categorical(torch.ones(N, 3)), parts)


def flow_posterior():
    return TransformedDistribution(
        Independent(Normal(torch.zeros(N, Z), torch.ones(N, Z)), 1), [TanhTransform(1)]
    )


def of(q):
    vae = make_vae()
    return VAE(vae.prior, Returns(q), vae.decoder).double()


BITS = torch.from_numpy(X)
SEED = r"generator is a int: pass a torch\.Generator"
COUNT = r"n_samples = {}: it should be at least 1"
BAD_ARGUMENTS = {
    **{
        f"{form.__name__}, {case}": (
            lambda form=form, options=options: form(make_vae(), BITS, **options),
            message,
        )
        for form in (*FORMS, importance_weighted_bound)
        for case, options, message in (
            ("S = 0", {"n_samples": 0, "generator": generator()}, COUNT.format(0)),
            ("S = -1", {"n_samples": -1, "generator": generator()}, COUNT.format(-1)),
            ("S = 1.5", {"n_samples": 1.5, "generator": generator()}, r"n_samples = 1\.5 is not an integer"),
            (
                "S = True",
                {"n_samples": True, "generator": generator()},
                r"n_samples = True is not an integer",
            ),
            ("a seed", {"n_samples": 1, "generator": 0}, SEED),
        )
    },
    **{
        f"{form.__name__} without rsample": (
            lambda form=form: form(of(mixture_posterior()), BITS, generator=generator()),
            r"MixtureSameFamily has no rsample, .*: choose a q that is reparameterised, or",
        )
        for form in FORMS
    },
    "no divergence": (
        lambda: elbo_analytic_kl(of(flow_posterior()), BITS, generator=generator()),
        r"no closed form for KL\(TransformedDistribution \|\| DiagonalNormal\): choose elbo_monte_carlo$",
    ),
    "no divergence, but an entropy": (
        lambda: elbo_analytic_kl(
            of(Independent(StudentT(torch.full((N, Z), 5.0)), 1)), BITS, generator=generator()
        ),
        r"no closed form for KL\(Independent \|\| DiagonalNormal\): choose elbo_analytic_entropy or elbo_mon",
    ),
    "no entropy": (
        lambda: elbo_analytic_entropy(of(flow_posterior()), BITS, generator=generator()),
        r"no closed form for the entropy of TransformedDistribution: choose elbo_monte_carlo$",
    ),
    "no block": (
        lambda: importance_weighted_bound(make_vae(), BITS, n_samples=1, generator=generator(), block_size=0),
        r"block_size = 0: it should be at least 1",
    ),
    "another device": (
        lambda: elbo_monte_carlo(make_vae(), BITS.to("meta"), generator=generator()),
        r"generator is on cpu, x on meta: pass torch\.Generator\(x\.device\)",
    ),
    "negative beta": (lambda: NegativeELBO(beta=-1.0), r"beta = -1\.0: it should be finite and not negative"),
    "beta is NaN": (lambda: NegativeELBO(beta=math.nan), r"beta = nan: it should be finite"),
    "warm-up below 0": (
        lambda: NegativeELBO(warm_up_steps=-1),
        r"warm_up_steps = -1: it should be at least 0",
    ),
    "half a warm-up": (lambda: NegativeELBO(warm_up_steps=0.5), r"warm_up_steps = 0\.5 is not an integer"),
    "no draws": (lambda: NegativeELBO(n_samples=0), COUNT.format(0)),
    "no weights": (lambda: NegativeIWBound(0), COUNT.format(0)),
    **{
        f"{type(objective).__name__}, binarise={objective.binarise}, with a seed": (
            lambda objective=objective: objective(make_vae(), BITS, generator=0, step=0),
            SEED,
        )
        for objective in (
            NegativeELBO(),
            NegativeELBO(binarise=True),
            NegativeIWBound(2),
            ReconstructionError(),
        )
    },
    "bits of what is no grey level": (
        lambda: NegativeELBO(binarise=True)(make_vae(), BITS * 255, generator=generator(), step=0),
        r"batch holds 255, outside of \[0, 1\]: pass grey levels as bytes, or divided by 255 as floats",
    ),
    "bits of what is slightly more": (
        lambda: NegativeELBO(binarise=True)(make_vae(), BITS * 1.5, generator=generator(), step=0),
        r"batch holds 1\.5, outside of \[0, 1\]: pass",
    ),
    "bits of less than paper": (
        lambda: NegativeELBO(binarise=True)(make_vae(), BITS - 0.5, generator=generator(), step=0),
        r"batch holds -0\.5, outside of \[0, 1\]: pass",
    ),
    "bits of NaN": (
        lambda: ReconstructionError(binarise=True)(PLAIN, BITS * math.nan, generator=generator(), step=0),
        r"batch holds nan, outside of \[0, 1\]: pass",
    ),
    "bits of whole numbers": (
        lambda: NegativeELBO(binarise=True)(make_vae(), BITS.long(), generator=generator(), step=0),
        r"batch has dtype torch\.int64: pass grey levels as bytes",
    ),
}


@pytest.mark.parametrize(("call", "message"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS.keys())
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


@pytest.mark.parametrize(
    "record",
    [NegativeELBO(), NegativeIWBound(2), ReconstructionError(), ImportanceWeightedBound(*torch.zeros(2, 3))],
    ids=lambda record: type(record).__name__,
)
def test_records_are_frozen(record):
    name = dataclasses.fields(record)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(record, name, None)


def test_every_name_is_public():
    documented = {name for name in vars(bounds) if re.match(r"[A-Za-z]", name)}
    assert set(bounds.__all__) <= documented
    assert all(getattr(bounds, name).__doc__ for name in bounds.__all__)
