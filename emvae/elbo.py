"""The evidence lower bound as a record of three numbers, exact for a discrete latent."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emvae._records import Record
from emvae._validation import as_responsibilities

if TYPE_CHECKING:
    from emvae.latent_class import LatentClassModel

__all__ = ["ELBO", "discrete_elbo"]

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class ELBO(Record, Generic[T]):
    """The three atoms of the evidence lower bound; its familiar forms are their sums.

    Only + and - are used, so the atoms may be floats, numpy arrays or torch tensors, of one common
    shape: one entry per datum, in nats.

    Attributes
    ----------
    expected_log_likelihood : E_q[log p(x | z)].
    expected_log_prior : E_q[log p(z)].
    entropy : H[q] = E_q[-log q(z)].

    Notes
    -----
    Defined in {eq}`def-em-elbo`; the forms are derived in {eq}`eq-em-elbo-forms`.
    Source: Neal and Hinton (1998).
    """

    expected_log_likelihood: T
    expected_log_prior: T
    entropy: T

    @property
    def expected_log_joint(self) -> T:
        """E_q[log p(x, z)], the Q function of EM: what the M-step raises."""
        return self.expected_log_likelihood + self.expected_log_prior  # type: ignore[operator]

    @property
    def kl_to_prior(self) -> T:
        """KL(q(z) || p(z)), the regulariser of the variational auto-encoder."""
        return -(self.entropy + self.expected_log_prior)  # type: ignore[operator]

    @property
    def value(self) -> T:
        """The bound itself: E_q[log p(x, z)] + H[q], never above log p(x)."""
        return self.expected_log_joint + self.entropy  # type: ignore[operator]

    def gap(self, log_evidence: T) -> T:
        """KL(q(z) || p(z | x)) = log p(x) - ELBO: what the E-step sets to zero.

        Parameters
        ----------
        log_evidence : log p(x), of the shape of the atoms, in nats.

        Notes
        -----
        Derived in {eq}`eq-em-decomposition`.
        """
        return log_evidence - self.value  # type: ignore[operator]


def discrete_elbo(model: "LatentClassModel", x: ArrayLike, resp: ArrayLike) -> ELBO[NDArray[np.float64]]:
    """Evaluate the bound exactly, as a sum over the K values of a discrete latent.

    ``sum_k r_nk [log p(x_n | k) + log p(k) - log r_nk]``, with 0 log 0 = 0.

    Parameters
    ----------
    model : anything with ``log_prior()`` (K,) and ``log_likelihood(x)`` (N, K).
    x : (N, D) data.
    resp : (N, K) the approximate posterior q(z_n = k); rows sum to one.

    Returns
    -------
    ELBO with fields of shape (N,), in nats; ``.value.sum()`` is the bound on log p(D).

    Raises
    ------
    ValueError : ``resp`` has the wrong shape, a negative entry, or rows that do not sum to one.

    Notes
    -----
    Derived in {eq}`eq-em-elbo-forms`. Source: Neal and Hinton (1998), equation 3.
    """
    log_likelihood = model.log_likelihood(x)
    q = as_responsibilities(resp, log_likelihood.shape)
    if not (q >= 0).all() or not np.allclose(q.sum(axis=1), 1.0, rtol=0, atol=1e-8):
        raise ValueError("resp is not a distribution: make rows non-negative with sum one")
    return ELBO(
        expected_log_likelihood=_expectation(q, log_likelihood),
        expected_log_prior=_expectation(q, np.broadcast_to(model.log_prior(), q.shape)),
        entropy=-_expectation(q, np.log(q, out=np.zeros_like(q), where=q > 0)),
    )


def _expectation(q: NDArray[np.float64], values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Sum of q * values over components, (N,), where a term with q = 0 counts nothing."""
    return np.multiply(q, values, out=np.zeros_like(q), where=q > 0).sum(axis=1)
