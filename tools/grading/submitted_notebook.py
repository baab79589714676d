"""Read what was handed in as a notebook, whatever is wrong with the file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from contextlib import suppress
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

CELLS = 2000  # of one notebook
TEXT = 4 << 20  # characters in all its cells
PICTURES = 16 << 20  # characters of all pictures in its texts
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
MAKE: dict[str, Any] = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}


class UnreadableError(ValueError):
    """The file is no notebook; the message says why."""


def read(data: bytes) -> tuple[NotebookNode, list[str]]:
    """Return the notebook with cells' sources, names and pictures alone, and what had to be mended.

    Raises
    ------
    UnreadableError : it is empty, not JSON, no notebook or too large.
    """
    raw, faults = _parse(data), list[str]()
    version = raw.get("nbformat")
    if isinstance(version, int) and version < 4:
        raw = _upgrade(raw, version)
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
    if _doubles(cells):
        faults.append("several cells have one id: renumbered")
    for number, cell in enumerate(cells):
        cell.id = cell.id or f"cell-{number}"
    if (language := _language(raw)) != "python":
        faults.append(f"the notebook's kernel is for {language}: it ran with Python")
    return new_notebook(cells=cells), faults


def stored_outputs(data: bytes) -> str:
    """Return a digest of the outputs that a notebook was handed in with, or nothing where it has none."""
    with suppress(UnreadableError, AttributeError, TypeError, ValueError, RecursionError):
        outputs = [cell["outputs"] for cell in _parse(data).get("cells", []) if cell.get("outputs")]
        return hashlib.sha256(json.dumps(outputs, sort_keys=True).encode()).hexdigest() if outputs else ""
    return ""


def clean(text: Any) -> str:
    """Return a text that can be written: half of a surrogate pair, which JSON may hold, becomes a "?"."""
    return str(text).encode("utf-8", "replace").decode("utf-8")


def picture(text: Any) -> str:
    """Return the base64 of a PNG or JPEG picture without spaces, or nothing where it is none."""
    with suppress(ValueError):
        plain = "".join(text.split()) if isinstance(text, str) else ""
        if base64.b64decode(plain, validate=True).startswith((PNG, JPEG)):
            return plain
    return ""


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


def _upgrade(raw: dict[str, Any], version: int) -> dict[str, Any]:
    try:
        return dict(nbformat.reads(json.dumps(raw), as_version=4))
    except Exception as error:  # whatever an old format can lack
        raise UnreadableError(f"it is written in notebook format {version} and damaged") from error


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


def _doubles(cells: list[NotebookNode]) -> int:
    """Empty the ids that another cell has already; return how many."""
    seen, emptied = set[str](), 0
    for cell in cells:
        if cell.id and cell.id in seen:
            cell.id = ""
            emptied += 1
        seen.add(cell.id)
    return emptied


def _language(raw: dict[str, Any]) -> str:
    """Return the language that the notebook says it is in; Python where it says nothing."""
    metadata = raw.get("metadata")
    for part, key in (("kernelspec", "language"), ("language_info", "name")):
        section = metadata.get(part) if isinstance(metadata, dict) else None
        if isinstance(section, dict) and section.get(key):
            return clean(section[key])[:40].lower()
    return "python"
