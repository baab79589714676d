"""Auto-encoders: the variational one as a prior, an encoder and a decoder, and the deterministic one."""

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from emvae._random import drawing_from
from emvae._validation import as_count
from emvae.autoencoders.importance import importance_weighted_bound


class VAE(nn.Module):
    """p(x, z) = p(x | z) p(z) with an amortised q(z | x); three modules that return distributions.

    Parameters
    ----------
    prior : called without arguments, returns p(z), event shape (Z,).
    encoder : called with x (N, D), returns q(z | x).
    decoder : called with z (..., Z), returns p(x | z).

    Notes
    -----
    Defined in {eq}`def-forms-vae`. Source: Kingma and Welling (2014).
    """

    def __init__(self, prior: nn.Module, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.prior, self.encoder, self.decoder = prior, encoder, decoder

    def log_prior(self, z: Tensor) -> Tensor:
        """Return log p(z), (S, N) in nats, for z (S, N, Z)."""
        return self.prior().log_prob(z)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Return log p(x | z), (S, N) in nats, for x (N, D) and z (S, N, Z)."""
        return self.decoder(z).log_prob(x)

    def log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        """Return log p(x, z), (S, N) in nats, for x (N, D) and z (S, N, Z)."""
        return self.log_likelihood(x, z) + self.log_prior(z)

    def log_evidence(self, x: Tensor, *, n_samples: int, generator: torch.Generator) -> Tensor:
        """Estimate log p(x) by importance weights, (N,) in nats, for a latent of any kind.

        It is too low on average, the less so the larger ``n_samples``, and without warning where q misses
        the posterior: ``emvae.bounds.importance_weighted_bound`` tells how many samples count. For a latent
        of dimension 2 ``emvae.latents.log_evidence_by_quadrature`` converges and needs no q, and for linear
        maps with Gaussian noise ``LinearGaussianVAE.log_evidence`` is a closed form.

        Parameters
        ----------
        x : (N, D) data.
        n_samples : S, draws from q(z | x) for each datum.
        generator : torch Generator of the draws.

        Raises
        ------
        ValueError : as ``importance_weighted_bound``.

        Notes
        -----
        Defined in {eq}`def-forms-iw`. Source: Burda, Grosse and Salakhutdinov (2016), equation 8.
        """
        return importance_weighted_bound(self, x, n_samples=n_samples, generator=generator).value

    @torch.no_grad()
    def sample(self, n: int, *, generator: torch.Generator) -> Tensor:
        """Draw from p(x): first z from the prior, then x given it.

        Parameters
        ----------
        n : number of draws.
        generator : torch Generator.

        Returns
        -------
        x : (n, D).

        Raises
        ------
        ValueError : ``n`` is not a positive integer, or ``generator`` is no Generator.
        """
        with drawing_from(generator):
            z = self.prior().sample((as_count(n, name="n"),))
            return self.decoder(z).sample()


class Autoencoder(nn.Module):
    """x -> z -> x without randomness: the layers of a VAE, of whose q(z | x) only the mean is used.

    Parameters
    ----------
    encoder : as in ``VAE``; the code of x is the mean of what it returns.
    decoder : as in ``VAE``; how well x is reconstructed is log p(x | z).

    Notes
    -----
    Defined in {eq}`def-forms-autoencoder`. Source: Hinton and Salakhutdinov (2006).
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def encode(self, x: Tensor) -> Tensor:
        """Return the code z of each row of x, (N, Z)."""
        q: Distribution = self.encoder(x)
        return q.mean

    def forward(self, x: Tensor) -> Distribution:
        """Return p(x | z) at the code z of each row of x: the reconstruction."""
        return self.decoder(self.encode(x))

    def log_likelihood(self, x: Tensor) -> Tensor:
        """Return log p(x | z) at the code z of x, (N,) in nats."""
        return self(x).log_prob(x)
