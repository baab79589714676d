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
from emvae._records import Record
from emvae._validation import as_count, as_non_negative
from emvae.autoencoders import VAE, Autoencoder
from emvae.autoencoders.data import check_data, check_draws
from emvae.autoencoders.importance import ImportanceWeightedBound, importance_weighted_bound
from emvae.elbo import ELBO

__all__ = [
    "DivergenceForm",
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


@dataclass(frozen=True, eq=False)
class DivergenceForm(Record):
    """The bound as form 1 has it: a likelihood and a divergence, which needs no entropy of its own.

    Attributes
    ----------
    expected_log_likelihood : E_q[log p(x | z)], in nats.
    kl_to_prior : KL(q(z) || p(z)), of the same shape.
    """

    expected_log_likelihood: Tensor
    kl_to_prior: Tensor

    @property
    def value(self) -> Tensor:
        """The bound itself, never above log p(x) on average."""
        return self.expected_log_likelihood - self.kl_to_prior

    def gap(self, log_evidence: Tensor) -> Tensor:
        """KL(q(z) || p(z | x)), as ``ELBO.gap``."""
        return log_evidence - self.value


def elbo_analytic_kl(
    vae: VAE, x: Tensor, *, n_samples: int = 1, generator: torch.Generator
) -> DivergenceForm:
    """Form 1: E_q[log p(x | z)] - KL(q || p), the divergence in closed form.

    Parameters
    ----------
    vae : a prior, an encoder and a decoder.
    x : (N, D) data.
    n_samples : S, draws of z for each datum.
    generator : torch Generator of these draws.

    Returns
    -------
    DivergenceForm with fields (S, N), in nats: row s is the estimate from draw s, so ``.value.mean(0)``
    estimates the bound and the rows tell its standard error. The divergence is the same in all rows. Of q
    nothing else need be known: neither an entropy nor a density.

    Raises
    ------
    ValueError : data that the model does not take, ``n_samples`` not a positive integer, ``generator`` no
        Generator, a q without ``rsample``, or one whose divergence from the prior is not known.

    Notes
    -----
    Derived in {eq}`eq-forms-kl`. Source: Kingma and Welling (2014), equation 7.
    """
    q, z = _draw(vae, x, n_samples, generator)
    kl, log_likelihood = _kl(q, vae.prior()), _log_likelihood(vae, x, z)
    return DivergenceForm(log_likelihood, kl.expand_as(log_likelihood))


def elbo_analytic_entropy(
    vae: VAE, x: Tensor, *, n_samples: int = 1, generator: torch.Generator
) -> ELBO[Tensor]:
    """Form 2: E_q[log p(x, z)] + H[q], the entropy in closed form.

    Parameters and errors as ``elbo_analytic_kl``; of q only the entropy need be known. The result is an ELBO
    with fields (S, N), row s from draw s; the entropy is the same in all rows.

    Notes
    -----
    Derived in {eq}`eq-forms-entropy`.
    """
    q, z = _draw(vae, x, n_samples, generator)
    entropy, log_likelihood = _entropy(q, vae.prior()), _log_likelihood(vae, x, z)
    return ELBO(log_likelihood, vae.log_prior(z), entropy.expand_as(log_likelihood))


def elbo_monte_carlo(vae: VAE, x: Tensor, *, n_samples: int = 1, generator: torch.Generator) -> ELBO[Tensor]:
    """Form 3: E_q[log p(x, z) - log q(z | x)], nothing in closed form.

    Parameters, result and errors as ``elbo_analytic_entropy``; of q only the density need be known. The rows
    of ``.value`` are logarithms of importance weights, log p(x, z) / q(z | x).

    Notes
    -----
    Derived in {eq}`eq-forms-monte-carlo`. Source: Kingma and Welling (2014), equation 6.
    """
    q, z = _draw(vae, x, n_samples, generator)
    return ELBO(_log_likelihood(vae, x, z), vae.log_prior(z), -q.log_prob(z))


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
    return ELBO(_log_likelihood(vae, x, z), vae.log_prior(z), -q.log_prob(z))


Form = Callable[..., ELBO[Tensor] | DivergenceForm]


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
        x = _floats_or_bits(batch, self.binarise, generator)
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
        x = _floats_or_bits(batch, self.binarise, generator)
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
        x = _floats_or_bits(batch, self.binarise, generator)
        check_data(x, model.encoder, model.decoder)
        return -model.log_likelihood(x).mean()


def _draw(vae: VAE, x: Tensor, n_samples: int, generator: torch.Generator) -> tuple[Distribution, Tensor]:
    """Return q(z | x) and z (S, N, Z) drawn from it, through which gradients flow."""
    n_samples = check_draws(vae, x, n_samples, generator)
    q = vae.encoder(x)
    if not q.has_rsample:
        raise ValueError(
            f"{_name(q)} has no rsample, so no gradient reaches the encoder: choose a q that is "
            "reparameterised, or importance_weighted_bound with n_samples=1 for the value alone"
        )
    with drawing_from(generator):
        return q, q.rsample((n_samples,))


def _log_likelihood(vae: VAE, x: Tensor, z: Tensor) -> Tensor:
    """Return log p(x | z), (S, N); one draw goes without its axis, which costs a compiled step a tenth."""
    if z.ndim == 3 and len(z) == 1:
        return vae.log_likelihood(x, z[0]).reshape(1, -1)
    return vae.log_likelihood(x, z)


def _entropy(q: Distribution, p: Distribution) -> Tensor:
    entropy = _if_known(q.entropy)
    if entropy is None:
        other = "" if _if_known(kl_divergence, q, p) is None else "elbo_analytic_kl or "
        raise ValueError(f"no closed form for the entropy of {_name(q)}: choose {other}elbo_monte_carlo")
    return entropy


def _kl(q: Distribution, p: Distribution) -> Tensor:
    kl = _if_known(kl_divergence, q, p)
    if kl is None:
        other = "" if _if_known(q.entropy) is None else "elbo_analytic_entropy or "
        raise ValueError(f"no closed form for KL({_name(q)} || {_name(p)}): choose {other}elbo_monte_carlo")
    return kl


def _if_known(quantity: Callable[..., Tensor], *arguments: Distribution) -> Tensor | None:
    """Return a quantity, or None where torch has no closed form for it."""
    try:
        return quantity(*arguments)
    except NotImplementedError:
        return None


def _name(distribution: Distribution) -> str:
    return type(distribution).__name__


def _floats_or_bits(batch: Tensor, binarise: bool, generator: torch.Generator) -> Tensor:
    """Return a batch as floats; bits drawn from its grey levels where asked for."""
    as_torch_generator(generator)
    if not isinstance(batch, Tensor):
        raise ValueError(f"batch is a {type(batch).__name__}: pass a torch.Tensor")
    if not binarise:
        return batch if batch.is_floating_point() else batch.float()
    if batch.dtype == torch.uint8:
        with drawing_from(generator):  # a generator that is an argument would cut a compiled graph in two
            dice = torch.randint(255, batch.shape, dtype=torch.uint8, device=batch.device)
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
