"""Ways to take the course along: an archive of it that runs, and buttons that open a chapter elsewhere.

The archive holds what a clone of the repository holds, without git. It is put together when the book is
built, with fixed dates, so that equal sources give equal bytes.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

FOLDERS = ("book", "emvae", "tests", "tools", ".ci", ".devcontainer", ".github", "binder")
FILES = (
    ".dockerignore", ".gitignore", ".pre-commit-config.yaml", "CHANGELOG.md", "CITATION.cff",
    "CONTRIBUTING.md", "Dockerfile", "LICENSE",
    "Makefile", "README.md", "_config.yml", "_toc.yml", "constraints.txt", "environment.yml",
    "pyproject.toml",
)  # fmt: skip
SKIPPED = {"__pycache__", ".ipynb_checkpoints", ".DS_Store"}
PACKED = {".gz", ".png", ".pt"}
DATE = (1980, 1, 1, 0, 0, 0)
NEEDS = (
    "*This notebook runs in its folder of the course, which has what it needs: the package `emvae`, "
    "the book's own `figures`, stored results. Download the course from the same page; its README goes on.*"
)


def course_files(root: Path) -> Iterator[Path]:
    """Yield the files of the course, as paths from its root, in order."""
    yield from (Path(name) for name in FILES if (root / name).exists())
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root)
            if path.is_file() and SKIPPED.isdisjoint(name.parts):
                yield name


def write_archive(root: Path, target: Path) -> None:
    """Write the course as a zip whose files lie in one folder, named as the archive is."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for name in course_files(root):
            entry = zipfile.ZipInfo(f"{target.stem}/{name.as_posix()}", DATE)
            mode = 0o755 if (root / name).stat().st_mode & 0o100 else 0o644
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_STORED if name.suffix in PACKED else zipfile.ZIP_DEFLATED
            archive.writestr(entry, (root / name).read_bytes())


def add_archive(app: Sphinx, error: Exception | None) -> None:
    """Put the archive beside the built pages."""
    if error is None and app.builder.format == "html":
        write_archive(Path(app.srcdir), Path(app.outdir) / app.config.course_archive)


def say_what_is_needed(app: Sphinx, error: Exception | None) -> None:
    """Begin each chapter's copy, which is offered for download alone, with what it needs to run."""
    folder = Path(app.outdir, "_sources", "book")
    for copy in [*folder.glob("*.ipynb"), *folder.glob("further/*.ipynb")]:
        notebook = json.loads(copy.read_text(encoding="utf-8"))
        note = {"cell_type": "markdown", "id": "what-this-needs", "metadata": {}, "source": NEEDS}
        notebook["cells"].insert(0, note)
        copy.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def launch_only_from_a_repository(app: Sphinx, config: Config) -> None:
    """Leave out the buttons for Binder and Colab as long as _config.yml gives no address of a repository."""
    if not config.html_theme_options.get("repository_url"):
        config.html_theme_options["launch_buttons"] = {}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the steps and the one setting."""
    app.add_config_value("course_archive", "_downloads/emvae-course.zip", "env", str)
    app.connect("config-inited", launch_only_from_a_repository)
    app.connect("build-finished", add_archive)
    app.connect("build-finished", say_what_is_needed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
