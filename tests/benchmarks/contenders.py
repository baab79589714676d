"""The contenders behind one call: T iterations of EM from a given start.

All of them take T M-steps and T + 1 E-steps in such a fit: emvae evaluates the last model,
scikit-learn and stepmix run a last E-step over the data. So the time of a fit over T compares like with like.
(A difference of two fits would leave out what a fit does once; tried, it is too noisy, as one copy of
the data costs a peer as much as an iteration.)
"""

import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

import emvae
from emvae.em import fit_em
from emvae.mixtures import BernoulliMixture, GaussianMixture
from tests.benchmarks.problems import Model

Fit = Callable[[Model, NDArray[Any], int], float]


def fit_emvae(model: Model, x: NDArray[Any], n_iter: int) -> float:
    """Run emvae; return the mean log likelihood before the last M-step."""
    return float(fit_em(model, x, max_iter=n_iter, tol=0.0).log_evidences[-2] / len(x))


def fit_scikit_learn(model: Model, x: NDArray[Any], n_iter: int) -> float:
    """Run scikit-learn from the same start, without regularisation and never converged."""
    from sklearn.mixture import GaussianMixture as Peer

    assert isinstance(model, GaussianMixture)
    peer = Peer(
        model.n_components,
        weights_init=model.weights,
        means_init=model.means,
        precisions_init=np.linalg.inv(model.covariances),
        reg_covar=0.0,
        tol=0.0,
        max_iter=n_iter,
        n_init=1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer.fit(x)
    return float(peer.lower_bound_)


def fit_stepmix(model: Model, x: NDArray[Any], n_iter: int) -> float:
    """Run stepmix; its random start, which costs time, is replaced by the common one."""
    from stepmix import StepMix
    from stepmix.emission.build_emission import build_emission

    assert isinstance(model, BernoulliMixture)

    class Started(StepMix):
        def _initialize_parameters(self, _data: Any, random_state: Any) -> None:
            self.weights_ = model.weights.copy()
            self._mm = build_emission(
                self.measurement, n_components=self.n_components, random_state=random_state
            )
            self._mm.parameters["pis"] = model.probs.copy()

    peer = Started(
        model.n_components, measurement="binary", max_iter=n_iter, abs_tol=0.0, rel_tol=0.0, progress_bar=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer.fit(x)
    return float(peer.lower_bound_)


CONTENDERS: dict[str, Fit] = {
    "emvae": fit_emvae,
    "scikit-learn": fit_scikit_learn,
    "stepmix": fit_stepmix,
}


def load_packages(contender: str) -> None:
    """Import what the contender imports when it is first called."""
    for name in {"scikit-learn": ["sklearn.mixture"], "stepmix": ["stepmix"]}.get(contender, []):
        import_module(name)


def favourite_format(contender: str, x: NDArray[Any]) -> NDArray[Any]:
    """Return the data as the contender is fastest with: emvae takes bytes, stepmix float64 rows.

    Tried for stepmix: float64 and float32, by rows and by columns, and bytes.
    """
    return np.ascontiguousarray(x, dtype=np.float64) if contender == "stepmix" else x


def contender_version(contender: str) -> str:
    """Return the version a row should name."""
    return emvae.__version__ if contender == "emvae" else version(contender)
