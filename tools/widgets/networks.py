"""The networks of the latent explorer: a VAE whose weights are whole numbers of few bits, kept in a script.

``book/_static/live/latent-networks.js`` is the only place where they lie: the page, the map of holes and the
tests all read it. It is written from a VAE that ``emvae.autoencoders.save`` stored:

    .venv/bin/python -m tools.widgets.networks digit-vae.pt
"""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from emvae import autoencoders
from emvae.autoencoders import VAE, BernoulliNetwork, GaussianNetwork, StandardGaussian
from emvae.datasets import binarise, mnist
from tools.widgets.files import LIVE, script
from tools.widgets.rounding import floats, from_floats, pack, quantise, unpack

FILE = LIVE / "latent-networks.js"
NAME = "latentNetworks"
PIXELS = 784
OUTER, INNER = 4, 6  # bits of a weight that has a pixel at one end, and of one that has not
FEW = 2048  # a matrix with fewer entries stays in float32
N_INPUTS = 4000  # training digits whose way through the networks tells which errors matter

Pairs = list[tuple[Tensor, Tensor]]


@torch.no_grad()
def export(vae: VAE, x: Tensor, *, outer: int = OUTER, inner: int = INNER) -> dict[str, Any]:
    """Return the networks of a VAE for the script, each a list of layers.

    Parameters
    ----------
    vae : with a ``GaussianNetwork`` and a ``BernoulliNetwork``.
    x : (N, D) digits to judge by which errors matter.
    outer, inner : bits of a weight, with a pixel at one end and without.
    """
    encoder, decoder = vae.posterior, vae.likelihood
    heads = encoder.loc, encoder.log_scale
    head = torch.cat([layer.weight for layer in heads]), torch.cat([layer.bias for layer in heads])
    q = vae.posterior(x)
    z = q.mean + q.stddev * torch.randn(q.mean.shape, generator=torch.Generator().manual_seed(0))
    bits = outer, inner
    return {
        "encoder": _layers([*_linear(encoder.trunk), head], x, bits),
        "decoder": _layers(_linear(decoder.logits), z, bits),
    }


def _linear(network: nn.Sequential) -> Pairs:
    return [(layer.weight, layer.bias) for layer in network if isinstance(layer, nn.Linear)]


def _layers(pairs: Pairs, x: Tensor, bits: tuple[int, int]) -> list[dict[str, Any]]:
    """Round one layer after the other, each for the inputs that the rounded ones before it give."""
    layers = []
    for weight, bias in pairs:
        layers.append(_layer(weight, bias, x, bits[PIXELS not in weight.shape]))
        x = torch.relu(torch.nn.functional.linear(x, *_tensors(layers[-1])))
    return layers


def _layer(weight: Tensor, bias: Tensor, x: Tensor, bits: int) -> dict[str, Any]:
    rows, columns = weight.shape
    layer = {"rows": rows, "columns": columns, "bias": floats(bias.numpy())}
    if weight.numel() < FEW:
        return layer | {"weights": floats(weight.numpy())}
    numbers, scales = quantise(weight.numpy(), bits, x.numpy())
    return layer | {"bits": bits, "weights": pack(numbers, bits), "scales": floats(scales)}


def restore(networks: dict[str, Any]) -> VAE:
    """Return the VAE with exactly the weights that the page computes with."""
    encoder, decoder = networks["encoder"], networks["decoder"]
    blank = torch.Generator()
    vae = VAE(
        StandardGaussian(2),
        GaussianNetwork([layer["columns"] for layer in encoder] + [2], generator=blank),
        BernoulliNetwork([layer["columns"] for layer in decoder] + [decoder[-1]["rows"]], generator=blank),
    )
    *trunk, head = (_tensors(layer) for layer in encoder)
    state = {}
    for i, (weight, bias) in enumerate(trunk):
        state |= {f"posterior.trunk.{2 * i}.weight": weight, f"posterior.trunk.{2 * i}.bias": bias}
    for name, rows in (("loc", slice(0, 2)), ("log_scale", slice(2, 4))):
        state |= {f"posterior.{name}.weight": head[0][rows], f"posterior.{name}.bias": head[1][rows]}
    for i, (weight, bias) in enumerate(map(_tensors, decoder)):
        state |= {f"likelihood.logits.{2 * i}.weight": weight, f"likelihood.logits.{2 * i}.bias": bias}
    vae.load_state_dict(vae.state_dict() | state)  # the prior has a state, which is fixed
    return vae.eval().requires_grad_(False)


def _tensors(layer: dict[str, Any]) -> tuple[Tensor, Tensor]:
    shape = layer["rows"], layer["columns"]
    if "bits" in layer:
        numbers = unpack(layer["weights"], layer["bits"], shape[0] * shape[1]).reshape(shape)
        weight = numbers.astype(np.float32) * from_floats(layer["scales"])[:, None]
    else:
        weight = from_floats(layer["weights"]).reshape(shape)
    return torch.tensor(weight), torch.tensor(from_floats(layer["bias"]))


def save(vae: VAE) -> None:
    """Write the script of the networks."""
    images = mnist(flat=True).train_images[:N_INPUTS]
    bits = binarise(images, method="stochastic", rng=np.random.default_rng(0))
    FILE.write_text(script(NAME, export(vae, torch.from_numpy(bits).float())), encoding="utf-8")


@cache
def load() -> VAE:
    """Read the script of the networks."""
    text = FILE.read_text(encoding="utf-8")
    return restore(json.loads(text[text.index(f"{NAME} = ") + len(NAME) + 3 : text.rindex(";\n}")]))


if __name__ == "__main__":
    save(autoencoders.load(sys.argv[1]))
