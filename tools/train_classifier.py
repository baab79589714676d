"""Train the judge of samples, ``emvae/data/digit-classifier.pt``, on the training digits of MNIST.

    .venv/bin/python tools/train_classifier.py

It takes about two minutes. Half of each batch are grey levels, half are bits drawn from them, because it is
to judge both. Nothing is chosen by looking at the test digits: they are counted once, at the end. Weights
are stored as float16, and what is stored is what is tested. The last bits differ between processors, and so
does the checksum: record the new one in ``emvae/datasets/real.py``, and with the accuracies in
``emvae/data/DATA.md``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from emvae.datasets import mnist
from emvae.latents.classifier import DigitClassifier
from emvae.training import cosine

FILE = Path(__file__).resolve().parent.parent / "emvae" / "data" / "digit-classifier.pt"
N_EPOCHS, BATCH_SIZE, LEARNING_RATE = 16, 256, 2e-3


def bits(grey: Tensor, generator: torch.Generator) -> Tensor:
    """Draw bits with these grey levels as probabilities."""
    return (torch.rand(grey.shape, generator=generator) < grey).float()


def shifted(grey: Tensor, generator: torch.Generator) -> Tensor:
    """Move a few images by up to two pixels along each axis: decoded digits are not centred as real ones."""
    across, down = torch.randint(-2, 3, (2,), generator=generator).tolist()
    return grey.reshape(-1, 28, 28).roll((down, across), (1, 2)).flatten(1)


def train(generator: torch.Generator) -> DigitClassifier:
    """Minimise the cross-entropy with Adam."""
    data = mnist(flat=True)
    images, labels = torch.tensor(data.train_images), torch.tensor(data.train_labels)
    judge = DigitClassifier(generator=generator)
    optimiser = torch.optim.Adam(judge.parameters(), lr=LEARNING_RATE)
    schedule = cosine(optimiser, N_EPOCHS * -(-len(images) // BATCH_SIZE))
    for _ in range(N_EPOCHS):
        for rows in torch.split(torch.randperm(len(images), generator=generator), BATCH_SIZE):
            x = torch.cat([shifted(part, generator) for part in torch.split(images[rows] / 255, 16)])
            half = len(x) // 2
            x = torch.cat([x[:half], bits(x[half:], generator)])
            loss = cross_entropy(judge(x).logits, labels[rows])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch's
            optimiser.step()
            schedule.step()
    return judge


@torch.no_grad()
def accuracy(judge: DigitClassifier, images: Tensor, labels: Tensor) -> float:
    """Return the share of images told right."""
    return float((judge(images).probs.argmax(-1) == labels).float().mean())


def main() -> None:
    """Train, store, test what was stored."""
    generator = torch.Generator().manual_seed(0)
    judge = train(generator)
    weights: dict[str, Any] = {name: tensor.half() for name, tensor in judge.state_dict().items()}
    torch.save(weights, FILE)
    judge.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    data = mnist(flat=True)
    grey, labels = torch.tensor(data.test_images) / 255, torch.tensor(data.test_labels)
    content = FILE.read_bytes()
    print(f"{FILE.name}: {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")
    print(f"test accuracy {accuracy(judge, grey, labels):.4f} on grey levels")
    print(f"test accuracy {accuracy(judge, bits(grey, generator), labels):.4f} on bits")


if __name__ == "__main__":
    main()
