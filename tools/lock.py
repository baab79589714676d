"""Write constraints.txt: every package that ``.[dev]`` brings, at the version installed here.

Run by hand after an upgrade, by the interpreter of ``.venv``; CONTRIBUTING.md has the recipe.
"""

from __future__ import annotations

import importlib.metadata
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# Every package that `.[dev]` installs, and what builds emvae, as tested together (Python 3.11, Linux).
# Written by tools/lock.py. torch has no local suffix: its CPU build satisfies the line, and so does the
# registry's own, which on Linux brings CUDA libraries that torch itself pins and that are not listed here.
"""


def requirements(project: str, extras: frozenset[str] = frozenset()) -> list[Requirement]:
    """Return what an installed distribution asks for in this environment, with these extras."""
    asked = [Requirement(line) for line in importlib.metadata.requires(project) or []]
    contexts = [{"extra": extra} for extra in extras | {""}]
    return [r for r in asked if r.marker is None or any(r.marker.evaluate(c) for c in contexts)]


def closure(*roots: Requirement) -> dict[str, str]:
    """Return name and installed version of all that the roots need, the roots included."""
    versions: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = list(roots)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if (name, frozenset(requirement.extras)) in seen:
            continue
        seen.add((name, frozenset(requirement.extras)))
        versions[name] = Version(importlib.metadata.version(name)).public
        waiting += requirements(name, frozenset(requirement.extras))
    return versions


def build_requirements() -> list[Requirement]:
    """Return what pyproject.toml needs to build the package."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return [Requirement(line) for line in tomllib.load(file)["build-system"]["requires"]]


def main() -> None:
    """Write the lock of this environment."""
    versions = closure(Requirement("emvae[dev]"), *build_requirements())
    del versions["emvae"]
    lines = sorted(f"{name}=={version}\n" for name, version in versions.items())
    (ROOT / "constraints.txt").write_text(HEADER + "".join(lines), encoding="utf-8")
    print(f"constraints.txt: {len(lines)} packages")


if __name__ == "__main__":
    main()
