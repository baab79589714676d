"""Read what was handed in as a notebook, whatever is wrong with the file."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

LARGEST = 256 << 20  # bytes of a file
MAKE: dict[str, Any] = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}


class UnreadableError(ValueError):
    """The file is no notebook; the message says why."""


def read(data: bytes) -> tuple[NotebookNode, list[str]]:
    """Return the notebook with cells' sources and metadata alone, and what had to be mended.

    Raises
    ------
    UnreadableError : it is empty, too large, not JSON or no notebook.
    """
    raw, faults = _parse(data), list[str]()
    version = raw.get("nbformat")
    if isinstance(version, int) and version < 4:
        raw = _upgrade(raw, version)
        faults.append(f"written in notebook format {version}: converted")
    given = raw.get("cells")
    cells = [_cell(cell) for cell in given if isinstance(cell, dict)] if isinstance(given, list) else []
    if not cells:
        raise UnreadableError("the file is JSON, but no notebook with cells")
    if _doubles(cells):
        faults.append("several cells have one id: renumbered")
    for number, cell in enumerate(cells):
        cell.id = cell.id or f"cell-{number}"
    if (language := _language(raw)) != "python":
        faults.append(f"the notebook's kernel is for {language}: it ran with Python")
    return new_notebook(cells=cells), faults


def shown(data: bytes) -> str:
    """Return the outputs that a notebook was handed in with, as text; copies agree in them."""
    with suppress(UnreadableError, AttributeError, TypeError):
        cells = _parse(data).get("cells", [])
        return json.dumps([cell.get("outputs") for cell in cells if cell.get("outputs")], sort_keys=True)
    return "[]"


def _parse(data: bytes) -> dict[str, Any]:
    if not data.strip():
        raise UnreadableError("the file is empty")
    if len(data) > LARGEST:
        raise UnreadableError(f"the file has {len(data) >> 20} MB")
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
    """Return a clean cell: its source, its metadata, its pictures; no outputs."""
    source = raw.get("source", "")
    text = "".join(map(str, source)) if isinstance(source, list) else str(source)
    kind = raw.get("cell_type")
    cell = MAKE.get(str(kind), new_raw_cell)(text)
    cell.id = str(raw.get("id", ""))[:64]
    if isinstance(raw.get("metadata"), dict):
        for key in ("nbgrader", "emvae"):
            if isinstance(value := raw["metadata"].get(key), dict):
                cell.metadata[key] = nbformat.from_dict(value)
    if kind == "markdown" and isinstance(raw.get("attachments"), dict):
        cell.attachments = nbformat.from_dict(raw["attachments"])
    return cell


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
            return str(section[key]).lower()
    return "python"
