"""A document as PDF, laid out twice: the contents tell on which page the first layout put each section."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser
from pypdf import PdfReader

from tools.print.browser import opened
from tools.print.progress import give_up, tell


def print_pdf(document: Path, browser: Browser) -> bytes:
    """Return the PDF of a document, tagged, with an outline, and with page numbers in its contents."""
    with opened(document, browser) as page:
        tell("first printing, from which the page numbers are learnt ...")
        numbers = page_numbers(page.pdf(prefer_css_page_size=True, print_background=True))
        page.evaluate("number", numbers)
        tell("second printing, with the numbers in the contents ...")
        pdf = page.pdf(outline=True, tagged=True, prefer_css_page_size=True, print_background=True)
        headings = [one_line(heading) for heading in page.evaluate("headings()")]
    if page_numbers(pdf) != numbers:
        give_up("sections moved when page numbers were written into the contents (print.css, .print-at)")
    if (found := outline(pdf)) != headings:
        give_up(f"the outline lacks, or has besides, {sorted(set(found) ^ set(headings))}")
    return pdf


def page_numbers(pdf: bytes) -> dict[str, int]:
    """Return the page, from 1, on which each target of a link within the document is."""
    reader = PdfReader(BytesIO(pdf))
    found = {name: reader.get_destination_page_number(to) for name, to in reader.named_destinations.items()}
    return {name.lstrip("/"): number + 1 for name, number in found.items() if number is not None}


def outline(pdf: bytes) -> list[str]:
    """Return the entries of all levels of a PDF's outline, in reading order."""

    def titles(entries: list[Any]) -> Iterator[str]:
        for entry in entries:
            if isinstance(entry, list):
                yield from titles(entry)
            else:
                yield one_line(entry.title)

    return list(titles(PdfReader(BytesIO(pdf)).outline))


def one_line(text: str) -> str:
    """Return a text with single spaces."""
    return " ".join(text.split())
