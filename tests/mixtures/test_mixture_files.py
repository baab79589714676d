"""Mixtures in files: equal when they come back, and anything else is refused in a sentence."""

import io
import json
import os
import resource
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from emvae.mixtures import BernoulliMixture, GaussianMixture, load, save
from tests.models import COVARIANCE_TYPES, PoissonMixture, random_bernoulli_mixture, random_gaussian_mixture

MODELS = {
    kind: random_gaussian_mixture(np.random.default_rng(0), 3, 2, kind, learn_weights=False)
    for kind in COVARIANCE_TYPES
} | {
    "floor for each feature": GaussianMixture([1.0], [[0.0, 1.0]], [[2.0, 3.0]], min_variance=[0.5, 0.25]),
    "tied, one component": GaussianMixture([1.0], [[1.0]], [[[3.0]]], covariance_type="tied"),
    "Bernoulli": random_bernoulli_mixture(np.random.default_rng(1), 3, 4, min_prob=0.01),
    "single precision": BernoulliMixture([1.0], [[0.5]], dtype=np.float32),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_back_equal(name, tmp_path):
    path = tmp_path / "model.npz"
    save(MODELS[name], path)
    again = load(path)
    assert again == MODELS[name]
    assert not again.weights.flags.writeable
    assert os.listdir(tmp_path) == ["model.npz"]


def test_a_family_of_a_student_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"^model is a PoissonMixture: pass one of GaussianMixture"):
        save(PoissonMixture(np.ones(1), np.ones((1, 2))), tmp_path / "model.npz")
    assert os.listdir(tmp_path) == []


def changed(**entries):
    """A file in which some entries are others."""
    file = io.BytesIO()
    save_to = MODELS["full"]
    header = {"kind": "emvae.mixtures.save, version 1", "family": "GaussianMixture", "options": {}}
    content = {"weights": save_to.weights, "means": save_to.means, "covariances": save_to.covariances}
    header |= {name: value for name, value in entries.items() if name in header}
    content |= {name: value for name, value in entries.items() if name not in header}
    np.savez(file, header=np.array(json.dumps(header)), **content)
    return file.getvalue()


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm",)


def pickled():
    file = io.BytesIO()
    np.savez(file, allow_pickle=True, header=np.array([Harmful()], dtype=object))
    return file.getvalue()


DAMAGED = {
    "empty": b"",
    "text": b"not a mixture",
    "half": changed()[:400],
    "another version": changed(kind="emvae.mixtures.save, version 2"),
    "another family": changed(family="PoissonMixture"),
    "an option too many": changed(options={"colour": "red"}),
    "an array too many": changed(scales=np.ones(2)),
    "weights that are none": changed(weights=np.ones(3)),
    "shapes that do not fit": changed(means=np.ones((2, 2))),
    "a pickle": pickled(),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_wrong_file_is_refused_and_runs_nothing(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.npz").write_bytes(DAMAGED[name])
    with pytest.raises(ValueError, match=r"model\.npz is damaged, or holds something else"):
        load("model.npz")
    assert os.listdir(tmp_path) == ["model.npz"]


def test_the_unchanged_file_of_these_tests_is_right(tmp_path):
    (tmp_path / "model.npz").write_bytes(changed())
    np.testing.assert_array_equal(load(tmp_path / "model.npz").means, MODELS["full"].means)


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "model.npz")


def test_a_full_disk_leaves_the_old_file(tmp_path):
    """A process that may write 100 bytes to a file and no more."""
    path = tmp_path / "model.npz"
    save(MODELS["full"], path)
    script = textwrap.dedent("""
        import resource, signal, sys
        from emvae.mixtures import load, save
        model = load(sys.argv[1])
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
        try:
            save(model, sys.argv[1])
        except OSError:
            print("refused")
    """)
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, timeout=60)
    assert done.stdout == "refused\n", done.stderr
    assert load(path) == MODELS["full"]
    assert os.listdir(tmp_path) == ["model.npz"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
