"""Read the files of one submission from folders and archives, within a budget, unpacking none to disk."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from tools.grading.roster import MOODLE

IGNORED = {"__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini", "node_modules", "site-packages"}
READ = {".ipynb", ".json", ".txt", ""}  # browsers save notebooks under the last three, too
BYTES = 128 << 20  # of all notebooks of one submission, unpacked
ENTRIES = 5000  # of all its folders and archives
DEPTH = 30  # of folders in folders


@dataclass(frozen=True)
class File:
    """One file that was handed in; ``data`` is empty where its name is that of no notebook."""

    name: str
    data: bytes
    place: Path  # the file on the disk: itself, or its archive

    @property
    def is_notebook(self) -> bool:
        """Tell by the name."""
        return self.name.lower().endswith(".ipynb")


@dataclass
class Files:
    """All files of one submission, and what a person must look at; ``left`` is what may yet be read."""

    found: list[File] = field(default_factory=list)
    attention: list[str] = field(default_factory=list)
    left: int = BYTES

    @classmethod
    def read(cls, places: Iterable[Path]) -> Files:
        """Read notebooks whole, of other files the name alone."""
        files = cls()
        for path in _walk(places, files.attention):
            try:
                if path.suffix.lower() == ".zip":
                    files._unzip(path)
                else:
                    files._add(path)
            except (
                OSError,
                zipfile.BadZipFile,
                RuntimeError,
                NotImplementedError,
                ValueError,
                EOFError,
            ) as error:
                files.attention.append(
                    f"{printable(path.name)} cannot be read: {printable(str(error))[:100]}"
                )
            except MemoryError:
                files.attention.append(f"{printable(path.name)} needs too much memory")
        return files

    def _add(self, path: Path) -> None:
        name = _name(path.name)
        if path.suffix.lower() in READ:
            with path.open("rb") as file:
                self.found.append(File(name, self._take(file), path))
        else:
            self.found.append(File(name, b"", path))

    def _unzip(self, path: Path) -> None:
        """Read an archive's notebooks; names in it lead nowhere, sizes in it may be lies."""
        with zipfile.ZipFile(path) as archive:
            if len(archive.filelist) > ENTRIES:
                raise ValueError("it holds too much")
            for entry in archive.infolist():
                parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
                if entry.is_dir() or not parts or _is_ignored(*parts):
                    continue
                if PurePosixPath(parts[-1]).suffix.lower() in READ:
                    with archive.open(entry) as file:
                        self.found.append(File(_name(parts[-1]), self._take(file), path))
                else:
                    self.found.append(File(_name(parts[-1]), b"", path))

    def _take(self, file: IO[bytes]) -> bytes:
        data = file.read(self.left + 1)
        if len(data) > self.left:
            raise ValueError(f"more than {BYTES >> 20} MB were handed in")
        self.left -= len(data)
        return data


def digest(places: Iterable[Path]) -> str:
    """Identify what lies in these places, by names and, as far as files are read, by content."""
    state, left = hashlib.sha256(), 2 * BYTES
    told: list[str] = []
    for path in _walk(places, told):
        state.update(repr(os.fsencode(path.name)).encode())
        try:
            size = path.stat().st_size
            state.update(str(size).encode())
            if size <= left and path.suffix.lower() in {".zip", *READ}:
                left -= size
                with path.open("rb") as file:
                    state.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            state.update(repr(error).encode())
    return hashlib.sha256(state.digest() + repr(told).encode()).hexdigest()


def printable(text: str) -> str:
    """Return a text that can be written and shown; bytes that are no UTF-8 stand for what Windows means."""
    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = text.encode("utf-8", "replace")
    try:
        shown = raw.decode("utf-8")
    except UnicodeDecodeError:
        shown = raw.decode("cp1252", "replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)


def _name(name: str) -> str:
    """Return a file's name as it is shown: without what Moodle puts before it."""
    match = MOODLE.fullmatch(printable(name))
    return (match["file"] if match and match["file"] else printable(name))[:200]


def _is_ignored(*names: str) -> bool:
    return any(name in IGNORED or (name.startswith(".") and name.strip(".")) for name in names)


def _walk(places: Iterable[Path], attention: list[str]) -> Iterator[Path]:
    """Yield the regular files in these places; links and devices are not touched but told."""
    waiting, seen = [(place, 0) for place in reversed(list(places))], 0
    while waiting:
        place, depth = waiting.pop()
        seen += 1
        if seen > ENTRIES:
            attention.append(f"more than {ENTRIES} files were handed in: the others were not read")
            return
        try:
            mode = place.lstat().st_mode
            if stat.S_ISREG(mode):
                yield place
            elif stat.S_ISDIR(mode) and depth < DEPTH:
                names = sorted(n for n in os.listdir(place) if not _is_ignored(n))
                if "pyvenv.cfg" not in names:  # Python itself, where the student installed it
                    waiting += [(place / name, depth + 1) for name in reversed(names)]
            elif stat.S_ISDIR(mode):
                attention.append(f"folders lie in folders, more than {DEPTH} deep: they were not opened")
            else:
                kind = "a link" if stat.S_ISLNK(mode) else "no regular file"
                attention.append(f"{printable(place.name)} is {kind}: it was not followed")
        except OSError as error:
            attention.append(f"{printable(place.name)} cannot be opened: {error.strerror}")
