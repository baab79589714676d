"""Auto-encoders in files: weights, and the architecture as plain data; a file cannot run anything."""

import os
from typing import Any

import torch
from torch import nn

from emvae._files import read, write
from emvae.autoencoders.linear import LinearGaussianVAE
from emvae.autoencoders.networks import BernoulliNetwork, GaussianNetwork, StandardGaussian
from emvae.autoencoders.vae import VAE, Autoencoder

KIND = "emvae.autoencoders.save, version 2"
PARTS: dict[type[nn.Module], tuple[str, ...]] = {
    VAE: ("prior", "encoder", "decoder"),
    Autoencoder: ("encoder", "decoder"),
}
LEAVES = (StandardGaussian, GaussianNetwork, BernoulliNetwork, LinearGaussianVAE)
KINDS: dict[str, type[nn.Module]] = {kind.__name__: kind for kind in (*PARTS, *LEAVES)}


def save(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Write a model to a file, or leave the file that was there as it was.

    Parameters
    ----------
    model : a VAE, Autoencoder or LinearGaussianVAE made of networks of this package.
    path : where to; the folder exists. It is written beside and moved over, so that a reader or an
        interruption never meets half a file.

    Raises
    ------
    ValueError : a part of the model is not of this package.
    OSError : the file cannot be written; the old one is untouched.
    """
    write(path, {"architecture": describe(model), "weights": model.state_dict()}, kind=KIND)


def load(path: str | os.PathLike[str]) -> Any:
    """Read a model that ``save`` wrote; nothing in the file is executed.

    Parameters
    ----------
    path : of the file.

    Returns
    -------
    The model, on the CPU, with the parameters it was saved with.

    Raises
    ------
    OSError : there is no such file, or it cannot be read.
    ValueError : the file is truncated, or was not written by ``save``, or holds anything but tensors and
        plain data, or weights that do not fit the architecture.
    """
    content = read(path, kind=KIND)
    try:
        with torch.device("meta"):  # no memory for sizes that nothing stands behind
            model = build(content["architecture"])
        model.load_state_dict(content["weights"], assign=True)
    except Exception as error:
        raise ValueError(f"{path} does not describe its weights: pass a file of {KIND}") from error
    return model


def describe(model: Any) -> dict[str, Any]:
    """Return the kind of a model, the arguments that make it and its parts, as plain data."""
    kind = type(model)
    if kind in PARTS:
        return {"kind": kind.__name__} | {name: describe(getattr(model, name)) for name in PARTS[kind]}
    if kind in LEAVES:
        return {"kind": kind.__name__, "arguments": model.architecture()}
    raise ValueError(
        f"{kind.__name__} is not of emvae.autoencoders, no file can describe it: "
        "pass its state_dict() to torch.save yourself"
    )


def build(description: dict[str, Any]) -> nn.Module:
    """Make the model that ``describe`` described."""
    kind = KINDS[description["kind"]]
    if kind in PARTS:
        return kind(*(build(description[name]) for name in PARTS[kind]))
    if kind is StandardGaussian:
        return kind(**description["arguments"])
    return kind(**description["arguments"], generator=torch.Generator())
