"""The stored VAE is as good as its page says, small, the recipe's network, and its file can run nothing."""

import io
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import emvae
from emvae.bounds import elbo_monte_carlo
from emvae.datasets import binarise, mnist, real
from emvae.latents import active_units, digit_vae, encode, trained
from emvae.latents.trained import SIZES, new_digit_vae
from tests.latents.models import generator

DATA = Path(emvae.__file__).parent / "data"
FILE = DATA / "digit-vae.pt"


@pytest.fixture
def no_cache():
    trained._weights.cache_clear()
    yield
    trained._weights.cache_clear()


@pytest.fixture(scope="module")
def bits_to_test():
    """The bits that the page's ELBO is of: those of chapter 6's recipe, drawn from seed 0."""
    bits = binarise(mnist(flat=True).test_images, method="stochastic", rng=np.random.default_rng(0))
    return torch.from_numpy(bits).float()


def test_its_elbo_is_what_its_page_says(bits_to_test):
    page = (DATA / "DATA.md").read_text("utf-8")
    said = [float(number) for number in re.findall(r"ELBO of (-[\d.]+) nats", page)]
    rows = torch.split(bits_to_test, 2000)
    values = [elbo_monte_carlo(digit_vae(), x, generator=generator(1)).value.mean().item() for x in rows]
    assert len(said) == 1
    assert np.mean(values) == pytest.approx(said[0], abs=0.25)  # other codes are drawn: four standard errors
    assert np.mean(values) > -138.2  # chapter 6's network is at most one nat better


def test_both_dimensions_say_something(bits_to_test):
    assert active_units(digit_vae(), bits_to_test[:2000]).count == 2


def test_neighbours_on_the_map_are_of_one_kind(bits_to_test):
    """Each of a thousand codes has its nearest among three thousand others, mostly of the same digit."""
    labels = mnist().test_labels[:4000]
    means = encode(digit_vae(), bits_to_test[:4000]).means
    squares = ((means[:1000, None] - means[None, 1000:]) ** 2).sum(-1)
    nearest = labels[1000:][squares.argmin(axis=1)]
    assert np.mean(nearest == labels[:1000]) > 0.55


def test_each_call_hands_out_a_model_of_its_own(no_cache):
    vae, other = digit_vae(), digit_vae()
    intact = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.zero_()
    for model in (other, digit_vae()):
        assert all(torch.equal(tensor, intact[name]) for name, tensor in model.state_dict().items())


def test_its_file_is_read_once(no_cache, tmp_path, monkeypatch):
    digit_vae()
    monkeypatch.setattr(real, "_DATA", tmp_path)
    digit_vae()


def test_it_is_not_trained_by_accident():
    vae = digit_vae()
    assert not any(parameter.requires_grad for parameter in vae.parameters())
    assert not vae.training
    assert {parameter.dtype for parameter in vae.parameters()} == {torch.float32}
    assert vae.encoder.sizes == SIZES
    assert vae.decoder.sizes == SIZES[::-1]


def test_its_file_is_small_and_of_half_precision():
    content = FILE.read_bytes()
    assert len(content) < 1_500_000
    weights = torch.load(io.BytesIO(content), weights_only=True)
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    assert weights.keys() == new_digit_vae(generator=generator()).state_dict().keys()


def test_a_file_of_other_content_is_refused(no_cache, tmp_path, monkeypatch):
    shutil.copy(FILE, tmp_path)
    monkeypatch.setattr(real, "_DATA", tmp_path)
    (tmp_path / FILE.name).write_bytes(FILE.read_bytes()[:-1])
    with pytest.raises(OSError, match=r"digit-vae\.pt is truncated or altered.*reinstall"):
        digit_vae()


def test_initial_weights_come_from_the_generator():
    first, again, other = (new_digit_vae(generator=generator(seed)) for seed in (0, 0, 1))
    for a, b, c in zip(*(vae.parameters() for vae in (first, again, other)), strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c)
