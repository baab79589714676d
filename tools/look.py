"""Take a picture of every page of the built book: light, dark and on a phone (``make look``).

The pictures and an ``index.html`` to look them through land in the folder that is named on the command line.
A long page is taken in slices, as a reader scrolls through it, with its folds open.
"""

from __future__ import annotations

import html
import sys
from collections.abc import Iterator
from math import ceil
from pathlib import Path

import yaml
from playwright.sync_api import Browser, Page

from tools.print.browser import launched
from tools.print.built_pages import files

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
SLICE = 4000  # pixels; Chromium paints no picture that is much higher than 16,000
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LOOKS = {
    "light": {"color_scheme": "light", "viewport": DESKTOP},
    "dark": {"color_scheme": "dark", "viewport": DESKTOP},
    "phone": {"color_scheme": "light", "viewport": PHONE, "device_scale_factor": 2},
}
READY = """async () => {
  document.querySelectorAll("article details").forEach(fold => { fold.open = true; });
  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
  return document.documentElement.scrollHeight;
}"""
STYLE = "body{font:16px sans-serif;margin:2rem} img{width:16rem;border:1px solid #999;vertical-align:top}"


def pages() -> list[str]:
    """Return the pages of the table of contents, and the search page."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(name for part in toc["parts"] for name in files(part["chapters"])), "search"]


def slices(page: Page, height: int, target: Path) -> Iterator[Path]:
    """Save a page as pictures one below the other; yield their files."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    for i in range(ceil(height / SLICE)):
        path = target.with_name(f"{target.name}-{i + 1}.jpg")
        clip = {"x": 0, "y": i * SLICE, "width": width, "height": min(SLICE, height - i * SLICE)}
        page.screenshot(path=path, type="jpeg", quality=70, full_page=True, clip=clip)  # type: ignore[arg-type]
        yield path


def look(browser: Browser, name: str, kind: str, folder: Path) -> list[Path]:
    """Take the pictures of one page in one look."""
    context = browser.new_context(reduced_motion="reduce", **LOOKS[kind])  # type: ignore[arg-type]
    page = context.new_page()
    page.goto((HTML / f"{name}.html").as_uri())
    height = page.evaluate(READY)
    pictures = list(slices(page, height, folder / f"{name.replace('/', '-')}-{kind}"))
    context.close()
    return pictures


def contents(pictures: dict[str, dict[str, list[Path]]]) -> str:
    """Return the page that shows all pictures."""
    head = f"<meta charset=utf-8><title>All pages</title><style>{STYLE}</style>"
    lines = [f"<!DOCTYPE html><html lang=en>{head}"]
    for name, kinds in pictures.items():
        lines.append(f"<h2>{html.escape(name)}</h2>")
        for kind, shots in kinds.items():
            shown = [f"<a href={f.name}><img loading=lazy src={f.name} alt='{kind}'></a>" for f in shots]
            lines.append(f"<h3>{kind}</h3><p>{''.join(shown)}</p>")
    return "\n".join(lines) + "\n"


def main(folder: Path, *names: str) -> None:
    """Look at all pages, or at those named."""
    folder.mkdir(parents=True, exist_ok=True)
    with launched() as browser:
        pictures = {
            name: {kind: look(browser, name, kind, folder) for kind in LOOKS} for name in names or pages()
        }
    (folder / "index.html").write_text(contents(pictures), encoding="utf-8")
    count = sum(len(shots) for kinds in pictures.values() for shots in kinds.values())
    print(f"{count} pictures of {len(pictures)} pages: open {folder / 'index.html'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
