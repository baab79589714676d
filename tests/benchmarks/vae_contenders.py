"""Training as most tutorials write it, and the work below which no training of this network can go.

The tutorials' way with MNIST: a Dataset that turns each image into a tensor when it is asked for it
(torchvision's ``MNIST`` with ``ToTensor()``, whose steps are written out here), a DataLoader that stacks
them, a module with layers fc1 to fc4, binary cross entropy after a sigmoid, Adam as torch sets it up by
default.
"""

from collections.abc import Callable
from itertools import pairwise
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


def emvae_epoch(x: Tensor, batch_size: int, *, binarise: bool) -> float:
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
    ).loss


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
