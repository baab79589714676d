"""Pictures of a built page as WebP without loss: the same pixels in half the bytes.

Notebooks store their figures as PNG. What a page weighs is mostly pictures, so the larger ones are packed
again when the book is built, and the pages name the new files. The sources stay as they are.
"""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image
from sphinx.application import Sphinx

WORTH_IT = 40_000  # bytes; smaller pictures stay what they are
PICTURE = re.compile(r"(_images/[\w.-]+)\.png\b")


def pack(path: Path) -> None:
    """Replace a PNG by a WebP of the same pixels."""
    with Image.open(path) as picture:
        pixels = picture.convert("RGBA")
        if pixels.getchannel("A").getextrema() == (255, 255):
            pixels = pixels.convert("RGB")
        # More effort would take longer than the rest of the build, and save a twentieth.
        pixels.save(path.with_suffix(".webp"), lossless=True, quality=50, method=2)
    path.unlink()


def rename(folder: Path, packed: set[str]) -> None:
    """Let the pages in a folder name the packed pictures, given as ``_images/name`` without a suffix."""
    for page in folder.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        new = PICTURE.sub(lambda match: f"{match[1]}.webp" if match[1] in packed else match[0], text)
        if new != text:
            page.write_text(new, encoding="utf-8")


def pack_pictures(app: Sphinx, error: Exception | None) -> None:
    """Pack what is worth it in a built book."""
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir)
    large = [path for path in (folder / "_images").glob("*.png") if path.stat().st_size > WORTH_IT]
    for path in large:
        pack(path)
    rename(folder, {f"_images/{path.stem}" for path in large})


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the step."""
    app.connect("build-finished", pack_pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
