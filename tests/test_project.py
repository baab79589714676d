"""What is installed, locked and promised to conda users is one and the same; what the papers say is there."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import book_pages
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import emvae
from tools import lock

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEED_TORCH = {"gradients", "bounds", "autoencoders", "training", "latents", "_random", "_files", "_torch"}
CONDA_NAMES = {"pytorch": "torch", "pytorch-cpu": "torch"}
PROJECTS = {"IPython": "ipykernel", "sklearn": "scikit-learn"}  # an import that is named otherwise
# Brought by torch or a terminal on one platform only; the lock is written on Linux with torch's CPU build.
PLATFORM = re.compile(r"nvidia-|cuda-|triton$|appnope$|colorama$|pywin32$|pywinpty$|tzdata$")


def ranges(lines):
    """Return {name: range} of requirement lines, leaving out emvae's own extras."""
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(r.name): r.specifier for r in requirements if r.name != "emvae"}


def read_pyproject():
    """Return the ranges of all extras together, and those that disagree between extras."""
    extras = PROJECT["optional-dependencies"]
    lists = [PROJECT["dependencies"], *(extras[name] for name in extras if name != "jax")]  # no part of dev
    found = [item for lines in lists for item in ranges(lines).items()]
    return dict(found), {name for name, spec in found if dict(found)[name] != spec}


def read_lock(text):
    """Return {name: version} of a lock; a line that is not name==version is an error."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines == sorted(lines)
    return dict(line.split("==") for line in lines)


def read_conda(text):
    """Return {name: range} of environment.yml and the lines handed to pip, python and pip left out."""
    dependencies = yaml.safe_load(text)["dependencies"]
    lines = [line for line in dependencies if isinstance(line, str) and line != "pip"]
    lines += [line for d in dependencies if isinstance(d, dict) for line in d["pip"] if line != "-e ."]
    found = ranges(lines)
    return {CONDA_NAMES.get(name, name): spec for name, spec in found.items()}


def disagreements(asked, locked, conda):
    """Say where ranges, lock and conda environment contradict each other."""
    for name, spec in asked.items():
        if name not in locked:
            yield f"{name} is in pyproject.toml and not in constraints.txt"
        elif locked[name] not in spec:
            yield f"{name}=={locked[name]} in constraints.txt is outside {spec} in pyproject.toml"
    for name in sorted(asked.keys() ^ conda.keys()):
        where = "pyproject.toml" if name in asked else "environment.yml"
        yield f"{name} is in {where} alone"
    for name in asked.keys() & conda.keys():
        if asked[name] != conda[name]:
            yield f"{name} is {asked[name]} in pyproject.toml and {conda[name]} in environment.yml"


@pytest.fixture(scope="module")
def asked():
    return read_pyproject()[0]


@pytest.fixture(scope="module")
def locked():
    return read_lock((ROOT / "constraints.txt").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def conda():
    return read_conda((ROOT / "environment.yml").read_text(encoding="utf-8"))


def test_pyproject_lock_and_conda_agree(asked, locked, conda):
    python = conda.pop("python")
    assert python == SpecifierSet(PROJECT["requires-python"])
    assert list(disagreements(asked, locked, conda)) == []


def test_binder_gets_ranges_of_pyproject_and_all_that_the_notebooks_import(asked):
    binder = read_conda((ROOT / "binder" / "environment.yml").read_text(encoding="utf-8"))
    python = binder.pop("python")
    assert "3.11" in python
    assert "3.10" not in python
    assert {name: asked.get(name) for name in binder} == binder
    cells = [cell["source"] for page in book_pages.read_book(ROOT) for cell in page.code_cells]
    assert imported(cells) | ranges(PROJECT["dependencies"]).keys() <= binder.keys() | {"emvae", "figures"}


def test_extras_give_a_package_one_range():
    assert read_pyproject()[1] == set()


@pytest.mark.parametrize(
    ("locked", "conda"),
    [
        ({}, {"a": ">=1"}),
        ({"a": "0.9"}, {"a": ">=1"}),
        ({"a": "1.0"}, {}),
        ({"a": "1.0"}, {"a": ">=2"}),
        ({"a": "1.0"}, {"a": ">=1", "b": ">=1"}),
    ],
)
def test_a_disagreement_is_seen(locked, conda):
    conda = {name: SpecifierSet(spec) for name, spec in conda.items()}
    assert len(list(disagreements({"a": SpecifierSet(">=1")}, locked, conda))) == 1


def test_the_lock_holds_every_transitive_package(locked):
    needed = lock.closure(Requirement("emvae[dev]"), *lock.build_requirements())
    needed.pop("emvae")
    assert {name for name in needed.keys() - locked.keys() if not PLATFORM.match(name)} == set()
    if (sys.platform, sys.version_info[:2]) == ("linux", (3, 11)):  # where the lock was written
        assert locked.keys() - needed.keys() == set()


def test_the_environment_is_the_locked_one(locked):
    needed = lock.closure(Requirement("emvae[dev]"))
    different = {n: (v, locked[n]) for n, v in needed.items() if n in locked and v != locked[n]}
    assert different == {}


def test_the_reader_of_the_package_alone_installs_no_book_tools():
    assert ranges(PROJECT["dependencies"]).keys() == {"matplotlib", "numpy", "threadpoolctl", "tqdm"}


def test_one_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == emvae.__version__
    assert f"## {emvae.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


PAPERS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s#]+)")
COMMAND = re.compile(r"\bmake ([a-z]+)\b")


@pytest.mark.parametrize("name", PAPERS)
def test_links_lead_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert [link for link in LINK.findall(text) if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("name", PAPERS)
def test_commands_exist(name):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z]+):.*##", makefile, re.M)
    code = re.findall(r"`[^`\n]+`|^ {4}.*$|^make .*$", (ROOT / name).read_text(encoding="utf-8"), re.M)
    assert [target for target in COMMAND.findall("\n".join(code)) if target not in targets] == []


def test_ci_runs_what_the_readme_tells():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert COMMAND.findall(re.sub(r"#.*", "", script)) == ["check"]
    assert "make check" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_package_and_the_notebooks_import_only_what_their_extra_installs():
    core = ranges(PROJECT["dependencies"]).keys()
    extras = PROJECT["optional-dependencies"]
    book = core | ranges([*extras["torch"], *extras["book"]]).keys()
    modules = {path.relative_to(ROOT / "emvae"): path for path in (ROOT / "emvae").rglob("*.py")}
    code = {name.parts[0].removesuffix(".py"): [] for name in modules}
    for name, path in modules.items():
        code[name.parts[0].removesuffix(".py")].append(path.read_text(encoding="utf-8"))
    cells = [cell["source"] for page in book_pages.read_book(ROOT) for cell in page.code_cells]
    for name, sources in code.items():
        assert imported(sources) - core == ({"torch"} if name in NEED_TORCH else set()), name
    figures = [path.read_text(encoding="utf-8") for path in (ROOT / "book" / "figures").glob("*.py")]
    assert imported([*cells, *figures]) - book == {"figures"}  # which lie beside the notebooks


def test_imports_are_seen():
    code = ["import sys, torch.nn\nimport sklearn as s", "from .x import y\nfrom scipy.stats import z"]
    assert imported(code) == {"torch", "scikit-learn", "scipy"}


def imported(sources):
    """Return the packages that code imports from outside Python and emvae, under their project's name."""
    modules = set()
    for node in (node for source in sources for node in ast.walk(ast.parse(source))):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            modules.add(node.module.split(".")[0])
    return {PROJECTS.get(name, name) for name in modules - sys.stdlib_module_names - {"emvae"}}
