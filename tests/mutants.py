"""Change one thing in emvae and see whether tests/ notice: python -m tests.mutants [--seed 0].

A mutant changes one operator, comparison, sign, index, number, truth value or extremum, drawn at random
among all such places of emvae/. It is killed when a test fails. Run by hand: it takes minutes. Only
tests/ judges, without the notebooks and without the tests of book and Makefile. Fails under 95 %.
"""

import argparse
import ast
import copy
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).resolve().parent.parent
REQUIRED = 0.95
LIMIT_S = 600  # a mutant that loops for ever is noticed, too

# No test of emvae's numbers: these judge book, browser, graders, Makefile and lock file.
LEFT_OUT = (
    "assignments",
    "benchmarks",
    "browser",
    "test_book.py",
    "test_check_links.py",
    "test_downloads.py",
    "test_figures.py",
    "test_make.py",
    "test_offline_pages.py",
    "test_pictures.py",
    "test_print_document.py",
    "test_project.py",
    "test_reading_extension.py",
    "test_seeds.py",
    "test_widget_networks.py",
)
# These time the machine, on a busy one they fail whatever the change; the last needs the book.
DESELECTED = (
    "tests/test_datasets.py::test_loading_everything_takes_under_half_a_second",
    "tests/test_datasets.py::test_binarising_mnist_is_quick_and_needs_little_beyond_its_result",
    "tests/test_assignments.py::test_the_stored_equations_are_the_books",
)
# Which tests notice a change soonest; all others follow.
FIRST = {
    "_progress": ["test_progress.py"],
    "_parallel": ["test_progress.py", "test_em.py"],
    "_validation": ["test_validation.py"],
    "checks": ["test_checks.py"],
    "elbo": ["test_elbo.py", "test_em.py"],
    "em": ["test_em.py", "test_validation.py"],
    "responsibilities": ["test_responsibilities.py"],
    "datasets": ["test_datasets.py"],
    "plotting": ["plotting"],
    "_random": ["test_random.py"],
    "_files": ["test_files.py", "test_training.py"],
    "gradients": ["test_gradients.py"],
    "bounds": ["test_bounds.py"],
    "autoencoders": ["autoencoders", "test_bounds.py"],
    "training": ["test_training.py"],
    "latents": ["latents"],
    "mixtures": ["mixtures", "test_validation.py", "test_em.py"],
    "assignments": ["test_assignments.py"],
}

OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
SWAPPED = {"max": "min", "maximum": "minimum", "argmax": "argmin", "any": "all", "zeros": "ones"}
SWAPPED |= {new: old for old, new in SWAPPED.items()}

# Changes that alter nothing that emvae promises, each with the reason; a survivor listed here is no survivor.
EQUIVALENT: dict[tuple[str, str], str] = {
    ("emvae/mixtures/tables.py", "WIDE = (257)"): "both orientations give the same sums, one is faster",
    (
        "emvae/mixtures/products.py",
        "@dataclass(frozen=True, eq=(True))",
    ): "inside a model, where nothing compares two of them",
    ("emvae/em.py", "BLOCK_ROWS = (4097)"): "as good a size of blocks",
    (
        "emvae/autoencoders/distributions.py",
        "super().__init__(Normal(loc, scale, validate_args=False), 1, validate_args=(True))",
    ): "Independent has nothing of its own to validate",
    ("emvae/latents/quadrature.py", "FIRST = (9)"): "as good a first mesh",
    (
        "emvae/latents/plane.py",
        "return torch.addmm(softplus(logits).sum((1)), x, logits.T, beta=-1.0)",
    ): "a table of logits has two axes, 1 is the last",
    (
        "emvae/mixtures/tables.py",
        "return sums.astype(np.float64, copy=(True))",
    ): "the same numbers, copied once more than they need be",
    (
        "emvae/mixtures/base.py",
        "return self._by_blocks(x, lambda block: normalize(self.log_joint(block), overwrite=(False))[0])",
    ): "the same numbers, in one array more",
    (
        "emvae/datasets/bits.py",
        "step = max((2), _BLOCK * len(grey) // grey.size)",
    ): "the same bits, in larger blocks where a row is larger than a block",
    (
        "emvae/mixtures/bernoulli.py",
        "return ((rng.random((n, self.n_features)) <= self.probs[component])).astype(np.uint8)",
    ): "differs where a draw equals a probability, once in 2^53",
    (
        "emvae/plotting/planes.py",
        "if (lead.min() < 0 <= lead.max()):",
    ): "differs where a pixel ties exactly and none is beyond the boundary",
    (
        "emvae/mixtures/initialisation.py",
        "nearest = (np.ones)(len(data), dtype=np.intp)",
    ): "the first seed overwrites every entry",
    (
        "emvae/plotting/images.py",
        'ax.text(left + 0.5, top + tall + GAP / (3), labels[i], ha="center", va="top", fontsize=8)',
    ): "a label moves by a seventieth of an image",
    (
        "emvae/autoencoders/distributions.py",
        "super().__init__(Bernoulli(logits=logits, validate_args=False), 1, validate_args=(True))",
    ): "torch's Independent has no parameters of its own to check",
    (
        "emvae/latents/estimates.py",
        "half = torch.tensor((0.5 - confidence / 2), dtype=torch.float64)",
    ): "the opposite quantile, of which the square is taken",
    ("emvae/latents/plane.py", "TABLE_NUMBERS = 2**(25)"): "as good a size of blocks",
    ("emvae/latents/plane.py", "TABLE_NUMBERS = (2 * 24)"): "the same numbers, in smaller blocks",
    (
        "emvae/latents/quadrature.py",
        "outside = ((z.abs() >= edge)).any(1)",
    ): "the points lie half a step on either side of the edge, none on it",
    (
        "emvae/latents/amortisation.py",
        "ROUNDS, SHRINK = (17), 2.5",
    ): "one round more of a search that is over",
    (
        "emvae/latents/amortisation.py",
        "n_side = int(np.ceil((3) * half_width / FIRST_STEP)) + 1",
    ): "a finer first mesh, from which the search ends at the same point",
    (
        "emvae/latents/amortisation.py",
        "z, value = _climb(vae, rows, z, value, step=float(axis[(2)] - axis[0]))",
    ): "the search starts with wider steps and ends at the same point, to the digits promised",
}


@dataclass(frozen=True)
class Mutant:
    """One change: the file, the lines before and after, and the whole file after."""

    path: str
    line: int
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}\n    - {self.before.strip()}\n    + {self.after.strip()}"

    @property
    def reason(self) -> str | None:
        """Why nothing can notice it, if so."""
        return EQUIVALENT.get((self.path, self.after.strip()))


def places(tree: ast.AST, *, drawing: bool = False) -> Iterator[ast.expr]:
    """Walk all expressions that compute.

    No annotations, no messages of errors, no ``strict=`` of zip, which is there to fail on a slip; where
    something is drawn no keywords either: the width of a line is a matter of taste.
    """
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise | ast.JoinedStr):
            skipped |= {id(inner) for inner in ast.walk(node)}
        for name in ("annotation", "returns"):
            part = getattr(node, name, None)
            if isinstance(part, ast.AST):
                skipped |= {id(inner) for inner in ast.walk(part)}
        if isinstance(node, ast.keyword) and (drawing or node.arg == "strict"):
            skipped.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.expr) and id(node) not in skipped:
            yield node


def changes(node: ast.expr) -> Iterator[ast.expr]:
    """Make all single changes of the top of an expression."""

    def changed(**fields: object) -> ast.expr:
        new = copy.deepcopy(node)
        for name, value in fields.items():
            setattr(new, name, value)
        return new

    match node:
        case ast.BinOp(op=op) | ast.BoolOp(op=op) if type(op) in OPERATORS:
            yield changed(op=OPERATORS[type(op)]())
        case ast.Compare(ops=ops):
            for i, op in enumerate(ops):
                yield changed(ops=[*ops[:i], OPERATORS[type(op)](), *ops[i + 1 :]])
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert(), operand=operand):
            yield operand
        case ast.Constant(value=bool(value)):
            yield changed(value=not value)
        case ast.Constant(value=int(value)):
            yield changed(value=value + 1)
        case ast.Constant(value=float(value)):
            yield changed(value=2 * value if value else 1.0)
        case ast.Attribute(attr=name) if name in SWAPPED:
            yield changed(attr=SWAPPED[name])
        case ast.Name(id=name) if name in SWAPPED:
            yield changed(id=SWAPPED[name])


def mutants(path: Path) -> Iterator[Mutant]:
    """Make every mutant of a file."""
    source = path.read_text(encoding="utf-8")
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    for node in places(ast.parse(source), drawing="plotting" in path.parts):
        first = starts[node.lineno - 1] + node.col_offset
        last = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        for new in changes(node):
            whole = source.encode()
            text = whole[:first] + f"({ast.unparse(new)})".encode() + whole[last:]
            after = text.decode().splitlines()[node.lineno - 1]
            before = source.splitlines()[node.lineno - 1]
            yield Mutant(str(path.relative_to(ROOT)), node.lineno, before, after, text.decode())


def make_tree(folder: Path) -> Path:
    """Copy what the tests need."""
    ignore = shutil.ignore_patterns("__pycache__", ".hypothesis", "results")
    for name in ("emvae", "tests", "book/_ext"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def run_tests(tree: Path, first: list[str]) -> subprocess.CompletedProcess[str]:
    """Run tests/ on a tree, the most relevant first, until one fails."""
    names = sorted(p.name for p in (tree / "tests").iterdir() if p.name.startswith("test_") or p.is_dir())
    rest = [name for name in names if name not in {*first, *LEFT_OUT, "__pycache__"}]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += [f"--deselect={test}" for test in DESELECTED]
    command += [f"tests/{name}" for name in (*first, *rest)]
    # Compiled files are told apart by second and size alone, which two mutants may share.
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


def killer(mutant: Mutant, tree: Path) -> str | None:
    """Plant a mutant in a tree, run the tests, restore the file; name the test that noticed."""
    target = tree / mutant.path
    original = target.read_text(encoding="utf-8")
    target.write_text(mutant.source, encoding="utf-8")
    module = Path(mutant.path).parts[1].removesuffix(".py")
    try:
        result = run_tests(tree, FIRST.get(module, []))
    except subprocess.TimeoutExpired:
        return f"no end within {LIMIT_S} s"
    finally:
        target.write_text(original, encoding="utf-8")
    if result.returncode == 0:
        return None
    noticed = re.search(r"^(?:FAILED|ERROR) (\S+)", result.stdout, re.MULTILINE)
    return noticed[1] if noticed else "the tests do not start"


def main() -> int:
    """Draw, plant, judge, tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--only", default="", help="only files whose path holds this")
    options = parser.parse_args()

    files = [p for p in sorted((ROOT / "emvae").rglob("*.py")) if options.only in str(p)]
    every = [mutant for path in files for mutant in mutants(path)]
    drawn = random.Random(options.seed).sample(every, min(options.count, len(every)))
    print(f"{len(drawn)} of {len(every)} mutants, seed {options.seed}", flush=True)

    survivors: list[Mutant] = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        trees: Queue[Path] = Queue()
        for name in ("a", "b"):
            trees.put(make_tree(Path(folder) / name))
        sound = trees.get()
        if (result := run_tests(sound, [])).returncode != 0:
            print(f"the tests fail without any change:\n{result.stdout[-3000:]}{result.stderr[-1000:]}")
            return 2
        trees.put(sound)

        def judge(mutant: Mutant) -> str | None:
            tree = trees.get()
            try:
                return killer(mutant, tree)
            finally:
                trees.put(tree)

        for mutant, test in zip(drawn, pool.map(judge, drawn), strict=True):
            if test:
                verdict = "killed"
            elif mutant.reason:
                verdict = f"equivalent: {mutant.reason}"
            else:
                verdict = "SURVIVED"
                survivors.append(mutant)
            print(f"{verdict:9} {mutant}\n    {test or ''}", flush=True)

    share = 1 - len(survivors) / len(drawn)
    print(f"\n{len(drawn) - len(survivors)} of {len(drawn)} noticed, {share:.1%} ({REQUIRED:.0%} required)")
    return 0 if share >= REQUIRED else 1


if __name__ == "__main__":
    raise SystemExit(main())
