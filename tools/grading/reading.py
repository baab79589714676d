"""From the places of a submission to its one notebook, whatever lies there; nothing is unpacked to disk."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import stat
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from tools.grading.sources import Assignment, grade_id
from tools.grading.submissions import clean

# Moodle's download: a folder for each student, or all files in one folder, their names behind the student's.
MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)", re.S)
IGNORED = {"__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini", "node_modules", "site-packages"}
READ = {".ipynb", ".json", ".txt", ""}  # browsers save notebooks under the last three, too
BYTES = 128 << 20  # of all notebooks of one submission, unpacked
ENTRIES = 5000  # of all its folders and archives
DEPTH = 30  # of folders in folders
CELLS = 2000  # of one notebook
TEXT = 4 << 20  # characters in all its cells
PICTURES = 16 << 20  # characters of all pictures in its texts
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
MAKE: dict[str, Any] = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
BROKEN = (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError, EOFError)


class UnreadableError(ValueError):
    """The file is no notebook, or nobody knows which file is; the message says why."""


@dataclass(frozen=True)
class File:
    """One file that was handed in; ``data`` is empty where its name is that of no notebook."""

    name: str
    data: bytes
    place: Path  # the file on the disk: itself, or its archive

    def is_of(self, assignment: Assignment) -> bool:
        """Tell whether it holds a cell of this assignment, or nobody can tell."""
        try:
            return bool(assignment.names & {grade_id(c) for c in notebook_of(self.data)[0].cells})
        except UnreadableError:
            return True


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
                elif path.suffix.lower() in READ:
                    with path.open("rb") as file:
                        files._take(path.name, file, path)
                else:
                    files._take(path.name, None, path)
            except BROKEN as error:
                why = printable(str(error))[:100]
                files.attention.append(f"{printable(path.name)} cannot be read: {why}")
            except MemoryError:
                files.attention.append(f"{printable(path.name)} needs too much memory")
        return files

    def _unzip(self, path: Path) -> None:
        """Read an archive's notebooks; names in it lead nowhere, sizes in it may be lies."""
        with zipfile.ZipFile(path) as archive:
            if len(archive.filelist) > ENTRIES:
                raise ValueError("it holds too much")
            for entry in archive.infolist():
                parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
                if entry.is_dir() or not parts or any(map(_is_ignored, parts)):
                    continue
                if PurePosixPath(parts[-1]).suffix.lower() in READ:
                    with archive.open(entry) as file:
                        self._take(parts[-1], file, path)
                else:
                    self._take(parts[-1], None, path)

    def _take(self, name: str, file: IO[bytes] | None, path: Path) -> None:
        """Keep a file under its name, without what Moodle puts before that."""
        data = file.read(self.left + 1) if file else b""
        if len(data) > self.left:
            raise ValueError(f"more than {BYTES >> 20} MB were handed in")
        self.left -= len(data)
        match = MOODLE.fullmatch(printable(name))
        shown = match["file"] if match and match["file"] else printable(name)
        self.found.append(File(shown[:200], data, path))

    def notebook(self, assignment: Assignment) -> tuple[File, NotebookNode, list[str]]:
        """Return the one file that is the submission's notebook, read, and what had to be mended.

        Raises
        ------
        UnreadableError : there is none, or there are several, or it cannot be read.
        """
        different = list({file.data or file.name.encode(): file for file in self.found}.values())
        notebooks = [f for f in different if f.name.lower().endswith(".ipynb")]
        notebooks = notebooks or [f for f in different if f.data and _is_notebook(f)]
        if not notebooks:
            listed = ", ".join(f.name for f in different[:5]) or "nothing that can be read"
            raise UnreadableError(f"no notebook was handed in, but: {listed}")
        faults, copies = [], [f for f in self.found if f.data and f.data in {n.data for n in notebooks}]
        if len(copies) > len(notebooks):
            faults.append("one notebook was handed in several times")
        if len(notebooks) > 1:
            ours = [f for f in notebooks if f.is_of(assignment)]
            listed = ", ".join(f.name for f in notebooks[:5])
            if len(ours) != 1:
                raise UnreadableError(
                    f"which one counts? {len(notebooks)} notebooks were handed in: {listed}"
                )
            faults.append(f"other notebooks were handed in beside it: {listed}")
            notebooks = ours
        (file,) = notebooks
        try:
            notebook, mended = notebook_of(file.data)
        except UnreadableError as error:
            raise UnreadableError(f"{file.name}: {error}") from error
        name = assignment.name  # a file may be named after the student
        if file.name != f"{name}.ipynb" and file.place.parent.name != name:
            faults.append(f"the file is named {file.name}, not {name}.ipynb")
        return file, notebook, [*faults, *mended]


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


def notebook_of(data: bytes) -> tuple[NotebookNode, list[str]]:
    """Return the notebook with cells' sources, names and pictures alone, and what had to be mended.

    Raises
    ------
    UnreadableError : it is empty, not JSON, no notebook or too large.
    """
    raw, faults = _parse(data), list[str]()
    version = raw.get("nbformat")
    if isinstance(version, int) and version < 4:
        try:
            raw = dict(nbformat.reads(json.dumps(raw), as_version=4))
        except Exception as error:  # whatever an old format can lack
            raise UnreadableError(f"it is written in notebook format {version} and damaged") from error
        faults.append(f"written in notebook format {version}: converted")
    given = raw.get("cells")
    given = [cell for cell in given if isinstance(cell, dict)] if isinstance(given, list) else []
    if not given:
        raise UnreadableError("the file is JSON, but no notebook with cells")
    if len(given) > CELLS:
        raise UnreadableError(f"it has {len(given)} cells; up to {CELLS} are read")
    cells = [_cell(cell) for cell in given]
    if (length := sum(len(cell.source) for cell in cells)) > TEXT:
        raise UnreadableError(f"its cells hold {length >> 20} MB of text; up to {TEXT >> 20} are read")
    _keep_pictures(cells)
    taken = {""}
    for number, cell in enumerate(cells):
        if cell.id in taken:
            faults += ["several cells have one id: renumbered"] if cell.id else []
            cell.id = f"cell-{number}"
        taken.add(cell.id)
    if (language := _language(raw)) != "python":
        faults.append(f"the notebook's kernel is for {language}: it ran with Python")
    return new_notebook(cells=cells), list(dict.fromkeys(faults))


def stored_outputs(data: bytes) -> str:
    """Return a digest of the outputs that a notebook was handed in with, or nothing where it has none."""
    with suppress(UnreadableError, AttributeError, TypeError, ValueError, RecursionError):
        outputs = [cell["outputs"] for cell in _parse(data).get("cells", []) if cell.get("outputs")]
        return hashlib.sha256(json.dumps(outputs, sort_keys=True).encode()).hexdigest() if outputs else ""
    return ""


def picture(text: Any) -> str:
    """Return the base64 of a PNG or JPEG picture without spaces, or nothing where it is none."""
    with suppress(ValueError):
        plain = "".join(text.split()) if isinstance(text, str) else ""
        if base64.b64decode(plain, validate=True).startswith((PNG, JPEG)):
            return plain
    return ""


def _is_notebook(file: File) -> bool:
    with suppress(UnreadableError):
        return bool(notebook_of(file.data))
    return False


def _is_ignored(name: str) -> bool:
    return name in IGNORED or (name.startswith(".") and bool(name.strip(".")))


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


def _parse(data: bytes) -> dict[str, Any]:
    if not data.strip():
        raise UnreadableError("the file is empty")
    try:
        raw = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"the file is no notebook (it is not JSON: {str(error)[:80]})") from error
    if not isinstance(raw, dict):
        raise UnreadableError("the file is JSON, but no notebook")
    return raw


def _cell(raw: dict[str, Any]) -> NotebookNode:
    """Return a clean cell: its source, its names, what may be its pictures; no outputs."""
    source = raw.get("source", "")
    text = clean("".join(map(str, source)) if isinstance(source, list) else source)
    kind = raw.get("cell_type")
    cell = MAKE.get(kind if isinstance(kind, str) else "", new_raw_cell)(text)
    cell.id = re.sub(r"[^\w-]", "-", clean(raw.get("id", "")), flags=re.A)[:64]
    metadata = raw.get("metadata")
    names = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    if isinstance(names, dict) and isinstance(name := names.get("grade_id"), str):
        cell.metadata["nbgrader"] = NotebookNode(grade_id=clean(name)[:200])
    if kind == "markdown" and isinstance(raw.get("attachments"), dict):
        cell.attachments = raw["attachments"]
    return cell


def _keep_pictures(cells: list[NotebookNode]) -> None:
    """Leave of attachments those that are pictures, as many as a page can hold."""
    left = PICTURES
    for cell in cells:
        kept: dict[str, dict[str, str]] = {}
        for name, kinds in cell.pop("attachments", {}).items():
            for kind in ("image/png", "image/jpeg") if isinstance(kinds, dict) else ():
                if (shown := picture(kinds.get(kind))) and len(shown) <= left:
                    left -= len(shown)
                    kept[clean(name)] = {kind: shown}
        if kept:
            cell.attachments = nbformat.from_dict(kept)


def _language(raw: dict[str, Any]) -> str:
    """Return the language that the notebook says it is in; Python where it says nothing."""
    metadata = raw.get("metadata")
    for part, key in (("kernelspec", "language"), ("language_info", "name")):
        section = metadata.get(part) if isinstance(metadata, dict) else None
        if isinstance(section, dict) and section.get(key):
            return clean(section[key])[:40].lower()
    return "python"
