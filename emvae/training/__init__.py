"""One minibatch loop for any module and any objective; it knows neither auto-encoder nor ELBO."""

import emvae._torch  # noqa: F401  (first: it says how to get torch)
from emvae.training.checkpoints import load_weights
from emvae.training.history import DivergenceError, History
from emvae.training.loop import train
from emvae.training.run import Step
from emvae.training.schedules import cosine

__all__ = ["DivergenceError", "History", "Step", "cosine", "load_weights", "train"]
