"""MNIST and Old Faithful: files inside the package, verified on loading, shared read-only."""

import hashlib
import zlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]

_DATA = resources.files("emvae") / "data"
_SHA256 = {  # of each file as it lies there
    "t10k-images-idx3-ubyte.gz": "1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be",
    "t10k-labels-idx1-ubyte.gz": "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
    "train-images-idx3-ubyte.gz": "0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971",
    "train-labels-idx1-ubyte.gz": "1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203",
    "digit-classifier.pt": "f757d1298013a153d34bc7698c70d8165953e8f60c5a7c4f54dbc7ae70a26212",
    "digit-vae.pt": "a986a58bbdb3b5cc6ceac9a7fba2544675fc6452ec6eba9afdf229d5b0eb4785",
    "old-faithful.csv": "d40b983752ab7ec0b15b740089c3ca7b7b59d0c7433a029a1714d134de1e8d14",
}


@dataclass(frozen=True, eq=False)
class MNIST:
    """The 70,000 handwritten digits of MNIST, split as their authors split them.

    Attributes
    ----------
    train_images : (60000, 28, 28) or flat (60000, 784), uint8 from 0, paper, to 255, ink.
    train_labels : (60000,) int64, the digits 0 to 9.
    test_images : as ``train_images``, with N = 10000.
    test_labels : as ``train_labels``, with N = 10000.
    """

    train_images: Bytes
    train_labels: Integers
    test_images: Bytes
    test_labels: Integers


@dataclass(frozen=True, eq=False)
class OldFaithful:
    """The 272 eruptions of the Old Faithful geyser.

    Attributes
    ----------
    x : (272, 2) float64, an eruption a row, both columns in minutes.
    columns : how long it erupted, and how long it was until the next eruption.
    unit : of both columns.
    """

    x: NDArray[np.float64]
    columns: tuple[str, str] = ("eruption time", "waiting time")
    unit: str = "min"


def mnist(*, flat: bool = False) -> MNIST:
    """Load MNIST from the files inside the package.

    The four files are verified and decoded at the first call. Later calls return the same memory,
    read-only, so that no caller spoils it for another; ``images.copy()`` may be written.

    Parameters
    ----------
    flat : give images as rows (N, 784) instead of (N, 28, 28); a view, no copy.

    Returns
    -------
    MNIST : 60,000 training and 10,000 test images with their labels.

    Raises
    ------
    OSError : a file is missing, truncated or altered; the message names it and the remedy.

    Notes
    -----
    Labels are int64, although the file holds bytes, because arithmetic on bytes wraps around.
    Source: LeCun, Cortes and Burges (1998).
    """
    train, test = (_read_idx(f"{part}-images-idx3-ubyte.gz") for part in ("train", "t10k"))
    train_labels, test_labels = (_read_labels(f"{part}-labels-idx1-ubyte.gz") for part in ("train", "t10k"))
    if flat:
        train, test = (images.reshape(len(images), -1) for images in (train, test))
    return MNIST(train, train_labels, test, test_labels)


@cache
def old_faithful() -> OldFaithful:
    """Load the eruptions of Old Faithful, in minutes.

    Returns
    -------
    OldFaithful : 272 rows (eruption time, waiting time to the next eruption), read-only; their
        means are 3.487783 and 70.8971 minutes.

    Raises
    ------
    OSError : the file is missing, truncated or altered; the message names it and the remedy.

    Notes
    -----
    Source: Härdle (1991), table 3; recorded in October 1980.
    """
    lines = read_verified("old-faithful.csv").decode("ascii").splitlines()
    return OldFaithful(_frozen(np.loadtxt(lines, delimiter=",", skiprows=1)))


def read_verified(name: str) -> bytes:
    """Return the bytes of a data file, unless they differ from those that were recorded."""
    path, remedy = _DATA / name, "reinstall emvae, or in a clone run `git checkout -- emvae/data`"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OSError(f"data file {path} cannot be read ({type(error).__name__}): {remedy}") from error
    if hashlib.sha256(content).hexdigest() != _SHA256[name]:
        raise OSError(
            f"data file {path} is truncated or altered, its {len(content)} bytes do not have the "
            f"SHA-256 {_SHA256[name]}: {remedy}"
        )
    return content


@cache
def _read_idx(name: str) -> Bytes:
    """Decode a gzipped IDX file: 0, 0, 8 for bytes, number of axes, big-endian shape, entries."""
    content = zlib.decompress(read_verified(name), wbits=31)  # 31: expect a gzip header
    n_axes = content[3]
    shape = np.frombuffer(content, ">u4", count=n_axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n_axes).reshape(shape)


@cache
def _read_labels(name: str) -> Integers:
    return _frozen(_read_idx(name).astype(np.int64))


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Return a copy over immutable bytes, whose writeable flag cannot be set again."""
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)
