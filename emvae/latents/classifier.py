"""A judge of samples: a small network that tells digits apart, trained on real ones and kept in a file."""

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, constraints

from emvae._random import drawing_from
from emvae.autoencoders.data import check_data
from emvae.latents.trained import with_stored_weights

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

    sizes, support = (SIDE**2, 10), constraints.unit_interval

    def __init__(self, *, generator: torch.Generator) -> None:
        super().__init__()
        with drawing_from(generator):
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

    def forward(self, x: Tensor) -> Categorical:
        """Return p(digit | image) for each image, a Categorical with ``probs`` (N, 10).

        Parameters
        ----------
        x : (N, 784) floats in [0, 1], 0 for paper and 1 for ink: grey levels, bits, or the pixel
            means of a decoder.

        Raises
        ------
        ValueError : images of another shape or range, or not finite.
        """
        check_data(x, self, self)
        return Categorical(logits=self.network(x.reshape(-1, 1, SIDE, SIDE)), validate_args=False)


def digit_classifier() -> DigitClassifier:
    """Load the judge that travels with the package: 99 per cent of real test digits are told right.

    Returns
    -------
    A module of torch's, fresh at each call, on the CPU, in float32, without gradients. Called with images
    (N, 784), grey levels in [0, 1] or bits, it returns a Categorical with ``probs`` (N, 10).

    Raises
    ------
    OSError : the file is missing, truncated or altered; the message names it and the remedy.

    Notes
    -----
    Made by ``tools/train_classifier.py``; how and how well is in ``emvae/data/DATA.md``.
    """
    return with_stored_weights(DigitClassifier(generator=torch.Generator()), FILE)
