"""What a browser's Python (Pyodide, WebAssembly) has not: threads, floating-point traps, 64-bit indices.

Each lack is simulated here; Pyodide itself does not run in these tests.
"""

import threading

import numpy as np
import pytest
from tqdm import tqdm

from emvae import _parallel, _progress, datasets
from emvae.datasets import train_validation_split
from emvae.em import fit_em
from emvae.mixtures import GaussianMixture


@pytest.fixture
def no_threads(monkeypatch):
    """As there: the platform's name, and a thread that raises when it is started."""

    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("sys.platform", "emscripten")
    monkeypatch.setattr(threading.Thread, "start", start)


@pytest.mark.usefixtures("no_threads")
def test_blocks_are_mapped_in_order_without_a_thread():
    assert list(_parallel.map_blocks(lambda i: i * i, range(6))) == [0, 1, 4, 9, 16, 25]
    assert list(_parallel.map_blocks(abs, [])) == []


@pytest.mark.usefixtures("no_threads")
def test_a_fit_of_many_blocks_gives_what_threads_give(monkeypatch):
    x = np.random.default_rng(0).normal(size=(20_000, 2))
    start = GaussianMixture.initialise(x, 2, rng=np.random.default_rng(0))
    alone = fit_em(start, x, max_iter=3, tol=0)
    monkeypatch.undo()
    together = fit_em(start, x, max_iter=3, tol=0)
    np.testing.assert_allclose(alone.model.means, together.model.means, rtol=1e-12)


def test_elsewhere_blocks_run_in_threads_of_their_own():
    """The other half of the rule, lest everything be serial: two blocks wait for each other."""
    if _parallel._n_cores() == 1:
        pytest.skip("this machine has one core")
    both_there = threading.Barrier(2)
    assert len(list(_parallel.map_blocks(lambda _: both_there.wait(timeout=10), range(2)))) == 2


@pytest.mark.usefixtures("no_threads")
def test_the_bar_starts_no_thread(monkeypatch):
    """tqdm's monitor is one; where it cannot start, tqdm warns, and here a warning is an error."""
    monkeypatch.setattr(tqdm, "monitor", None)
    assert list(_progress.progress(iter("abc"), description="letters", total=3)) == ["a", "b", "c"]


class ThirtyTwoBits(np.random.Generator):
    """Draws indices as a machine does whose ``intp`` has 32 bits."""

    def permutation(self, x, axis=0):
        drawn = super().permutation(x, axis)
        return drawn if isinstance(x, np.ndarray) else drawn.astype(np.int32)

    def choice(self, *args, **options):
        drawn = super().choice(*args, **options)
        return drawn.astype(np.int32) if isinstance(drawn, np.ndarray) else drawn


def narrow():
    return ThirtyTwoBits(np.random.PCG64(3))


def test_row_numbers_and_labels_have_64_bits():
    wide = np.random.default_rng(3)
    here, there = (train_validation_split(50, n_validation=9, rng=rng) for rng in (wide, narrow()))
    for mine, theirs in ((here.train, there.train), (here.validation, there.validation)):
        assert mine.dtype == theirs.dtype == np.int64
        np.testing.assert_array_equal(mine, theirs)
    for draw in (datasets.blobs, datasets.overlapping, datasets.rings, datasets.bernoulli_toy):
        assert draw(7, rng=narrow()).labels.dtype == np.int64


def test_a_start_and_a_sample_need_no_64_bit_indices():
    x = np.random.default_rng(0).normal(size=(60, 2))
    fits = [
        fit_em(GaussianMixture.initialise(x, 3, rng=rng), x, max_iter=5, tol=0)
        for rng in (np.random.Generator(np.random.PCG64(3)), narrow())
    ]
    np.testing.assert_array_equal(fits[0].model.means, fits[1].model.means)
    drawn = fits[0].model.sample(40, rng=narrow())
    assert set(drawn.z) <= {0, 1, 2}


@pytest.fixture
def no_traps(monkeypatch):
    """A Cholesky factorisation that leaves NaN where elsewhere it raises."""
    true = np.linalg.cholesky

    def cholesky(matrices):
        try:
            return true(matrices)
        except np.linalg.LinAlgError:
            return np.full(np.shape(matrices), np.nan)

    monkeypatch.setattr(np.linalg, "cholesky", cholesky)


@pytest.mark.usefixtures("no_traps")
def test_covariances_that_are_none_are_refused_without_a_trap():
    indefinite = [[[1.0, 2.0], [2.0, 1.0]]]
    with pytest.raises(ValueError, match=r"^covariances are not positive definite: add"):
        GaussianMixture([1.0], [[0.0, 0.0]], indefinite)


@pytest.mark.usefixtures("no_traps")
def test_a_floor_is_kept_without_a_trap():
    """On collinear data the plain M-step is singular: only the floor saves the next factorisation."""
    x = np.random.default_rng(0).normal(size=(40, 1)) * [1.0, 2.0, -1.0]
    start = GaussianMixture.initialise(x, 2, rng=np.random.default_rng(1), min_variance=0.01)
    model = fit_em(start, x, max_iter=5).model
    assert np.linalg.eigvalsh(model.covariances).min() >= 0.01 * (1 - 1e-9)
