"""What the Makefile says when a machine lacks something: one line that tells what to do, and a failure."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = ["Makefile", "pyproject.toml", "constraints.txt", "_config.yml", "_toc.yml", "LICENSE"]
TOOLS = ["make", "sh", "awk", "cat", "df", "find", "mkdir", "rm", "sed", "tail", "test", "touch"]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the Makefile is written for a POSIX shell")


@pytest.fixture
def clone(tmp_path):
    """A clone with nothing built, and a PATH with the barest tools."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "tools", folder / "tools")
    for name in ["book", "emvae"]:
        (folder / name).mkdir()
    (tmp_path / "bin").mkdir()
    for name in TOOLS:
        (tmp_path / "bin" / name).symlink_to(shutil.which(name))
    return folder


def fake(clone, name, script):
    """Put a command on the clone's PATH."""
    path = clone.parent / "bin" / name
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def make(clone, *arguments, **environment):
    """Run make in the clone; return its exit status and what it says for itself."""
    environment = {"PATH": str(clone.parent / "bin"), "HOME": str(clone.parent), **environment}
    ran = subprocess.run(
        ["make", *arguments], cwd=clone, env=environment, capture_output=True, text=True, timeout=120
    )
    return ran.returncode, [line for line in ran.stderr.splitlines() if not line.startswith("make")]


def old_python(version):
    """Return a script that fails every test of its version, and tells it."""
    return f'case "$2" in *exit*) exit 1;; *) echo {version};; esac'


@pytest.mark.parametrize("target", ["book", "test", "check", "notebooks"])
def test_no_python(clone, target):
    status, (line,) = make(clone, target)
    assert status != 0
    assert line.startswith("emvae: no python3 was found: install Python 3.11 to 3.14")


def test_python_too_old(clone):
    fake(clone, "python3", old_python("3.8"))
    status, (line,) = make(clone, "book")
    assert status != 0
    assert line.startswith("emvae: Python 3.11 to 3.14 is needed, python3 is 3.8: install one")


def test_another_python_is_found_beside_an_old_one(clone):
    fake(clone, "python3", old_python("3.8"))
    fake(clone, "python3.12", 'case "$1" in -m) echo ensurepip is missing; exit 1;; esac')
    status, (line,) = make(clone, "book")
    assert status != 0
    assert line.startswith("emvae: python3.12 has no venv module: install it")


def test_a_named_python_is_the_only_one_tried(clone):
    fake(clone, "python3", "exit 0")
    status, (line,) = make(clone, "book", "PYTHON=/nowhere/python3")
    assert status != 0
    assert line.startswith("emvae: no /nowhere/python3 was found")


def test_disk_too_small(clone):
    fake(clone, "python3", "exit 0")
    fake(clone, "df", "echo x; echo x 1 1 51200 1 /")
    status, (line,) = make(clone, "book")
    assert status != 0
    assert line.startswith("emvae: the disk is too full: 50 MB are free in")


def test_linux_needs_room_for_cuda_unless_the_cpu_is_enough(clone):
    """4000 MB are free: too little for what torch brings by itself, enough with TORCH=cpu."""
    fake(clone, "python3", 'case "$2" in *platform*) echo linux;; venv) echo venv was reached; exit 1;; esac')
    fake(clone, "df", "echo x; echo x 1 1 4096000 1 /")
    status, (line,) = make(clone, "book")
    assert status != 0
    assert "4000 MB are free" in line
    assert "6000 MB are needed (2000 for the CPU alone: make TORCH=cpu)" in line
    status, (line,) = make(clone, "book", "TORCH=cpu")
    assert line == "emvae: python3 -m venv failed: venv was reached"


def test_torch_for_the_cpu_is_asked_for_first(clone):
    (clone.parent / "bin" / "chmod").symlink_to(shutil.which("chmod"))
    fake(clone, "pip", 'case "$*" in *pip*) echo "$*" >> asked;; esac')
    venv = "mkdir -p .venv/bin; cat ../bin/pip > .venv/bin/python; ../bin/chmod +x .venv/bin/python"
    fake(clone, "python3", f'case "$2" in venv) {venv};; esac')
    assert make(clone, ".venv/.complete", "TORCH=cpu") == (0, [])
    uv, torch, emvae = (clone / "asked").read_text().splitlines()
    assert uv.endswith(" uv")
    assert "uv pip install" in torch
    assert "--torch-backend=cpu --constraint constraints.txt torch" in torch
    assert emvae.endswith("--editable .[dev]")


@pytest.mark.parametrize(
    ("pip_says", "told"),
    [
        ("OSError: [Errno 28] No space left on device", "emvae: the disk is full: free"),
        ("WARNING: Retrying (Retry(total=1)) ... Connection refused", "emvae: no network: "),
    ],
)
def test_an_install_that_fails_halfway(clone, pip_says, told):
    """A venv whose pip fails: the line is right, and the next call does not take it for complete."""
    pip = f"case \"$2\" in pip) echo '{pip_says}'; exit 1;; esac"
    venv = "mkdir -p .venv/bin; cat ../bin/pip > .venv/bin/python; ../bin/chmod +x .venv/bin/python"
    (clone.parent / "bin" / "chmod").symlink_to(shutil.which("chmod"))
    fake(clone, "pip", pip)
    fake(clone, "python3", f'case "$2" in venv) {venv};; esac')
    for _ in range(2):
        status, (line,) = make(clone, "book")
        assert status != 0
        assert line.startswith(told)
        assert not (clone / ".venv" / ".complete").exists()


def test_a_complete_environment_is_left_alone_and_a_moved_one_is_not(clone):
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    stamp = clone / ".venv" / ".complete"
    stamp.write_text(f"{clone}\n")
    assert make(clone, ".venv/.complete") == (0, [])
    stamp.write_text("/another/folder\n")
    status, (line,) = make(clone, ".venv/.complete")
    assert status != 0
    assert line.startswith("emvae: no python3 was found")


def test_help_lists_every_target_with_one_line(clone):
    path = {"PATH": str(clone.parent / "bin")}
    ran = subprocess.run(["make"], cwd=clone, env=path, capture_output=True, text=True, check=True)
    targets = [line.split()[1] for line in ran.stdout.splitlines()]
    assert set(targets) >= {"help", "book", "test", "serve", "bench", "lint", "check", "clean", "notebooks"}
    phony = next(s for s in (clone / "Makefile").read_text().splitlines() if s.startswith(".PHONY"))
    assert set(targets) == set(phony.split()[1:]) - {"FORCE"}
