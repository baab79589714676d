"""One minibatch loop for any module and any objective; it knows neither auto-encoder nor ELBO."""

import emvae._torch  # noqa: F401  (first: it says how to get torch)
from emvae.training.history import DivergenceError, History
from emvae.training.loop import cosine, train
from emvae.training.run import load_weights

__all__ = ["DivergenceError", "History", "cosine", "load_weights", "train"]
