"""Chromium as a typesetter: open a document as it will be printed, see that nothing in it is broken."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tools.print.progress import give_up, tell

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--no-sandbox",  # where one is root, in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
)
SCRIPT = Path(__file__).with_name("typeset.js")
TEXT_WIDTH = 650  # CSS pixels: A4 without the margins of book/_static/print.css
READABLE = 0.7  # what is set smaller than this to fit the page is told
PATIENCE = 300  # seconds for one step of Chromium's; none takes a minute on two cores


def chromium() -> str:
    """Return the browser that prints: the one named by CHROMIUM, or the first found on the PATH."""
    named = os.environ.get("CHROMIUM")
    for name in [named] if named else BROWSERS:
        if path := shutil.which(name):
            return path
    lacking = f"{named} (CHROMIUM) was not found" if named else "no Chromium was found"
    where = "install it (on Debian: apt install chromium) or say where it is (make pdf CHROMIUM=/path/to/it)"
    give_up(f"{lacking}: {where}")


@contextmanager
def launched() -> Iterator[Browser]:
    """Run Chromium."""
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def opened(document: Path, browser: Browser) -> Iterator[Page]:
    """Open a document as it is printed, its formulas typeset and what is too wide set smaller."""
    page = browser.new_page(viewport={"width": TEXT_WIDTH, "height": 1000})
    page.set_default_timeout(PATIENCE * 1000)
    page.emulate_media(media="print", color_scheme="light")
    page.goto(document.as_uri())
    page.add_script_tag(path=SCRIPT)
    found = page.evaluate("typeset()")
    for kind in ("missing", "wrong"):
        if found[kind]:
            give_up(f"{len(found[kind])} pictures or formulas are {kind}, the first is {found[kind][0]}")
    tell(f"{found['formulas']} formulas typeset")
    for ratio, where in page.evaluate("fit()"):
        if ratio < READABLE:
            tell(f"set at {ratio:.0%} of its size to fit the page: {where}")
    yield page
    page.close()
