"""Auto-encoders in files: weights, and the architecture as plain data; a file cannot run anything."""

import os
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from emvae.autoencoders.linear import LinearGaussianVAE
from emvae.autoencoders.networks import BernoulliNetwork, GaussianNetwork, StandardGaussian
from emvae.autoencoders.vae import VAE, Autoencoder

__all__ = ["load", "save"]

FORMAT = "emvae auto-encoder, version 1"
PARTS: dict[type[nn.Module], tuple[str, ...]] = {
    VAE: ("prior", "posterior", "likelihood"),
    Autoencoder: ("posterior", "likelihood"),
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
    """
    content = {"format": FORMAT, "architecture": describe(model), "weights": model.state_dict()}
    path = Path(path)
    handle, new = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except BaseException:
        os.unlink(new)
        raise


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
    FileNotFoundError : there is no such file.
    ValueError : the file is truncated, or was not written by ``save``, or holds anything but tensors and
        plain data, or weights that do not fit the architecture.
    """
    with open(path, "rb") as file:
        try:
            content = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # a broken or hostile file meets a dozen kinds of error in torch
            raise ValueError(
                f"{path} is damaged or no file of weights: pass one that emvae.autoencoders.save wrote"
            ) from error
    try:
        if content["format"] != FORMAT:
            raise KeyError(content["format"])
        with torch.device("meta"):  # no memory for sizes that nothing stands behind
            model = build(content["architecture"])
        model.load_state_dict(content["weights"], assign=True)
    except Exception as error:
        raise ValueError(
            f"{path} holds no auto-encoder: pass a file that emvae.autoencoders.save wrote"
        ) from error
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
