"""Files of tensors and plain data that are whole or absent, and that cannot run anything."""

import os
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from emvae._replace import replace_file

__all__ = ["read", "write"]


def write(path: str | os.PathLike[str], content: dict[str, Any], *, kind: str) -> None:
    """Replace a file in one step: whoever ends the process leaves the old file or the new one.

    Parameters
    ----------
    path : where to; the folder exists.
    content : tensors and plain data by name.
    kind : what this is, with a version; ``read`` asks for the same.

    Raises
    ------
    OSError : the disk is full, or the folder is missing or not writable; the old file is untouched.
    """
    data = BytesIO()
    torch.save({"kind": kind, **content}, data)
    replace_file(path, data.getbuffer())


def read(path: str | os.PathLike[str], *, kind: str) -> dict[str, Any]:
    """Return what ``write`` wrote, on the CPU; nothing in the file is executed.

    Parameters
    ----------
    path : of the file.
    kind : what it should be.

    Raises
    ------
    ValueError : the file is truncated, altered or something else.
    OSError : there is no such file, or it cannot be read.
    """
    data = Path(path).read_bytes()
    try:
        with warnings.catch_warnings(action="ignore"):  # of the pickle that it is about to refuse
            content = torch.load(BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # a broken or hostile file meets a dozen kinds of error in torch
        raise ValueError(f"{path} is damaged, or holds more than numbers: pass a file of {kind}") from error
    if not isinstance(content, dict) or content.get("kind") != kind:
        raise ValueError(f"{path} holds something else: pass a file of {kind}")
    return content
