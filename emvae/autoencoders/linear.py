"""The VAE whose every quantity has a closed form: linear maps and Gaussian noise."""

from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal, constraints

from emvae._validation import as_count
from emvae.autoencoders.data import check_data
from emvae.autoencoders.distributions import DiagonalNormal
from emvae.autoencoders.networks import StandardGaussian, as_sizes, linear
from emvae.autoencoders.vae import VAE
from emvae.elbo import ELBO

LOG_2_PI = 1.8378770664093453


class LinearGaussianEncoder(nn.Module):
    """q(z | x) = N(V x + c, L L^T), with one L for all x.

    Parameters
    ----------
    sizes : D and Z.
    generator : draws the initial weights; L starts as the unit matrix.
    """

    def __init__(self, sizes: tuple[int, int], *, generator: torch.Generator) -> None:
        super().__init__()
        self.sizes = as_sizes(sizes)
        n_features, n_latent = self.sizes
        self.loc = linear(n_features, n_latent, generator=generator).double()
        self.log_diagonal = nn.Parameter(torch.zeros(n_latent, dtype=torch.float64))
        self.below_diagonal = nn.Parameter(torch.zeros(n_latent, n_latent, dtype=torch.float64))

    @property
    def factor(self) -> Tensor:
        """L, (Z, Z), lower triangular with a positive diagonal."""
        return self.below_diagonal.tril(-1) + self.log_diagonal.exp().diag()

    def forward(self, x: Tensor) -> MultivariateNormal:
        """Return q(z | x) for each row of x (..., D)."""
        return MultivariateNormal(self.loc(x), scale_tril=self.factor, validate_args=False)


class LinearGaussianDecoder(nn.Module):
    """p(x | z) = N(W z + b, sigma^2 I).

    Parameters
    ----------
    sizes : Z and D.
    generator : draws the initial weights; sigma starts at 1.
    """

    support = constraints.real

    def __init__(self, sizes: tuple[int, int], *, generator: torch.Generator) -> None:
        super().__init__()
        self.loc = linear(*as_sizes(sizes), generator=generator).double()
        self.log_sigma = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, z: Tensor) -> DiagonalNormal:
        """Return p(x | z) for each row of z (..., Z)."""
        loc = self.loc(z)
        return DiagonalNormal(loc, self.log_sigma.exp().expand_as(loc))


class LinearGaussianVAE(VAE):
    """A VAE with z ~ N(0, I), x = W z + b + sigma noise, and q(z | x) = N(V x + c, L L^T), in float64.

    Evidence, posterior and bound are known exactly, and so is the best model of this kind: probabilistic
    principal component analysis.

    Parameters
    ----------
    n_features : D.
    n_latent : Z.
    generator : draws the initial weights.

    Raises
    ------
    ValueError : a size that is no positive integer.

    Notes
    -----
    Defined in {eq}`def-forms-linear`. Source: Tipping and Bishop (1999); Lucas et al. (2019) as a VAE.
    """

    prior: StandardGaussian
    encoder: LinearGaussianEncoder
    decoder: LinearGaussianDecoder

    def __init__(self, n_features: int, n_latent: int, *, generator: torch.Generator) -> None:
        self.n_features = as_count(n_features, name="n_features")
        self.n_latent = as_count(n_latent, name="n_latent")
        super().__init__(
            StandardGaussian(n_latent).double(),
            LinearGaussianEncoder((n_features, n_latent), generator=generator),
            LinearGaussianDecoder((n_latent, n_features), generator=generator),
        )

    @classmethod
    def from_ppca(cls, x: Tensor, n_latent: int) -> Self:
        """Return the model of largest likelihood, in closed form, with q its exact posterior.

        With eigenvalues lambda_1 >= ... >= lambda_D of the covariance of x and eigenvectors u_d,
        ``sigma^2 = mean(lambda_d, d > Z)``, ``W = [u_z sqrt(lambda_z - sigma^2)]`` and ``b = mean(x)``.

        Parameters
        ----------
        x : (N, D) data.
        n_latent : Z, from 1 to D - 1.

        Raises
        ------
        ValueError : x is no matrix of finite floats, ``n_latent`` is out of range, or the data lie in a
            subspace of Z dimensions, where the likelihood has no maximum.

        Notes
        -----
        Derived in {eq}`eq-forms-ppca`. Source: Tipping and Bishop (1999), equations 7 and 8.
        """
        check_data(x)
        n_latent = as_count(n_latent, name="n_latent", maximum=x.shape[1] - 1)
        mean = x.double().mean(0)
        centred = x.double() - mean
        variances, directions = torch.linalg.eigh(centred.T @ centred / len(x))
        sigma2 = variances[:-n_latent].mean()
        if sigma2 <= 1e-12 * variances[-1]:
            raise ValueError(f"x lies in {n_latent} dimensions, no noise is left over: lower n_latent")
        model = cls(x.shape[1], n_latent, generator=torch.Generator())
        with torch.no_grad():
            scales = (variances[-n_latent:] - sigma2).clamp(min=0).sqrt()
            model.decoder.loc.weight.copy_(directions[:, -n_latent:] * scales)
            model.decoder.loc.bias.copy_(mean)
            model.decoder.log_sigma.copy_(sigma2.log() / 2)
        model.close_gap()
        return model

    @torch.no_grad()
    def close_gap(self) -> None:
        """Set q to the exact posterior, in place: the E-step, in closed form."""
        precision, weight = self._posterior_precision(), self.decoder.loc.weight
        sigma2 = (2 * self.decoder.log_sigma).exp()
        covariance = torch.linalg.inv(precision)
        gain = covariance @ weight.T / sigma2
        factor = torch.linalg.cholesky(covariance)
        self.encoder.loc.weight.copy_(gain)
        self.encoder.loc.bias.copy_(-gain @ self.decoder.loc.bias)
        self.encoder.log_diagonal.copy_(factor.diagonal().log())
        self.encoder.below_diagonal.copy_(factor.tril(-1))

    def exact_posterior(self, x: Tensor) -> MultivariateNormal:
        """Return p(z | x) = N(M^-1 W^T (x - b) / sigma^2, M^-1) with M = I + W^T W / sigma^2.

        Parameters
        ----------
        x : (N, D) data.

        Notes
        -----
        Derived in {eq}`eq-forms-linear-posterior`. Source: Bishop (2006), equation 2.116.
        """
        check_data(x, self.encoder, self.decoder)
        precision, weight = self._posterior_precision(), self.decoder.loc.weight
        scaled = (x - self.decoder.loc.bias) @ weight / (2 * self.decoder.log_sigma).exp()
        loc = torch.linalg.solve(precision, scaled.T).T
        return MultivariateNormal(loc, precision_matrix=precision, validate_args=False)

    def log_evidence(
        self, x: Tensor, *, n_samples: int = 0, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return log p(x) = log N(x | b, W W^T + sigma^2 I), (N,) in nats.

        Parameters
        ----------
        x : (N, D) data.
        n_samples, generator : what the estimate of any other ``VAE`` needs; here nothing is drawn.

        Notes
        -----
        Derived in {eq}`eq-forms-linear-evidence`; by M (Z, Z) in place of the covariance (D, D).
        Source: Tipping and Bishop (1999), equation 3.
        """
        z = self.exact_posterior(x).loc
        log_volume = torch.logdet(self._posterior_precision()) - self.n_latent * LOG_2_PI
        return self.log_joint(x, z) - 0.5 * log_volume

    def exact_elbo(self, x: Tensor) -> ELBO[Tensor]:
        """Return the bound of this model's own q without sampling: fields (N,), in nats.

        Parameters
        ----------
        x : (N, D) data.

        Notes
        -----
        Derived in {eq}`eq-forms-linear-elbo`.
        """
        check_data(x, self.encoder, self.decoder)
        q = self.encoder(x)
        weight, log_sigma = self.decoder.loc.weight, self.decoder.log_sigma
        at_mean = self.log_likelihood(x, q.loc)
        spread = (weight @ self.encoder.factor).square().sum() / (2 * log_sigma).exp()
        squares = q.loc.square().sum(-1) + self.encoder.factor.square().sum()
        log_prior = -0.5 * (squares + self.n_latent * LOG_2_PI)
        return ELBO(at_mean - 0.5 * spread, log_prior, q.entropy().expand_as(log_prior))

    def architecture(self) -> dict[str, Any]:
        """Return the arguments that make this model again, as plain data."""
        return {"n_features": self.n_features, "n_latent": self.n_latent}

    def _posterior_precision(self) -> Tensor:
        """M = I + W^T W / sigma^2, (Z, Z)."""
        weight, log_sigma = self.decoder.loc.weight, self.decoder.log_sigma
        unit = torch.eye(self.n_latent, dtype=weight.dtype, device=weight.device)
        return unit + weight.T @ weight / (2 * log_sigma).exp()
