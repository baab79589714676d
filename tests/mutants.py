"""Change one thing in emvae and see whether a test notices: make mutants [SINCE=commit] [N=60] [ONLY=em.py].

A mutant changes one operator, comparison, sign, index, number, truth value or extremum, drawn at random among
all such places, or among those in lines changed since a commit. It is killed when a test fails, or ends late.
The tests judge that are nearest to the changed module by their imports, until the first one fails; then those
farther away. Fails under 95 %. What was noticed is kept in ``_build/mutants.json``: an interrupted run begins
again where it was, and after a new test only the survivors are tried. Without the file all are.
"""

import argparse
import ast
import copy
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).resolve().parent.parent
REQUIRED = 0.95
KEPT = ROOT / "_build" / "mutants.json"

# These judge book, browser, graders and machine, need what is not copied, or start slow processes.
LEFT_OUT = re.compile(
    r"tests/(assignments|benchmarks|book_figures|browser)/|tests/test_(book|check_links|downloads|figures|make"
    r"|offline_pages|page_markup|pictures|print_document|project|quantised_networks|seeds|signatures)\.py"
)
# These time the machine: on a busy one they fail whatever the change.
DESELECTED = (
    "tests/test_datasets.py::test_loading_everything_takes_under_half_a_second",
    "tests/test_datasets.py::test_binarising_mnist_is_quick_and_needs_little_beyond_its_result",
    "tests/test_progress.py::test_importing_the_package_takes_under_150_ms",
    "tests/test_assignments.py::test_the_stored_equations_are_the_books",
    "tests/test_assignments.py::test_equations_are_counted_as_the_book_counts_them",
)

# These take long: each judges only the files whose path holds what stands beside it.
SLOW = {
    "tests/test_training.py::test_a_compiled_run": "training/",
    "tests/test_training.py::test_a_signal_at_any_moment": "training/",
    "tests/test_em.py::test_restarts_under_a_prior": "priors",
    "tests/test_em.py::test_under_a_prior_the_objective": "priors",
    "tests/test_bounds.py::test_single_precision_stays_single": "autoencoders/",
    "tests/latents/test_classifier.py::test_it_tells_real_test_digits": "classifier",
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
    (
        "emvae/mixtures/mixture.py",
        "occupied = np.where((counts >= EMPTY), counts, 0.0)",
    ): "differs where a sum of responsibilities is 1e-290 to the last bit",
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


# --- which tests judge


@cache
def imports(path: Path) -> set[str]:
    """Name the modules of emvae and tests that a file imports, with those that hold what it imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.startswith(("emvae.", "tests."))}


def module_name(path: Path) -> str:
    """Return the name under which a file of the tree is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def distances(changed: Path) -> dict[str, int]:
    """How many imports lie between each test file and a module; files that do not reach it are left out."""
    files = [*(ROOT / "emvae").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    users = {path: imports(path) for path in files}
    reached, front, distance = {changed: 0}, {module_name(changed)}, 0
    while front:
        distance += 1
        new = [path for path, names in users.items() if path not in reached and names & front]
        reached |= dict.fromkeys(new, distance)
        front = {module_name(path) for path in new}
    tests = {path.relative_to(ROOT).as_posix(): n for path, n in reached.items()}
    return {
        name: n
        for name, n in tests.items()
        if Path(name).name.startswith("test_") and not LEFT_OUT.match(name)
    }


@cache
def judges(changed: Path) -> list[str]:
    """Name the test files for a module: its namesake, then the nearest and those one import further."""
    found = distances(changed)
    near = min(found.values(), default=0) + 1
    stem = changed.stem.strip("_") if changed.stem != "__init__" else changed.parent.name
    return sorted(
        (name for name in found if found[name] <= near or stem in Path(name).stem),
        key=lambda name: (stem not in Path(name).stem, found[name], name),
    )


# --- planting and judging


def make_tree(folder: Path) -> Path:
    """Copy what the tests need."""
    ignore = shutil.ignore_patterns("__pycache__", ".hypothesis", "results")
    for name in ("emvae", "tests", "book/_ext", "book/figures"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for notebook in (ROOT / "book").glob("[123]-*.ipynb"):  # which a test reads
        shutil.copy(notebook, folder / "book")
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def run_tests(tree: Path, tests: list[str], limit: float, *options: str) -> subprocess.CompletedProcess[str]:
    """Run test files on a tree, in this order, until one fails."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *options, *tests]
    command += [f"--deselect={test}" for test in DESELECTED]
    # Compiled files are told apart by second and size alone, which two mutants may share.
    environment = os.environ | {
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, timeout=limit, check=False
    )


def seconds_without_change(tree: Path, tests: list[str]) -> dict[str, float]:
    """Run test files as they are; return how long each takes, or end where one fails."""
    report = tree / "report.xml"
    sound = run_tests(tree, tests, 3600, f"--junitxml={report}", "-o", "junit_family=xunit1")
    if sound.returncode != 0:
        sys.exit(f"the tests fail without any change:\n{sound.stdout[-3000:]}{sound.stderr[-1000:]}")
    taken: dict[str, float] = defaultdict(float)
    for case in ET.parse(report).iter("testcase"):
        taken[case.attrib["file"]] += float(case.attrib["time"])
    return taken


def noticed(mutant: Mutant, tree: Path, taken: dict[str, float]) -> str | None:
    """Plant a mutant in a tree, run its tests, restore the file; name the test that noticed.

    What the nearest tests let pass, the slow ones and all others judge that reach the module.
    """
    target, path = tree / mutant.path, ROOT / mutant.path
    slow = [f"--deselect={test}" for test, judged in SLOW.items() if judged not in mutant.path]
    near = judges(path)
    rounds = [(near, slow), (sorted({*near, *distances(path)} & set(taken)), [])]
    original = target.read_text(encoding="utf-8")
    target.write_text(mutant.source, encoding="utf-8")
    try:
        for tests, options in rounds:
            limit = 60 + 5 * sum(taken.get(test, 0.0) for test in tests)  # one may loop for ever
            result = run_tests(tree, tests, limit, *options) if tests else None
            if result is not None and result.returncode != 0:
                failed = re.search(r"^(?:FAILED|ERROR) (\S+)", result.stdout, re.MULTILINE)
                return failed[1] if failed else "the tests do not start"
    except subprocess.TimeoutExpired:
        return f"no end within {limit:.0f} s"
    finally:
        target.write_text(original, encoding="utf-8")
    return None


def changed_lines(since: str) -> dict[str, set[int]]:
    """Number the lines of each file of emvae that are new since a commit."""
    command = ["git", "diff", "--unified=0", "--no-color", since, "--", "emvae/*.py"]
    diff = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines: dict[str, set[int]] = {}
    path = ""
    for line in diff.splitlines():
        if line.startswith("+++ "):
            path = line.removeprefix("+++ b/")
        elif hunk := re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line):
            first, count = int(hunk[1]), int(hunk[2] or 1)
            lines.setdefault(path, set()).update(range(first, first + count))
    return lines


def candidates(since: str, only: str) -> list[Mutant]:
    """Make every mutant that may be drawn."""
    files = [path for path in sorted((ROOT / "emvae").rglob("*.py")) if only in path.as_posix()]
    every = [mutant for path in files for mutant in mutants(path)]
    if since:
        new = changed_lines(since)
        every = [mutant for mutant in every if mutant.line in new.get(mutant.path, ())]
    return [mutant for mutant in every if (mutant.path, mutant.after.strip()) not in EQUIVALENT]


def main() -> int:
    """Draw, plant, judge, tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--only", default="", help="only files whose path holds this")
    parser.add_argument("--since", default="", help="only lines changed since this commit")
    parser.add_argument("--workers", type=int, default=2, help="how many are tried at a time")
    parser.add_argument("--minutes", type=float, default=1e9, help="when to stop; the next call goes on")
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes

    every = candidates(options.since, options.only)
    if not every:
        print("no line of emvae that computes has changed: nothing to try")
        return 0
    drawn = random.Random(options.seed).sample(every, min(options.count, len(every)))
    kept = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {"seconds": {}, "noticed": {}}
    taken, known = kept["seconds"], kept["noticed"]
    print(f"{len(drawn)} of {len(every)} mutants, seed {options.seed}", flush=True)

    def keep() -> None:
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps(kept, indent=1), "utf-8")

    survivors: list[Mutant] = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.workers) as pool:
        trees: Queue[Path] = Queue()
        for number in range(options.workers):
            trees.put(make_tree(Path(folder) / str(number)))
        needed = {test for mutant in drawn if str(mutant) not in known for test in judges(ROOT / mutant.path)}
        if unknown := sorted(needed - set(taken)):
            taken |= seconds_without_change(trees.queue[0], unknown)
            keep()

        def judge(mutant: Mutant) -> str | None:
            if str(mutant) in known or time.monotonic() > end:
                return known.get(str(mutant), "")
            tree = trees.get()
            try:
                return noticed(mutant, tree, taken)
            finally:
                trees.put(tree)

        waiting = 0
        for mutant, test in zip(drawn, pool.map(judge, drawn), strict=True):
            if test == "":
                waiting += 1
                continue
            if test is None:
                survivors.append(mutant)
            elif str(mutant) not in known:
                known[str(mutant)] = test
                keep()
            print(f"{'SURVIVED' if test is None else 'killed'} {mutant}\n    {test or ''}", flush=True)

    tried = len(drawn) - waiting
    share = 1 - len(survivors) / max(tried, 1)
    print(f"\n{tried - len(survivors)} of {tried} noticed, {share:.1%} ({REQUIRED:.0%} required)")
    for survivor in survivors:
        print(f"SURVIVED {survivor}")
    if waiting:
        print(f"{waiting} are not tried yet: the same call goes on")
    return 0 if share >= REQUIRED and not waiting else 1


if __name__ == "__main__":
    raise SystemExit(main())
