"""The stored judge is as good as its page says, small, and its file can run nothing."""

import hashlib
import io
import re
import shutil
from pathlib import Path

import pytest
import torch

import emvae
from emvae.datasets import mnist, real
from emvae.latents import digit_classifier, trained
from emvae.latents.classifier import DigitClassifier
from tests.latents.models import generator

DATA = Path(emvae.__file__).parent / "data"
FILE = DATA / "digit-classifier.pt"


@pytest.fixture
def no_cache():
    trained._weights.cache_clear()
    yield
    trained._weights.cache_clear()


def test_it_tells_real_test_digits_as_well_as_its_page_says():
    data = mnist(flat=True)
    images, labels = torch.tensor(data.test_images) / 255, torch.tensor(data.test_labels)
    bits = (torch.rand(images.shape, generator=generator(1)) < images).float()
    page = (DATA / "DATA.md").read_text("utf-8")
    said = [float(number) for number in re.findall(r"([\d.]+) % of the 10,000 test digits", page)]
    right = [
        100 * (digit_classifier()(part).probs.argmax(-1) == labels).double().mean().item()
        for part in (images, bits)
    ]
    assert len(said) == 2
    assert min(right) >= 98.5
    assert right[0] == pytest.approx(said[0], abs=0.03)  # three digits may tip over with another processor
    assert right[1] == pytest.approx(said[1], abs=0.25)  # other bits are drawn here: four standard errors


def test_its_probabilities_are_a_distribution():
    images = torch.rand(5, 784, generator=generator())
    verdict = digit_classifier()(images)
    assert verdict.probs.shape == (5, 10)
    assert torch.allclose(verdict.probs.sum(-1), torch.ones(5))


def test_each_call_hands_out_a_judge_of_its_own(no_cache):
    judge, other = digit_classifier(), digit_classifier()
    with torch.no_grad():
        judge.network[0].weight.zero_()
    assert other.network[0].weight.abs().max() > 0
    assert torch.equal(other.network[0].weight, digit_classifier().network[0].weight)


def test_it_is_not_trained_by_accident():
    judge = digit_classifier()
    assert not any(parameter.requires_grad for parameter in judge.parameters())
    assert not judge.training
    assert {parameter.dtype for parameter in judge.parameters()} == {torch.float32}


def test_its_file_is_small_and_of_half_precision():
    content = FILE.read_bytes()
    assert len(content) < 1_000_000
    weights = torch.load(io.BytesIO(content), weights_only=True)
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    assert weights.keys() == DigitClassifier(generator=generator()).state_dict().keys()


def test_a_file_of_other_content_is_refused(no_cache, tmp_path, monkeypatch):
    shutil.copy(FILE, tmp_path)
    monkeypatch.setattr(real, "_DATA", tmp_path)
    damaged = tmp_path / FILE.name
    damaged.write_bytes(FILE.read_bytes()[:-1])
    with pytest.raises(OSError, match=r"digit-classifier\.pt is truncated or altered.*reinstall"):
        digit_classifier()
    damaged.unlink()
    with pytest.raises(OSError, match="cannot be read"):
        digit_classifier()


class Hostile:
    def __reduce__(self):
        return (print, ("run",))


def test_a_file_that_would_run_something_is_not_run(no_cache, tmp_path, monkeypatch, capsys):
    """Even with a checksum that fits."""
    torch.save({"network.0.weight": Hostile()}, tmp_path / FILE.name)
    monkeypatch.setattr(real, "_DATA", tmp_path)
    digest = hashlib.sha256((tmp_path / FILE.name).read_bytes()).hexdigest()
    monkeypatch.setitem(real._SHA256, FILE.name, digest)
    with pytest.raises(Exception, match="Weights only load failed"):
        digit_classifier()
    assert capsys.readouterr().out == ""


def test_initial_weights_come_from_the_generator():
    first, again, other = (DigitClassifier(generator=generator(seed)) for seed in (0, 0, 1))
    for a, b, c in zip(*(judge.parameters() for judge in (first, again, other)), strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c)


def test_initial_weights_are_of_the_size_that_the_inputs_call_for():
    for name, parameter in DigitClassifier(generator=generator()).named_parameters():
        if name.endswith("weight"):
            bound = parameter[0].numel() ** -0.5
            assert 0.9 * bound < parameter.abs().max() <= bound
        else:
            assert 0.5 * bound < parameter.abs().max() <= bound


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(2, 784, dtype=torch.uint8), r"has dtype torch\.uint8: pass floats, .* bytes as x / 255"),
        (mnist(flat=True).test_images[:2], "is a ndarray: pass a torch"),
        (torch.zeros(784), "is 1-d: pass a 2-d tensor"),
        (torch.zeros(2, 28, 28), r"is 3-d: pass a 2-d tensor of shape \(N, D\), images as x.flatten\(1\)"),
        (torch.zeros(2, 783), "has 783 features, the model has 784"),
        (torch.zeros(0, 784), r"is empty with shape \(0, 784\)"),
        (torch.full((2, 784), 1.01), r"holds 1.01 in row 0, column 0, outside of \[0, 1\]: divide"),
        (torch.full((2, 784), -0.01), r"holds -0.01 in row 0, column 0, outside of \[0, 1\]"),
        (torch.full((2, 784), torch.nan), "holds nan in row 0, column 0: drop"),
    ],
)
def test_what_is_no_image_is_refused(images, message):
    with pytest.raises(ValueError, match=f"^x {message}"):
        digit_classifier()(images)


def test_a_seed_is_no_generator():
    with pytest.raises(ValueError, match=r"generator is a int: pass a torch\.Generator"):
        DigitClassifier(generator=0)


def test_its_sizes_are_those_of_what_goes_in_and_comes_out():
    judge = digit_classifier()
    probs = judge(torch.zeros(3, judge.sizes[0])).probs
    assert probs.shape == (3, judge.sizes[-1])
