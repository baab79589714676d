"""Files are whole or absent, and a hostile one runs nothing."""

import os
import pickle
import random
import re
import resource
import signal

import pytest
import torch

from emvae import _files

KIND = "a test, version 1"
CONTENT = {"numbers": torch.arange(5.0), "plain": {"a": [1, 2.5, "three", None, True]}}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "content.pt"
    _files.write(path, CONTENT, kind=KIND)
    return path


def test_what_is_written_is_read(path):
    content = _files.read(str(path), kind=KIND)
    assert content.keys() == {"kind", "numbers", "plain"}
    assert content["plain"] == CONTENT["plain"]
    assert torch.equal(content["numbers"], CONTENT["numbers"])
    assert os.listdir(path.parent) == ["content.pt"]


def test_a_full_disk_leaves_the_old_file(path):
    """This process may write 100 bytes to a file and no more."""
    before, handler = path.read_bytes(), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            _files.write(path, {"numbers": torch.zeros(9)}, kind=KIND)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["content.pt"]


def test_an_absent_file_is_reported_as_such(tmp_path):
    with pytest.raises(FileNotFoundError):
        _files.read(tmp_path / "none.pt", kind=KIND)
    with pytest.raises(FileNotFoundError):
        _files.write(tmp_path / "no folder" / "x.pt", CONTENT, kind=KIND)


def is_refused(path):
    remedy = f": pass a file of {re.escape(KIND)}$"
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))} (is damaged|holds).*{remedy}"):
        _files.read(path, kind=KIND)


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.5, 0.9, 0.99, 0.999])
def test_a_truncated_file_is_refused(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    is_refused(path)


def test_altered_bytes_are_refused_or_still_plain_data(path):
    """The zip format notices most alterations; none may end in another error than ValueError."""
    content, dice, refused = path.read_bytes(), random.Random(0), 0
    for _ in range(300):
        altered = bytearray(content)
        for _ in range(dice.randint(1, 8)):
            altered[dice.randrange(len(altered))] = dice.randrange(256)
        path.write_bytes(bytes(altered))
        try:
            assert _files.read(path, kind=KIND)["kind"] == KIND
        except ValueError:
            refused += 1
    assert refused > 100


class Exploit:
    """Runs a command where it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("how", ["pickle", "torch", "torch, old format", "beside good content"])
def test_a_hostile_file_is_refused_and_runs_nothing(path, how):
    marker = path.parent / "executed"
    if how == "pickle":
        path.write_bytes(pickle.dumps(Exploit(marker)))
    elif how == "beside good content":
        torch.save({"kind": KIND, "numbers": torch.zeros(2), "x": Exploit(marker)}, path)
    else:
        torch.save(Exploit(marker), path, _use_new_zipfile_serialization=how == "torch")
    is_refused(path)
    assert not marker.exists()
    os.system(f"touch {marker}")
    assert marker.exists()  # the exploit would have shown


OTHERS = {
    "text": b"not a file of weights",
    "a zip without data": b"PK\x05\x06" + bytes(18),
    "a list": [1, 2],
    "a tensor": torch.zeros(3),
    "another kind": {"kind": "a test, version 2"},
    "no kind": {"numbers": torch.zeros(2)},
    "a module": torch.nn.Linear(2, 2),
}


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS.keys())
def test_other_files_are_refused(path, content):
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    is_refused(path)
