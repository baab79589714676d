"""What is saved is loaded, bit by bit; what is anything else is refused before memory is asked for."""

import re

import pytest
import torch

from emvae import _files
from emvae.autoencoders import (
    VAE,
    Autoencoder,
    BernoulliNetwork,
    GaussianNetwork,
    LinearGaussianVAE,
    StandardGaussian,
    load,
    save,
)
from emvae.autoencoders.storage import KIND


def models():
    g = torch.Generator().manual_seed(0)
    diagonal, full = (
        GaussianNetwork([6, 4, 2], generator=g),
        GaussianNetwork([6, 2], covariance="full", generator=g),
    )
    bits = BernoulliNetwork([2, 5, 6], generator=g)
    grey = BernoulliNetwork([2, 6], grey_levels=True, generator=g)
    shared = GaussianNetwork([2, 3, 6], covariance="shared", scale=0.3, generator=g)
    fixed = GaussianNetwork([2, 3, 6], covariance="fixed", scale=0.3, generator=g)
    return {
        "bits": VAE(StandardGaussian(2), diagonal, bits),
        "grey levels": VAE(StandardGaussian(2), full, grey),
        "shared": VAE(StandardGaussian(2), full, shared),
        "fixed, double": VAE(StandardGaussian(2), diagonal, fixed).double(),
        "deterministic": Autoencoder(diagonal, bits),
        "linear": LinearGaussianVAE.from_ppca(torch.randn(20, 6, generator=g), 2),
        "a network alone": full,
    }


every_model = pytest.mark.parametrize("name", models())


@every_model
def test_a_model_comes_back_bit_by_bit(name, tmp_path):
    model = models()[name]
    save(model, tmp_path / "model.pt")
    state = torch.get_rng_state()
    again = load(tmp_path / "model.pt")
    assert torch.equal(torch.get_rng_state(), state)
    assert repr(again) == repr(model)
    assert again.state_dict().keys() == model.state_dict().keys()
    for ours, theirs in zip(again.state_dict().values(), model.state_dict().values(), strict=True):
        assert (ours.dtype, ours.device) == (theirs.dtype, theirs.device)
        assert torch.equal(ours, theirs)
    assert all(value.requires_grad for value in again.parameters())
    save(again, tmp_path / "again.pt")
    assert (
        _files.read(tmp_path / "again.pt", kind=KIND)["architecture"]
        == _files.read(tmp_path / "model.pt", kind=KIND)["architecture"]
    )


def test_what_a_loaded_model_computes_is_the_same(tmp_path):
    x = torch.rand(3, 6, generator=torch.Generator().manual_seed(1))
    for model in (models()["fixed, double"], models()["grey levels"], models()["shared"]):
        save(model, tmp_path / "model.pt")
        again = load(tmp_path / "model.pt")
        data = x.to(next(model.parameters()).dtype)
        z = model.encoder(data).mean
        assert torch.equal(again.encoder(data).mean, z)
        assert torch.equal(again.log_joint(data, z), model.log_joint(data, z))
        assert again.decoder.support is model.decoder.support


class Own(torch.nn.Module):
    pass


@pytest.mark.parametrize("model", [Own(), VAE(Own(), Own(), Own()), torch.nn.Linear(2, 2)])
def test_foreign_modules_are_not_saved(model, tmp_path):
    with pytest.raises(ValueError, match=r"is not of emvae\.autoencoders, no file can describe it: pass its"):
        save(model, tmp_path / "model.pt")
    assert list(tmp_path.iterdir()) == []


def changed(architecture=None, weights=None):
    """The file of the first model with its architecture or its weights changed."""
    model = models()["bits"]
    network = {"kind": "GaussianNetwork", "arguments": model.encoder.architecture()}
    decoder = {"kind": "BernoulliNetwork", "arguments": model.decoder.architecture()}
    prior = {"kind": "StandardGaussian", "arguments": model.prior.architecture()}
    plain = {"kind": "VAE", "prior": prior, "encoder": network, "decoder": decoder}
    state = dict(model.state_dict())
    return {
        "architecture": plain if architecture is None else architecture(plain),
        "weights": state if weights is None else weights(state),
    }


def nested(depth):
    description = None
    for _ in range(depth):
        description = {"kind": "Autoencoder", "encoder": description, "decoder": None}
    return description


GIANT = {"kind": "GaussianNetwork", "arguments": {"sizes": [10**7, 10**7, 2]}}
BAD = {
    "no architecture": {"weights": {}},
    "no weights": {"architecture": GIANT},
    "architecture of text": {"architecture": "VAE", "weights": {}},
    "unknown kind": changed(lambda a: a | {"kind": "system"}),
    "a missing part": changed(lambda a: {k: v for k, v in a.items() if k != "prior"}),
    "another argument": changed(
        lambda a: a | {"prior": {"kind": "StandardGaussian", "arguments": {"n_latent": 2, "command": "ls"}}}
    ),
    "bad sizes": changed(
        lambda a: a | {"encoder": {"kind": "GaussianNetwork", "arguments": {"sizes": [6, -4, 2]}}}
    ),
    "other sizes": changed(
        lambda a: a | {"encoder": {"kind": "GaussianNetwork", "arguments": {"sizes": [6, 5, 2]}}}
    ),
    "sizes for terabytes": changed(lambda a: a | {"encoder": GIANT}),
    "nested without end": {"architecture": nested(300), "weights": {}},
    "a weight too few": changed(weights=lambda w: dict(list(w.items())[1:])),
    "a weight too many": changed(weights=lambda w: w | {"more": torch.zeros(2)}),
    "a weight of text": changed(weights=lambda w: w | {next(iter(w)): "text"}),
    "weights in whole numbers": changed(weights=lambda w: {k: v.long() for k, v in w.items()}),
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_files_that_do_not_fit_together_are_refused(content, tmp_path):
    path = tmp_path / "model.pt"
    _files.write(path, content, kind=KIND)
    with pytest.raises(
        ValueError, match=f"^{re.escape(str(path))} does not describe its weights: pass a file"
    ):
        load(path)


def test_checkpoints_and_other_files_are_refused(tmp_path):
    path = tmp_path / "model.pt"
    _files.write(path, {"architecture": {}, "weights": {}}, kind="something else")
    with pytest.raises(ValueError, match=r"holds something else: pass a file of emvae\.autoencoders"):
        load(path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.pt")
