"""Networks whose trained weights travel with the package."""

from io import BytesIO
from typing import Any, TypeVar

import torch
from torch import nn

from emvae.datasets.real import read_verified

__all__ = ["with_stored_weights"]

Network = TypeVar("Network", bound=nn.Module)


def with_stored_weights(network: Network, file: str) -> Network:
    """Fill a network with the weights of a file of ``emvae/data``, for use and not for training.

    Parameters
    ----------
    network : one of the architecture that the file was written from; it is changed.
    file : its name.

    Returns
    -------
    The network, in float32, in evaluation mode and without gradients.

    Raises
    ------
    OSError : the file is missing, truncated or altered; the message names it and the remedy.
    """
    weights: dict[str, Any] = torch.load(BytesIO(read_verified(file)), map_location="cpu", weights_only=True)
    network.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    return network.eval().requires_grad_(False)
