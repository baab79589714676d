"""Tables as spreadsheets leave them, and written so that no spreadsheet takes an entry for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LARGEST = 64 << 20  # bytes of a table
NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?")
FORMULA = re.compile(r"'*[=+\-@\t]")  # what a spreadsheet computes; an apostrophe in front makes it a text


class FolderError(ValueError):
    """The lecturer's folder is not as it should be; the message says where and what to do."""


@dataclass(frozen=True)
class Line:
    """One line of a table; ``place`` says which, for messages."""

    place: str
    entries: dict[str, str]

    def __getitem__(self, title: str) -> str:
        """Return an entry; nothing where the line or the table has none."""
        return self.entries.get(title, "")


def read(path: Path, needed: Iterable[str]) -> list[Line]:
    """Read a table with a line of titles, separated by commas, semicolons or tabs; nothing where no file is.

    Raises
    ------
    FolderError : it cannot be read, or lacks a column that is needed.
    """
    if not path.exists():
        return []
    try:
        if path.stat().st_size > LARGEST:
            raise FolderError(f"{path.name}: the table has more than {LARGEST >> 20} MB")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FolderError(f"{path.name}: save it as UTF-8 (Excel calls it CSV UTF-8)") from error
    csv.field_size_limit(LARGEST)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=max(",;\t", key=text.partition("\n")[0].count)
    )
    titles, lines, start = list[str](), list[Line](), 1
    try:
        for entries in reader:
            place, start = f"{path.name}, line {start}", reader.line_num + 1
            if not any(entry.strip() for entry in entries):
                continue  # a spreadsheet saves lines that were filled once
            if not titles:
                titles = [entry.strip().casefold() for entry in entries]
                continue
            if any(entry.strip() for entry in entries[len(titles) :]):
                raise FolderError(f"{place}: it has more entries than there are titles")
            kept = (plain(entry) for entry in entries)
            lines.append(Line(place, {t: e for t, e in zip(titles, kept, strict=False) if t}))
    except csv.Error as error:
        raise FolderError(f"{path.name}, line {start}: this is no table ({error})") from error
    if missing := [title for title in needed if title not in titles]:
        raise FolderError(
            f"{path.name}, line 1: the column {missing[0]} is missing; a line of titles is needed, with "
            f"{','.join(needed)}, and there is {','.join(filter(None, titles)) or 'none'}"
        )
    return lines


def text(titles: list[str], lines: Iterable[Iterable[str]]) -> str:
    """Return a table as the text of a file."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(titles)
    writer.writerows(map(harmless, line) for line in lines)
    return buffer.getvalue()


def harmless(entry: str) -> str:
    """Return an entry that no spreadsheet takes for a formula; ``plain`` undoes it."""
    entry = entry.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{entry}" if FORMULA.match(entry) and not NUMBER.fullmatch(entry) else entry


def plain(entry: str) -> str:
    """Return what was written before ``harmless``."""
    return entry[1:] if entry.startswith("'") and FORMULA.match(entry) else entry


def number(value: float | None) -> str:
    """Return points as a table has them: nothing where there are none yet."""
    return "" if value is None else f"{value:g}"
