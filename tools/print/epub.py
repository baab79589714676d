"""The document as EPUB, for readers of another size: the same pages as XHTML, their formulas as MathML."""

from __future__ import annotations

import re
import uuid
import zipfile
from datetime import UTC, datetime
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TypedDict

from PIL import Image
from playwright.sync_api import Browser

from tools.print.browser import opened

STYLE = Path(__file__).with_name("epub.css")
LINK = re.compile(r'\b(href|src)="([^"]+)"')
TYPES = {".png": "image/png", ".svg": "image/svg+xml", ".css": "text/css", ".xhtml": "application/xhtml+xml"}
XHTML = (
    '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" '
    'xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en"><head><title>{title}</title>'
    '<link rel="stylesheet" href="pygments.css"/><link rel="stylesheet" href="epub.css"/></head>'
    "<body>{body}</body></html>\n"
)
CONTAINER = (
    '<?xml version="1.0"?>\n<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
    '<rootfiles><rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles>'
    "</container>"
)
PACKAGE = (
    '<?xml version="1.0" encoding="utf-8"?>\n<package xmlns="http://www.idpf.org/2007/opf" version="3.0" '
    'unique-identifier="id" xml:lang="en"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
    '<dc:identifier id="id">urn:uuid:{id}</dc:identifier><dc:title>{title}</dc:title>'
    "<dc:language>en</dc:language><dc:creator>{author}</dc:creator>"
    '<meta property="dcterms:modified">{now}</meta></metadata>\n'
    "<manifest>\n{items}\n</manifest>\n<spine>\n{spine}\n</spine></package>\n"
)


class Chapter(TypedDict):
    """A page as XHTML; the id and text of its own heading, and of its sections'."""

    name: str
    headings: list[list[str]]
    html: str


def make_epub(document: Path, browser: Browser) -> bytes:
    """Return the EPUB of a document that tools/print/document.py made."""
    with opened(document, browser) as page:
        title, author = page.title(), page.locator("meta[name=author]").get_attribute("content") or ""
        chapters: list[Chapter] = page.evaluate("xhtml()")
    files = {"pygments.css": pygments(document), "epub.css": STYLE.read_bytes()}
    for chapter in chapters:
        body = LINK.sub(lambda found: relink(found, document.parent, files), chapter["html"])
        heading = escape(chapter["headings"][0][1])
        files[f"{chapter['name']}.xhtml"] = XHTML.format(title=heading, body=body).encode()
    files["contents.xhtml"] = XHTML.format(title="Contents", body=navigation(chapters)).encode()
    names = [f"{chapter['name']}.xhtml" for chapter in chapters]
    files["book.opf"] = package(title, author, names, files).encode()
    return zipped(files)


def relink(found: re.Match[str], folder: Path, files: dict[str, bytes]) -> str:
    """Return an attribute that leads to a page or a picture, which is taken in, by its name in the EPUB."""
    key, target = found.groups()
    if key == "src":
        target, content = picture(folder / target)
        files[target] = content
    elif target.startswith("#"):
        name, mark, _ = target[1:].partition("--")
        target = f"{name}.xhtml{target if mark else ''}"
    return f'{key}="{target}"'


def picture(path: Path) -> tuple[str, bytes]:
    """Return name and content of a picture as every reader shows it: PNG instead of WebP, plain SVG."""
    content = path.read_bytes()
    if path.suffix == ".svg":  # matplotlib's has a document type, and its blank is a path without a course
        content = re.sub(rb"<path(?![^>]*\sd=)", b'<path d="M0 0"', re.sub(rb"<!DOCTYPE[^>]*>", b"", content))
    if path.suffix != ".webp":
        return path.name, content
    png = BytesIO()
    Image.open(path).save(png, "PNG")
    return f"{path.stem}.png", png.getvalue()


def pygments(document: Path) -> bytes:
    """Return the style of code, light only."""
    css = (document.parent / "../html/_static/pygments.css").read_text(encoding="utf-8")
    light = [line for line in css.splitlines() if 'data-theme="dark"' not in line]
    return "\n".join(light).replace('html[data-theme="light"] ', "").encode()


def navigation(chapters: list[Chapter]) -> str:
    """Return the contents: chapters, and their sections."""
    items = []
    for chapter in chapters:
        file = f"{chapter['name']}.xhtml"
        (_, title), *sections = chapter["headings"]
        lines = [f'<li><a href="{file}#{anchor}">{escape(text)}</a></li>' for anchor, text in sections]
        inner = f"<ol>{''.join(lines)}</ol>" if lines else ""
        items.append(f'<li><a href="{file}">{escape(title)}</a>{inner}</li>')
    return f'<nav epub:type="toc"><h1>Contents</h1><ol>{"".join(items)}</ol></nav>'


def package(title: str, author: str, pages: list[str], files: dict[str, bytes]) -> str:
    """Return the package document: what the EPUB holds, and in which order it is read."""
    items = []
    for number, name in enumerate(files):
        used = [kind for kind, tag in (("mathml", b"<math"), ("svg", b"<svg")) if tag in files[name]]
        used = ["nav"] if name == "contents.xhtml" else used if name in pages else []
        properties = f' properties="{" ".join(used)}"' if used else ""
        kind = TYPES[Path(name).suffix]
        items.append(f'<item id="i{number}" href="{name}" media-type="{kind}"{properties}/>')
    order = {name: f"i{number}" for number, name in enumerate(files)}
    return PACKAGE.format(
        id=uuid.uuid5(uuid.NAMESPACE_URL, title),
        title=escape(title),
        author=escape(author),
        now=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        items="\n".join(items),
        spine="\n".join(f'<itemref idref="{order[name]}"/>' for name in ["contents.xhtml", *pages]),
    )


def zipped(files: dict[str, bytes]) -> bytes:
    """Return the archive; a reader of EPUBs looks for its type in its first bytes."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", CONTAINER)
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()
