"""The ELBO of a model with a continuous latent in its three forms, tighter bounds, and what to minimise."""

import emvae._torch  # noqa: F401  (first: it says how to get torch)

# isort: split
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Distribution, kl_divergence
from torch.func import functional_call

from emvae._random import as_torch_generator, drawing_from
from emvae._validation import as_count, as_non_negative
from emvae.autoencoders import VAE, Autoencoder
from emvae.autoencoders.data import check_data
from emvae.elbo import ELBO

__all__ = [
    "ImportanceWeightedBound",
    "NegativeELBO",
    "NegativeIWBound",
    "ReconstructionError",
    "elbo_analytic_entropy",
    "elbo_analytic_kl",
    "elbo_monte_carlo",
    "elbo_sticking_the_landing",
    "importance_weighted_bound",
]


def elbo_analytic_kl(vae: VAE, x: Tensor, *, n_samples: int = 1, generator: torch.Generator) -> ELBO[Tensor]:
    """Form 1: E_q[log p(x | z)] - KL(q || p), the divergence in closed form.

    Parameters
    ----------
    vae : a prior, an encoder and a decoder.
    x : (N, D) data.
    n_samples : S, draws of z for each datum.
    generator : torch Generator of these draws.

    Returns
    -------
    ELBO with fields (S, N), in nats: row s is the estimate from draw s, so ``.value.mean(0)`` estimates the
    bound and the rows tell its standard error. What is in closed form is the same in all rows.

    Raises
    ------
    ValueError : data that the model does not take, ``n_samples`` not a positive integer, ``generator`` no
        Generator, a q without ``rsample``, or one whose divergence or entropy is not known.

    Notes
    -----
    Derived in {eq}`eq-forms-kl`. Source: Kingma and Welling (2014), equation 7.
    """
    q, z = _draw(vae, x, n_samples, generator)
    kl, entropy = _kl(q, vae.prior()), _entropy(q)
    log_likelihood = vae.log_likelihood(x, z)
    return ELBO(log_likelihood, (-kl - entropy).expand_as(log_likelihood), entropy.expand_as(log_likelihood))


def elbo_analytic_entropy(
    vae: VAE, x: Tensor, *, n_samples: int = 1, generator: torch.Generator
) -> ELBO[Tensor]:
    """Form 2: E_q[log p(x, z)] + H[q], the entropy in closed form.

    Parameters, result and errors as ``elbo_analytic_kl``; of q only the entropy need be known.

    Notes
    -----
    Derived in {eq}`eq-forms-entropy`.
    """
    q, z = _draw(vae, x, n_samples, generator)
    entropy, log_likelihood = _entropy(q), vae.log_likelihood(x, z)
    return ELBO(log_likelihood, vae.log_prior(z), entropy.expand_as(log_likelihood))


def elbo_monte_carlo(vae: VAE, x: Tensor, *, n_samples: int = 1, generator: torch.Generator) -> ELBO[Tensor]:
    """Form 3: E_q[log p(x, z) - log q(z | x)], nothing in closed form.

    Parameters, result and errors as ``elbo_analytic_kl``; of q only the density need be known. The rows of
    ``.value`` are logarithms of importance weights, log p(x, z) / q(z | x).

    Notes
    -----
    Derived in {eq}`eq-forms-monte-carlo`. Source: Kingma and Welling (2014), equation 6.
    """
    q, z = _draw(vae, x, n_samples, generator)
    return ELBO(vae.log_likelihood(x, z), vae.log_prior(z), -q.log_prob(z))


def elbo_sticking_the_landing(
    vae: VAE, x: Tensor, *, n_samples: int = 1, generator: torch.Generator
) -> ELBO[Tensor]:
    """Form 3 with the parameters of q held fixed inside log q: the same value, another gradient.

    What is left out of the gradient is the score, whose expectation is zero. Where q is the exact
    posterior the gradient that remains is zero for every draw.

    Parameters, result and errors as ``elbo_monte_carlo``. The encoder runs twice.

    Notes
    -----
    Derived in {eq}`eq-forms-sticking`. Source: Roeder, Wu and Duvenaud (2017).
    """
    _, z = _draw(vae, x, n_samples, generator)
    fixed = {name: value.detach() for name, value in vae.encoder.named_parameters()}
    q = functional_call(vae.encoder, fixed, (x,))
    return ELBO(vae.log_likelihood(x, z), vae.log_prior(z), -q.log_prob(z))


@dataclass(frozen=True)
class ImportanceWeightedBound:
    """A bound on log p(x) from S weighted samples, and how many of them count.

    Attributes
    ----------
    value : (N,) log (1/S) sum_s w_s with w_s = p(x, z_s) / q(z_s | x), in nats.
    effective_sample_size : (N,) (sum_s w_s)^2 / sum_s w_s^2, from 1 to S: near 1 one sample says it all, and
        the value is not to be trusted.
    """

    value: Tensor
    effective_sample_size: Tensor


@torch.no_grad()
def importance_weighted_bound(
    vae: VAE, x: Tensor, *, n_samples: int, generator: torch.Generator, block_size: int = 1024
) -> ImportanceWeightedBound:
    """Estimate the importance-weighted bound, log (1/S) sum_s p(x, z_s) / q(z_s | x) with z_s from q.

    Its expectation is the ELBO for S = 1, rises with S and tends to log p(x).

    Parameters
    ----------
    vae : a prior, an encoder and a decoder.
    x : (N, D) data.
    n_samples : S.
    generator : torch Generator of the draws; which numbers a datum gets depends on ``block_size``.
    block_size : how many z are decoded at a time, which bounds the memory, whatever S and N are.

    Returns
    -------
    ImportanceWeightedBound with fields of shape (N,). No gradients flow; to train on it see
    ``NegativeIWBound``.

    Raises
    ------
    ValueError : data that the model does not take, counts that are no positive integers, ``generator`` no
        Generator.

    Notes
    -----
    Defined in {eq}`def-forms-iw`; the effective sample size in {eq}`def-forms-ess`.
    Source: Burda, Grosse and Salakhutdinov (2016), equation 8.
    """
    n_samples = _check(vae, x, n_samples, generator)
    block_size = as_count(block_size, name="block_size")
    with drawing_from(generator):
        parts = [_weigh(vae, rows, n_samples, block_size) for rows in torch.split(x, block_size)]
    log_sum, log_square_sum = torch.cat(parts, dim=1)
    value, effective_sample_size = log_sum - math.log(n_samples), (2 * log_sum - log_square_sum).exp()
    return ImportanceWeightedBound(value.to(x.dtype), effective_sample_size.to(x.dtype))


def _weigh(vae: VAE, x: Tensor, n_samples: int, block_size: int) -> Tensor:
    """Return log sum_s w_s and log sum_s w_s^2 of S weights, (2, N), over draws in blocks."""
    q = vae.encoder(x)
    step = max(1, block_size // len(x))
    precise = torch.float32 if x.device.type == "mps" else torch.float64  # mps has no float64
    sums = x.new_full((2, len(x)), -torch.inf, dtype=precise)
    for start in range(0, n_samples, step):
        z = q.sample((min(step, n_samples - start),))
        log_weights = (vae.log_joint(x, z) - q.log_prob(z)).to(precise)
        sums = torch.logaddexp(sums, torch.stack([log_weights, 2 * log_weights]).logsumexp(1))
    return sums


Form = Callable[..., ELBO[Tensor]]


@dataclass(frozen=True)
class NegativeELBO:
    """What a VAE minimises: the mean over a batch of -E_q[log p(x | z)] + beta KL(q || p), in nats.

    Called as ``objective(vae, batch, generator=..., step=...)``.

    Parameters
    ----------
    form : one of the functions of this module that return an ELBO.
    beta : weight of the divergence; 1 gives the bound.
    warm_up_steps : over how many steps the weight rises linearly from 0 to ``beta``.
    binarise : draw the bits of each batch anew, with grey levels as probabilities (0 to 255 where the batch
        holds bytes, else in [0, 1]).
    n_samples : draws of z for each datum.

    Raises
    ------
    ValueError : a beta that is negative or not finite, counts that are no integers in range.

    Notes
    -----
    Defined in {eq}`def-forms-beta`. Source: Higgins et al. (2017); for the warm-up Sonderby et al. (2016).
    """

    form: Form = elbo_analytic_kl
    beta: float = 1.0
    warm_up_steps: int = 0
    binarise: bool = False
    n_samples: int = 1

    def __post_init__(self) -> None:
        """Check the settings."""
        as_non_negative(self.beta, name="beta")
        as_count(self.warm_up_steps, name="warm_up_steps", minimum=0)
        as_count(self.n_samples, name="n_samples")

    def weight(self, step: int) -> float:
        """Return the weight of the divergence at a step: beta, after the warm-up."""
        return self.beta * (min(1.0, step / self.warm_up_steps) if self.warm_up_steps else 1.0)

    def __call__(self, model: VAE, batch: Tensor, *, generator: torch.Generator, step: int) -> Tensor:
        """Return the objective on a batch (B, D), a scalar with gradients."""
        x = _as_data(batch, self.binarise, generator)
        bound = self.form(model, x, n_samples=self.n_samples, generator=generator)
        return (self.weight(step) * bound.kl_to_prior - bound.expected_log_likelihood).mean()


@dataclass(frozen=True)
class NegativeIWBound:
    """Minus the importance-weighted bound, the mean over a batch, in nats: what an IWAE minimises.

    Called as ``objective(vae, batch, generator=..., step=...)``.

    Parameters
    ----------
    n_samples : S; all are decoded at once, so the memory grows with it.
    binarise : as in ``NegativeELBO``.

    Raises
    ------
    ValueError : ``n_samples`` is no positive integer.

    Notes
    -----
    Defined in {eq}`def-forms-iw`. Source: Burda, Grosse and Salakhutdinov (2016).
    """

    n_samples: int
    binarise: bool = False

    def __post_init__(self) -> None:
        """Check the settings."""
        as_count(self.n_samples, name="n_samples")

    def __call__(self, model: VAE, batch: Tensor, *, generator: torch.Generator, step: int) -> Tensor:
        """Return the objective on a batch (B, D), a scalar with gradients."""
        x = _as_data(batch, self.binarise, generator)
        log_weights = elbo_monte_carlo(model, x, n_samples=self.n_samples, generator=generator).value
        return math.log(self.n_samples) - log_weights.logsumexp(0).mean()


@dataclass(frozen=True)
class ReconstructionError:
    """What a deterministic auto-encoder minimises: the mean over a batch of -log p(x | z(x)), in nats.

    Called as ``objective(autoencoder, batch, generator=..., step=...)``.

    Parameters
    ----------
    binarise : as in ``NegativeELBO``.

    Notes
    -----
    Defined in {eq}`def-forms-autoencoder`.
    """

    binarise: bool = False

    def __call__(self, model: Autoencoder, batch: Tensor, *, generator: torch.Generator, step: int) -> Tensor:
        """Return the objective on a batch (B, D), a scalar with gradients."""
        x = _as_data(batch, self.binarise, generator)
        check_data(x, model.encoder, model.decoder)
        return -model.log_likelihood(x).mean()


def _check(vae: VAE, x: Tensor, n_samples: int, generator: torch.Generator) -> int:
    """Check what all bounds are given, and return the number of samples."""
    device = as_torch_generator(generator).device
    if device.type != torch.device(getattr(x, "device", device)).type:
        raise ValueError(f"generator is on {device}, x on {x.device}: pass torch.Generator(x.device)")
    n_samples = as_count(n_samples, name="n_samples")
    check_data(x, vae.encoder, vae.decoder)
    return n_samples


def _draw(vae: VAE, x: Tensor, n_samples: int, generator: torch.Generator) -> tuple[Distribution, Tensor]:
    """Return q(z | x) and z (S, N, Z) drawn from it, through which gradients flow."""
    n_samples = _check(vae, x, n_samples, generator)
    q = vae.encoder(x)
    if not q.has_rsample:
        raise ValueError(
            f"{_name(q)} has no rsample, so no gradient reaches the encoder: choose a posterior that "
            "is reparameterised, or importance_weighted_bound with n_samples=1 for the value alone"
        )
    with drawing_from(generator):
        return q, q.rsample((n_samples,))


def _entropy(q: Distribution) -> Tensor:
    try:
        return q.entropy()
    except NotImplementedError as error:
        raise ValueError(f"no closed form for the entropy of {_name(q)}: choose elbo_monte_carlo") from error


def _kl(q: Distribution, p: Distribution) -> Tensor:
    try:
        return kl_divergence(q, p)
    except NotImplementedError as error:
        raise ValueError(
            f"no closed form for KL({_name(q)} || {_name(p)}): "
            "choose elbo_analytic_entropy or elbo_monte_carlo"
        ) from error


def _name(distribution: Distribution) -> str:
    return type(distribution).__name__


def _as_data(batch: Tensor, binarise: bool, generator: torch.Generator) -> Tensor:
    """Return a batch as floats; bits drawn from its grey levels where asked for."""
    as_torch_generator(generator)
    if not isinstance(batch, Tensor):
        raise ValueError(f"batch is a {type(batch).__name__}: pass a torch.Tensor")
    if not binarise:
        return batch if batch.is_floating_point() else batch.float()
    if batch.dtype == torch.uint8:
        dice = torch.randint(255, batch.shape, dtype=torch.uint8, generator=generator, device=batch.device)
        return (dice < batch).float()
    if not batch.is_floating_point():
        raise ValueError(
            f"batch has dtype {batch.dtype}: pass grey levels as bytes, or divided by 255 as floats"
        )
    low, high = batch.aminmax()
    if not (low >= 0 and high <= 1):
        raise ValueError(
            f"batch holds {(high if low >= 0 else low).item():g}, outside of [0, 1]: "
            "pass grey levels as bytes, or divided by 255 as floats"
        )
    return (torch.rand_like(batch, generator=generator) < batch).to(batch.dtype)
