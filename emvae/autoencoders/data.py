"""What may go into an auto-encoder: the one check of data for all that takes them."""

from typing import TYPE_CHECKING, NoReturn

import torch
from torch import Tensor, nn
from torch.distributions import constraints

from emvae._random import as_torch_generator
from emvae._validation import as_count

if TYPE_CHECKING:
    from emvae.autoencoders.vae import VAE


def check_data(x: Tensor, encoder: nn.Module | None = None, decoder: nn.Module | None = None) -> None:
    """Raise where x is not a matrix of data that the encoder takes and the decoder can score.

    Parameters
    ----------
    x : (N, D) data.
    encoder : the encoder; its first entry of ``sizes``, where it has any, is D.
    decoder : the decoder; its ``support``, where it has one, says which entries it models.

    Raises
    ------
    ValueError : x is no floating-point tensor, not (N, D) for this D, empty, not finite, or outside the
        range of the decoder.
    """
    if not isinstance(x, Tensor):
        raise ValueError(f"x is a {type(x).__name__}: pass a torch.Tensor, as torch.from_numpy makes one")
    if x.ndim != 2:
        raise ValueError(f"x is {x.ndim}-d: pass a 2-d tensor of shape (N, D), images as x.flatten(1)")
    if x.numel() == 0:
        raise ValueError(f"x is empty with shape {tuple(x.shape)}: pass at least one datum")
    if not x.is_floating_point():
        raise ValueError(f"x has dtype {x.dtype}: pass floats, bits as x.float() and bytes as x / 255")
    sizes = getattr(encoder, "sizes", None)
    if sizes is not None and x.shape[1] != sizes[0]:
        raise ValueError(
            f"x has {x.shape[1]} features, the model has {sizes[0]}: "
            "pass data of the dimension that the model was made for"
        )
    support = getattr(decoder, "support", constraints.real)
    inside = _all_inside(x, support)
    if torch.compiler.is_compiling():  # a branch on what x holds would cut the graph in two
        torch._assert_async(inside, "x holds what the model does not take")
    elif not inside:
        _explain(x, support)


def check_draws(vae: "VAE", x: Tensor, n_samples: int, generator: torch.Generator) -> int:
    """Check what all that samples from q is given, and return the number of samples."""
    device = as_torch_generator(generator).device
    if device.type != torch.device(getattr(x, "device", device)).type:
        raise ValueError(f"generator is on {device}, x on {x.device}: pass torch.Generator(x.device)")
    check_data(x, vae.encoder, vae.decoder)
    return as_count(n_samples, name="n_samples")


def _all_inside(x: Tensor, support: constraints.Constraint) -> Tensor:
    """Tell whether all entries are in the support, in two passes at most: each batch comes through here."""
    low, high = x.detach().aminmax()
    if support is constraints.real:
        return torch.isfinite(high - low)
    inside = (low >= 0) & (high <= 1)
    return inside & (x * x == x).all() if support is constraints.boolean else inside


def _explain(x: Tensor, support: constraints.Constraint) -> NoReturn:
    """Say what is the matter with the first entry that is outside."""
    finite = torch.isfinite(x)
    allowed = (x == 0) | (x == 1) if support is constraints.boolean else (x >= 0) & (x <= 1)
    row, column = (~(allowed if finite.all() else finite)).nonzero()[0].tolist()
    value = f"x holds {x[row, column].item():g} in row {row}, column {column}"
    if not finite.all():
        raise ValueError(f"{value}: drop or impute missing values first")
    if support is constraints.boolean:
        raise ValueError(
            f"{value}, the decoder models bits: binarise grey levels first, for instance with "
            "emvae.datasets.binarise, or make it with grey_levels=True"
        )
    raise ValueError(f"{value}, outside of [0, 1]: divide grey levels of a byte by 255")
