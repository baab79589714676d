"""Data that travels with the package, and small synthetic sets that know their truth.

Real sets are files in ``emvae/data`` (sources, licences and checksums in its ``DATA.md``): nothing
is downloaded and nothing is written. Their arrays are cached and shared, so they are read-only;
copy one to change it. Synthetic sets are drawn afresh at each call, and their arrays belong to the
caller.
"""

from emvae.datasets.bits import Split, binarise, train_validation_split
from emvae.datasets.real import MNIST, OldFaithful, mnist, old_faithful
from emvae.datasets.synthetic import (
    BernoulliSample,
    GaussianSample,
    RingsSample,
    bernoulli_toy,
    blobs,
    overlapping,
    rings,
)

__all__ = [
    "MNIST",
    "BernoulliSample",
    "GaussianSample",
    "OldFaithful",
    "RingsSample",
    "Split",
    "bernoulli_toy",
    "binarise",
    "blobs",
    "mnist",
    "old_faithful",
    "overlapping",
    "rings",
    "train_validation_split",
]
