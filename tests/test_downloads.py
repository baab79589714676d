"""The downloaded course is what the repository holds, and it runs where it is unpacked."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import downloads
import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = r"""
import numpy as np, emvae
from emvae import datasets
from emvae.em import fit_em
from emvae.mixtures import GaussianMixture
x = datasets.old_faithful().x
fit = fit_em(GaussianMixture.initialise(x, 2, rng=np.random.default_rng(0)), x)
print(emvae.__file__, fit.model.means.shape, datasets.mnist().test_images.shape, sep="\n")
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    target = tmp_path_factory.mktemp("download") / "course" / "emvae-course.zip"
    downloads.write_archive(ROOT, target)
    return target


@pytest.fixture(scope="module")
def unpacked(archive, tmp_path_factory):
    folder = tmp_path_factory.mktemp("a reader's folder")
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder)
    return folder / "emvae-course"


def test_the_archive_is_what_git_holds(archive):
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no clone but an unpacked course, so there is no git to compare with")
    names = {name.removeprefix("emvae-course/") for name in zipfile.ZipFile(archive).namelist()}
    assert {name for name in listed.stdout.splitlines() if (ROOT / name).exists()} - names == set()
    assert [name for name in names if "__pycache__" in name or name.startswith((".venv", "_build"))] == []


def test_what_can_be_executed_stays_so(archive):
    modes = {i.filename.partition("/")[2]: i.external_attr >> 16 for i in zipfile.ZipFile(archive).infolist()}
    assert (modes[".ci/run"] & 0o111, modes["README.md"] & 0o111) == (0o111, 0)


def test_equal_sources_give_equal_bytes(archive, tmp_path):
    downloads.write_archive(ROOT, tmp_path / archive.name)
    assert (tmp_path / archive.name).read_bytes() == archive.read_bytes()


def test_the_package_in_it_runs_on_its_own_data(unpacked):
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    ran = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM], cwd=unpacked, env=environment, capture_output=True, text=True
    )
    assert ran.stderr == ""
    path, *shapes = ran.stdout.splitlines()
    assert Path(path) == unpacked / "emvae" / "__init__.py"
    assert shapes == ["(2, 2)", "(10000, 28, 28)"]


def test_its_notebooks_and_commands_are_there(unpacked):
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        assert json.loads((unpacked / "book" / path.name).read_text()) == json.loads(path.read_text())
    ran = subprocess.run(["make", "help"], cwd=unpacked, capture_output=True, text=True, check=True)
    assert "make book" in ran.stdout


def test_the_figures_of_the_book_travel_beside_its_notebooks(unpacked):
    program = "import figures; print(figures.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, cwd=unpacked / "book", env=environment, capture_output=True, text=True)
    assert Path(ran.stdout.strip()) == unpacked / "book" / "figures" / "__init__.py"


@pytest.mark.parametrize("name", ["x.ipynb", "further/x.ipynb"])
def test_a_notebook_alone_says_what_it_needs_and_is_a_notebook(tmp_path, name):
    copy = tmp_path / "_sources" / "book" / name
    copy.parent.mkdir(parents=True)
    source = ROOT / "book" / "3-bernoulli-mixture.ipynb"
    copy.write_bytes(source.read_bytes())
    downloads.say_what_is_needed(SimpleNamespace(outdir=tmp_path), None)
    first, *rest = nbformat.read(copy, as_version=4).cells
    assert "`emvae`" in first.source
    assert "`figures`" in first.source
    assert rest == nbformat.read(source, as_version=4).cells
    nbformat.validate(nbformat.read(copy, as_version=4))


@pytest.mark.parametrize(("url", "kept"), [("", False), ("https://example.org/someone/emvae", True)])
def test_buttons_that_lead_to_a_repository_need_its_address(url, kept):
    config = SimpleNamespace(html_theme_options={"repository_url": url, "launch_buttons": {"colab_url": "x"}})
    downloads.launch_only_from_a_repository(None, config)
    assert bool(config.html_theme_options["launch_buttons"]) == kept
