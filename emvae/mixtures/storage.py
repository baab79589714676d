"""Mixtures in files: arrays in numpy's own format, which cannot run anything."""

import json
import os
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from emvae._replace import replace_file
from emvae.mixtures.bernoulli import BernoulliMixture
from emvae.mixtures.gaussian import GaussianMixture
from emvae.mixtures.mixture import Mixture

KIND = "emvae.mixtures.save, version 1"
FAMILIES: dict[str, type[Mixture]] = {kind.__name__: kind for kind in (GaussianMixture, BernoulliMixture)}


def save(model: Mixture, path: str | os.PathLike[str]) -> None:
    """Write a mixture to an ``.npz`` file, or leave the file that was there as it was.

    Parameters
    ----------
    model : a GaussianMixture or BernoulliMixture.
    path : where to; the folder exists. It is written beside and moved over, so that a reader or an
        interruption never meets half a file.

    Raises
    ------
    ValueError : the model is of another family.
    OSError : the file cannot be written; the old one is untouched.
    """
    if type(model) not in FAMILIES.values():
        raise ValueError(f"model is a {type(model).__name__}: pass one of {', '.join(FAMILIES)}")
    fields = {name: getattr(model, name) for name in model.__dataclass_fields__ if not name.startswith("_")}
    arrays = {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}
    others = {name: value for name, value in fields.items() if name not in arrays}
    if "dtype" in others:
        others["dtype"] = np.dtype(others["dtype"]).name
    header = json.dumps({"kind": KIND, "family": type(model).__name__, "options": others})
    data = BytesIO()
    np.savez(data, allow_pickle=False, header=np.array(header), **arrays)
    replace_file(path, data.getbuffer())


def load(path: str | os.PathLike[str]) -> Any:
    """Read a mixture that ``save`` wrote; nothing in the file is executed.

    Parameters
    ----------
    path : of the file.

    Returns
    -------
    The model, equal to the one that was saved.

    Raises
    ------
    OSError : there is no such file, or it cannot be read.
    ValueError : the file is truncated, or was not written by ``save``, or holds parameters of no mixture.
    """
    data = Path(path).read_bytes()
    try:
        with np.load(BytesIO(data), allow_pickle=False) as file:
            arrays = dict(file)
        header = json.loads(str(arrays.pop("header")))
        if header["kind"] != KIND:
            raise ValueError(header["kind"])
        options = header["options"]
        if "dtype" in options:
            options["dtype"] = np.dtype(options["dtype"]).type
        return FAMILIES[header["family"]](**arrays, **options)
    except Exception as error:  # a broken or hostile file meets a dozen kinds of error in numpy
        raise ValueError(f"{path} is damaged, or holds something else: pass a file of {KIND}") from error
