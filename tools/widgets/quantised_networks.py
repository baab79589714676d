"""The networks of the latent explorer: a VAE whose weights are whole numbers of few bits, kept in a script.

``book/_static/live/latent-networks.js`` is the only place where they lie: the page, the map of holes and the
tests all read it. ``make widgets`` writes it from the VAE that travels with the package.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from emvae.autoencoders import VAE, BernoulliNetwork, GaussianNetwork, StandardGaussian
from emvae.datasets import binarise, mnist
from tools.widgets.live_files import LIVE, script
from tools.widgets.weight_rounding import floats, from_floats, pack, quantise, unpack

FILE = LIVE / "latent-networks.js"
NAME = "latentNetworks"
PIXELS = 784
OUTER = 3, 4  # bits of a weight that has a pixel at one end, in the encoder and in the decoder
INNER = 6  # bits of the others
FEW = 2048  # a matrix with fewer entries stays in float32
N_INPUTS = 4000  # training digits whose way through the networks tells which errors matter
PAPER = 1e-3  # pixels of less ink than this, on average, are left out; the decoder gives them this much

Pairs = list[tuple[Tensor, Tensor]]


@torch.no_grad()
def export(
    vae: VAE, x: Tensor, *, blank: Sequence[int] = (), outer: tuple[int, int] = OUTER, inner: int = INNER
) -> dict[str, Any]:
    """Return the networks of a VAE for the script, each a list of layers.

    Parameters
    ----------
    vae : with a ``GaussianNetwork`` and a ``BernoulliNetwork``.
    x : (N, D) digits to judge by which errors matter.
    blank : numbers of the pixels to leave out.
    outer, inner : bits of a weight, with a pixel at one end, in encoder and decoder, and without.
    """
    inked = _inked(blank)
    encoder: Any = vae.encoder
    decoder: Any = vae.decoder
    heads = encoder.loc, encoder.log_scale
    head = torch.cat([layer.weight for layer in heads]), torch.cat([layer.bias for layer in heads])
    q = vae.encoder(x)
    z = q.mean + q.stddev * torch.randn(q.mean.shape, generator=torch.Generator().manual_seed(0))
    (first, first_bias), *rest = *_linear(encoder.trunk), head
    *begin, (last, last_bias) = _linear(decoder.logits)
    return {
        "blank": list(blank),
        "paper": math.log(PAPER / (1 - PAPER)),
        "encoder": _layers(
            [(first[:, inked], first_bias), *rest], x[:, inked], [outer[0]] + [inner] * len(rest)
        ),
        "decoder": _layers([*begin, (last[inked], last_bias[inked])], z, [inner] * len(begin) + [outer[1]]),
    }


def _inked(blank: Sequence[int]) -> Tensor:
    """Return the numbers of the pixels that are not left out."""
    return torch.tensor([pixel for pixel in range(PIXELS) if pixel not in set(blank)])


def _linear(network: nn.Sequential) -> Pairs:
    return [(layer.weight, layer.bias) for layer in network if isinstance(layer, nn.Linear)]


def _layers(pairs: Pairs, x: Tensor, bits: list[int]) -> list[dict[str, Any]]:
    """Round one layer after the other, each for the inputs that the rounded ones before it give."""
    layers = []
    for (weight, bias), n in zip(pairs, bits, strict=True):
        layers.append(_layer(weight, bias, x, n))
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
    inked = _inked(networks["blank"])
    (first, first_bias), *trunk, head = (_tensors(layer) for layer in networks["encoder"])
    *begin, (last, last_bias) = (_tensors(layer) for layer in networks["decoder"])
    seen, drawn = torch.zeros(len(first), PIXELS), torch.zeros(PIXELS, last.shape[1])
    logits = torch.full((PIXELS,), networks["paper"])
    seen[:, inked], drawn[inked], logits[inked] = first, last, last_bias
    encoder, decoder = [(seen, first_bias), *trunk], [*begin, (drawn, logits)]
    blank = torch.Generator()
    vae = VAE(
        StandardGaussian(2),
        GaussianNetwork([weight.shape[1] for weight, _ in [*encoder, head]] + [2], generator=blank),
        BernoulliNetwork([weight.shape[1] for weight, _ in decoder] + [PIXELS], generator=blank),
    )
    state = vae.state_dict()
    for name, rows in (("loc", slice(0, 2)), ("log_scale", slice(2, 4))):
        state |= {f"encoder.{name}.weight": head[0][rows], f"encoder.{name}.bias": head[1][rows]}
    for name, pairs in (("encoder.trunk", encoder), ("decoder.logits", decoder)):
        for i, (weight, bias) in enumerate(pairs):
            state |= {f"{name}.{2 * i}.weight": weight, f"{name}.{2 * i}.bias": bias}
    vae.load_state_dict(state)
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
    images = mnist(flat=True).train_images
    bits = binarise(images[:N_INPUTS], method="stochastic", rng=np.random.default_rng(0))
    blank = np.flatnonzero(images.mean(axis=0) < PAPER * 255).tolist()
    FILE.write_text(script(NAME, export(vae, torch.from_numpy(bits).float(), blank=blank)), encoding="utf-8")


@cache
def load() -> VAE:
    """Read the script of the networks."""
    text = FILE.read_text(encoding="utf-8")
    return restore(json.loads(text[text.index(f"{NAME} = ") + len(NAME) + 3 : text.rindex(";\n}")]))
