"""Training as most tutorials write it, and the work below which no training of this network can go.

The tutorials' way with MNIST: a Dataset that turns each image into a tensor when it is asked for it
(torchvision's ``MNIST`` with ``ToTensor()``, whose steps are written out here), a DataLoader that stacks
them, a module with layers fc1 to fc4, binary cross entropy after a sigmoid, Adam as torch sets it up by
default.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from emvae.autoencoders import VAE, BernoulliNetwork, GaussianNetwork, StandardGaussian
from emvae.bounds import NegativeELBO
from emvae.training import train

WIDTHS = (784, 400, 20)  # from image to latent; back the same way


class Images(Dataset[tuple[Tensor, int]]):
    """What torchvision's MNIST does for an item, with ToTensor() as its transform."""

    def __init__(self, images: NDArray[np.uint8]) -> None:
        self.data = torch.tensor(images.reshape(-1, 28, 28))
        self.targets = torch.zeros(len(images), dtype=torch.long)

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image, target = self.data[index], int(self.targets[index])
        picture = Image.fromarray(image.numpy())
        tensor = torch.from_numpy(np.array(picture, np.uint8, copy=True))
        tensor = tensor.view(picture.size[1], picture.size[0], 1).permute((2, 0, 1)).contiguous()
        return tensor.to(dtype=torch.get_default_dtype()).div(255), target


class TutorialVAE(nn.Module):
    """The network of the tutorials: one hidden layer each way."""

    def __init__(self, widths: tuple[int, int, int] = WIDTHS) -> None:
        super().__init__()
        n_pixels, n_hidden, n_latent = widths
        self.fc1 = nn.Linear(n_pixels, n_hidden)
        self.fc21 = nn.Linear(n_hidden, n_latent)
        self.fc22 = nn.Linear(n_hidden, n_latent)
        self.fc3 = nn.Linear(n_latent, n_hidden)
        self.fc4 = nn.Linear(n_hidden, n_pixels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = F.relu(self.fc1(x))
        mu, log_variance = self.fc21(hidden), self.fc22(hidden)
        deviation = torch.exp(0.5 * log_variance)
        z = mu + torch.randn_like(deviation) * deviation
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, log_variance


def tutorial_epoch(images: NDArray[np.uint8], batch_size: int, *, workers: int) -> float:
    """Train for a pass over the data as the tutorials do; return the mean loss in nats."""
    model = TutorialVAE()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(Images(images), batch_size=batch_size, shuffle=True, num_workers=workers)
    total = 0.0
    for batch, _ in loader:
        batch = batch.view(-1, batch[0].numel())
        optimiser.zero_grad()
        probs, mu, log_variance = model(batch)
        cross_entropy = F.binary_cross_entropy(probs, batch, reduction="sum")
        divergence = -0.5 * torch.sum(1 + log_variance - mu.pow(2) - log_variance.exp())
        loss = cross_entropy + divergence
        loss.backward()
        total += loss.item()
        optimiser.step()
    return total / len(images)


def plain_loop_epoch(images: NDArray[np.uint8], batch_size: int) -> float:
    """Train emvae's own VAE and objective by the tutorials' loop: what the loop alone costs."""
    model, objective, generator = emvae_network(), NegativeELBO(), torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(Images(images), batch_size=batch_size, shuffle=True)
    total = 0.0
    for step, (batch, _) in enumerate(loader):
        batch = batch.view(-1, batch[0].numel())
        optimiser.zero_grad()
        loss = objective(model, batch, generator=generator, step=step)
        loss.backward()
        total += loss.item() * len(batch)
        optimiser.step()
    return total / len(images)


def least_loop_epoch(x: Tensor, batch_size: int) -> float:
    """Train emvae's network for a pass by a loop of nothing but the steps; return the mean loss in nats.

    The formulas are written out, nothing is checked, recorded or kept: what autograd and Adam cost.
    """
    model, generator = emvae_network(), torch.Generator().manual_seed(0)
    encoder, decoder = model.encoder, model.decoder
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    total = 0.0
    for rows in torch.split(torch.randperm(len(x), generator=generator), batch_size):
        batch = x.index_select(0, rows)
        hidden = encoder.trunk(batch)
        mu, log_sigma = encoder.loc(hidden), encoder.log_scale(hidden)
        sigma = log_sigma.exp()
        logits = decoder.logits(mu + sigma * torch.randn(sigma.shape, generator=generator))
        log_likelihood = torch.linalg.vecdot(batch, logits) - F.softplus(logits).sum(-1)
        divergence = 0.5 * (mu.square() + sigma.square() - 1).sum(-1) - log_sigma.sum(-1)
        loss = (divergence - log_likelihood).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += loss.item() * len(batch)
    return total / len(x)


def jax_epoch(images: NDArray[np.uint8]) -> Callable[[int], float]:
    """Return a pass over the data in JAX with optax: the same network, formulas and optimiser.

    The data lie on the device, and a whole step is one compiled function that works in its arguments' memory.
    """
    import jax
    import optax
    from jax import numpy as jnp

    def linear(key: Any, n_in: int, n_out: int) -> Any:
        bound, keys = n_in**-0.5, jax.random.split(key)
        shapes = (n_in, n_out), (n_out,)
        return [
            jax.random.uniform(k, s, minval=-bound, maxval=bound) for k, s in zip(keys, shapes, strict=True)
        ]

    def loss(weights: Any, x: Any, key: Any) -> Any:
        trunk, loc, log_scale, first, last = weights

        def through(layer: Any, h: Any) -> Any:
            return h @ layer[0] + layer[1]

        hidden = jax.nn.relu(through(trunk, x))
        mu, log_sigma = through(loc, hidden), through(log_scale, hidden)
        sigma = jnp.exp(log_sigma)
        z = mu + sigma * jax.random.normal(key, sigma.shape)
        logits = through(last, jax.nn.relu(through(first, z)))
        log_likelihood = (x * logits - jax.nn.softplus(logits)).sum(-1)
        return (0.5 * (mu**2 + sigma**2 - 1).sum(-1) - log_sigma.sum(-1) - log_likelihood).mean()

    optimiser = optax.adam(1e-3)

    @partial(jax.jit, donate_argnums=(0, 1))
    def step(weights: Any, moments: Any, x: Any, rows: Any, key: Any) -> Any:
        key, noise = jax.random.split(key)
        value, gradients = jax.value_and_grad(loss)(weights, x[rows], noise)
        updates, moments = optimiser.update(gradients, moments, weights)
        return optax.apply_updates(weights, updates), moments, value, key

    x = jnp.asarray(images.reshape(len(images), -1).astype(np.float32) / 255)
    n_pixels, n_hidden, n_latent = WIDTHS
    sizes = [(n_pixels, n_hidden), (n_hidden, n_latent), (n_hidden, n_latent), (n_latent, n_hidden)]

    def epoch(batch_size: int) -> float:
        key, *keys = jax.random.split(jax.random.key(0), 6)
        layers = zip(keys, [*sizes, (n_hidden, n_pixels)], strict=True)
        weights = [linear(k, *size) for k, size in layers]
        moments, order, total = optimiser.init(weights), np.random.default_rng(0).permutation(len(x)), 0.0
        for start in range(0, len(x), batch_size):
            rows = order[start : start + batch_size]
            weights, moments, value, key = step(weights, moments, x, rows, key)
            total += float(value) * len(rows)
        return total / len(x)

    return epoch


@contextmanager
def jax_elsewhere(images: NDArray[np.uint8]) -> Iterator[Callable[[int], float]]:
    """Hand on ``jax_epoch(images)``, which is made and runs in a process of its own.

    JAX has threads from its first call on, and a process with threads should not be forked, as a DataLoader
    does that starts workers: a lock that one of them held would stay locked in the copy.
    """
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=_make_epoch, initargs=(images,)) as pool:
        yield lambda batch_size: pool.submit(_run_epoch, batch_size).result()


def _make_epoch(images: NDArray[np.uint8]) -> None:
    global _epoch
    _epoch = jax_epoch(images)


def _run_epoch(batch_size: int) -> float:
    return _epoch(batch_size)


def emvae_epoch(x: Tensor, batch_size: int, *, binarise: bool, compile: bool = False) -> float:
    """Train for a pass over the data with emvae."""
    generator = torch.Generator().manual_seed(0)
    objective = NegativeELBO(binarise=binarise)
    return train(
        emvae_network(grey_levels=not binarise),
        x,
        objective,
        generator=generator,
        n_epochs=1,
        batch_size=batch_size,
        compile=compile,
    ).epoch_losses[0]


def emvae_network(widths: tuple[int, ...] = WIDTHS, *, grey_levels: bool = True) -> VAE:
    """Return the same network in emvae."""
    generator = torch.Generator().manual_seed(0)
    return VAE(
        StandardGaussian(widths[-1]),
        GaussianNetwork(list(widths), generator=generator),
        BernoulliNetwork(list(widths[::-1]), grey_levels=grey_levels, generator=generator),
    )


def bare_step(batch_size: int, widths: tuple[int, ...] = WIDTHS) -> Callable[[], Any]:
    """Return what no step of this network can do without: its matrix products, and the traffic of Adam.

    Three products a layer (forward, for the weights, for the input; the last not for the first layer), and
    a pass that reads and writes as many numbers as Adam has to: the weights and two moments.
    """
    *hidden, n_latent = widths
    encoder = [*pairwise(hidden), (hidden[-1], 2 * n_latent)]
    layers = [
        (torch.rand(batch_size, n_in), torch.rand(n_out, n_in), torch.rand(batch_size, n_out))
        for n_in, n_out in [*encoder, *pairwise(widths[::-1])]
    ]
    n_weights = sum(weights.numel() + len(weights) for _, weights, _ in layers)
    old, new = (torch.rand(3, n_weights) for _ in range(2))

    def work() -> None:
        for layer, (x, weights, change) in enumerate(layers):
            torch.mm(x, weights.T)
            torch.mm(change.T, x)
            if layer:
                torch.mm(change, weights)
        new.copy_(old)

    return work
