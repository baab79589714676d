"""A judge of samples: a small network that tells digits apart, trained on real ones and kept in a file."""

from functools import cache
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Categorical

from emvae._random import as_torch_generator
from emvae.latents.stored import with_stored_weights

__all__ = ["DigitClassifier", "digit_classifier"]

FILE = "digit-classifier.pt"
SIDE = 28


class DigitClassifier(nn.Module):
    """Two convolutions and two layers that return p(digit | image).

    Parameters
    ----------
    generator : draws the initial weights.

    Notes
    -----
    Source: LeCun, Bottou, Bengio and Haffner (1998), for networks of this kind.
    """

    def __init__(self, *, generator: torch.Generator) -> None:
        super().__init__()
        self.network = nn.Sequential(
            nn.Conv2d(1, 24, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(24, 48, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(48 * 7 * 7, 96),
            nn.ReLU(),
            nn.Linear(96, 10),
        )
        as_torch_generator(generator)
        with torch.no_grad():
            for weight, bias in pairwise(self.parameters()):
                if bias.ndim == 1:
                    bound = weight[0].numel() ** -0.5
                    weight.uniform_(-bound, bound, generator=generator)
                    bias.uniform_(-bound, bound, generator=generator)

    def forward(self, images: Tensor) -> Categorical:
        """Return p(digit | image) for each image, a Categorical with ``probs`` (N, 10).

        Parameters
        ----------
        images : (N, 784) floats in [0, 1], 0 for paper and 1 for ink: grey levels, bits, or the pixel
            means of a decoder.

        Raises
        ------
        ValueError : images of another shape or range, or not finite.
        """
        return Categorical(logits=self.network(_as_images(images)), validate_args=False)


@cache
def digit_classifier() -> DigitClassifier:
    """Load the judge that travels with the package: 99 per cent of real test digits are told right.

    Returns
    -------
    DigitClassifier : on the CPU, in float32, without gradients. It is shared: do not train it.

    Raises
    ------
    OSError : the file is missing, truncated or altered; the message names it and the remedy.

    Notes
    -----
    Made by ``tools/train_classifier.py``; how and how well is in ``emvae/data/DATA.md``.
    """
    return with_stored_weights(DigitClassifier(generator=torch.Generator()), FILE)


def _as_images(images: Any) -> Tensor:
    if not isinstance(images, Tensor) or not images.is_floating_point():
        raise ValueError(
            "images are no tensor of floats: pass grey levels as tensor / 255, bits as tensor.float()"
        )
    if images.ndim != 2 or images.shape[1] != SIDE**2 or len(images) == 0:
        raise ValueError(
            f"images have shape {tuple(images.shape)}: pass (N, {SIDE**2}), as images.flatten(1)"
        )
    low, high = images.detach().aminmax()
    if not (low >= 0 and high <= 1):
        raise ValueError("images should be finite and in [0, 1]: divide grey levels of a byte by 255")
    return images.reshape(-1, 1, SIDE, SIDE)
