"""What the book promises its readers, as rules: each yields a sentence for every breach it finds."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from book_pages import ASSIGNMENTS, Block, Page, figure_of, is_claim, read_book, read_contents

from tests.signatures import MODULES

HEADINGS = [
    "Problem", "By hand", "Derivation", "Algorithm", "On real data",
    "What can go wrong", "Exercises", "Summary", "Further reading",
]  # fmt: skip
OPTIONAL = {"By hand", "Algorithm", "What can go wrong", "Exercises"}  # on pages of FURTHER
FURTHER = "book/further/"
# Pages that are staged as the second edition; when the last chapter is, this goes, and so does FIRST_EDITION.
STAGED = re.compile(r"book/([1-3]|further/)")
FIRST_EDITION = [
    "Problem", "Derivation", "Algorithm", "Code", "Numerical check",
    "Figures", "What can go wrong", "Exercises", "Summary", "Further reading",
]  # fmt: skip

BEFORE_PICTURE, IN_A_CELL, ON_A_PAGE, ON_A_FURTHER_PAGE = 200, 350, 5000, 3500  # words
CODE_IN_SIGHT, QUESTIONS, EXERCISES = 300, 4, 5
PICTURES = {"live", "figure", "image", "picture"}
CODE_HIDDEN = {"check", "hide-cell", "hide-input", "remove-cell", "remove-input"}
OUTPUT_HIDDEN = {"check", "hide-cell", "hide-output", "remove-cell", "remove-output"}
CHECK_LINE = re.compile(r"holds, error")

COLUMN = 100  # characters of a printed line that are seen on a wide screen
CITED = re.compile(r"\{eq\}`([^`]+)`")
MACHINE_PATH = re.compile(r"/(?:home|root|Users|tmp|work|opt|usr|var|private)/\w|[A-Z]:\\\\Users")
IGNORES = re.compile(r"nbval[-_](?:ignore[-_]output|skip)|raises-exception", re.I)
REASON = re.compile(r"#.*nbval[\w-]*\W+\w+\W+\w+\W+\w+", re.I)


@dataclass(frozen=True)
class Book:
    """All that the rules look at: pages in reading order, files there are, sources and names."""

    pages: list[Page]
    files: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)  # in the contents, and no page of these rules
    sources: dict[str, str] = field(default_factory=dict)
    public_names: dict[str, set[str]] = field(default_factory=dict)  # each with those that it brings
    assignments: list[str] = field(default_factory=list)  # the code of each

    @property
    def notebooks(self) -> list[Page]:
        """The pages with code."""
        return [page for page in self.pages if page.is_notebook]

    @property
    def chapters(self) -> list[Page]:
        """The pages with a number in front."""
        return [page for page in self.pages if re.match(r"\d", Path(page.name).name)]

    @property
    def further(self) -> list[Page]:
        """The pages that go further."""
        return [page for page in self.pages if page.name.startswith(FURTHER)]

    @property
    def staged(self) -> list[Page]:
        """The chapters and further pages that follow the second edition's stage."""
        return [page for page in self.chapters + self.further if STAGED.match(page.name)]


def read(root: Path) -> Book:
    """Read the book and the package of a repository."""
    book = [p for p in (root / "book").rglob("*") if p.suffix in {".md", ".ipynb"}]
    files = [p.relative_to(root).with_suffix("") for p in book if ".ipynb_checkpoints" not in p.parts]
    code = [p for folder in ("emvae", "book/figures") for p in (root / folder).rglob("*.py")]
    modules = [importlib.import_module(f"emvae.{name}") for name in MODULES]
    toc = read_contents(root)
    return Book(
        pages=read_book(root),
        files={path.as_posix() for path in files} | set(toc),
        elsewhere={name for name in toc if name.startswith(ASSIGNMENTS)},
        sources={p.relative_to(root).as_posix(): p.read_text(encoding="utf-8") for p in code},
        public_names={name: brought_by(getattr(m, name)) for m in modules for name in m.__all__},
        assignments=[code_of(path) for path in sorted(root.glob("book/assignments/*/*.ipynb"))],
    )


def code_of(path: Path) -> str:
    """Return the code of a notebook's cells."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def brought_by(value: object) -> set[str]:
    """Return the names that come with a public name: what it or its methods return, its bases, its fields."""
    if not inspect.isclass(value):
        return set(re.findall(r"\w+", str(getattr(value, "__annotations__", {}).get("return", ""))))
    members = [getattr(member, "__func__", member) for member in vars(value).values()]
    returned = [name for member in members if callable(member) for name in brought_by(member)]
    fields = re.findall(r"\w+", str(list(inspect.get_annotations(value).values())))
    return {*returned, *fields, *(base.__name__ for base in value.__mro__)}


def every_label_is_a_definition_or_a_claim(book: Book) -> Iterator[str]:
    """A displayed equation's label begins with def- or eq-, a figure's with fig-."""
    for page in book.pages:
        for label in page.equations:
            if not label.startswith(("def-", "eq-")):
                yield f"{page.name}: equation {label} begins with neither def- nor eq-"
        for name in page.figures:
            if not name.startswith("fig-"):
                yield f"{page.name}: figure {name} does not begin with fig-"


def every_claim_has_a_check(book: Book) -> Iterator[str]:
    """A claim, of an equation or of a figure that code draws, is checked on its own page."""
    for page in book.pages:
        checked = {check.label for check in page.checks}
        for label in [*page.equations, *page.drawn]:
            if is_claim(label) and label not in checked:
                yield f"{page.name}: {label} has no check"


def every_check_has_a_claim(book: Book) -> Iterator[str]:
    """A check names a claim of its own page."""
    for page in book.pages:
        claims = {label for label in [*page.equations, *page.figures] if is_claim(label)}
        for check in page.checks:
            if check.label not in claims:
                yield f"{page.name}: a check names {check.label}, which is no claim of this page"


def every_check_holds(book: Book) -> Iterator[str]:
    """A stored error does not exceed its tolerance."""
    for page in book.pages:
        for check in page.checks:
            if not check.error <= check.tol:
                yield f"{page.name}: {check.label}: error {check.error} above {check.tol}"


def every_docstring_label_exists(book: Book) -> Iterator[str]:
    """An equation that the package or a figure of the book's own cites is in the book."""
    labels = {label for page in book.pages for label in page.equations}
    for name, source in book.sources.items():
        for label in CITED.findall(source):
            if label not in labels:
                yield f"{name}: cites the equation {label}, which is not in the book"


def every_chapter_has_the_headings(book: Book) -> Iterator[str]:
    """The second-level headings are the fixed ones, in order; a further page may leave some out."""
    for page in book.chapters + book.further:
        headings = [block.argument for block in page.blocks if block.kind == "heading" and block.level == 2]
        wanted = HEADINGS if page in book.staged else FIRST_EDITION
        if page in book.further:
            wanted = [heading for heading in wanted if heading in headings or heading not in OPTIONAL]
        if headings != wanted:
            yield f"{page.name}: second-level headings are {headings}"


def every_staged_page_begins_with_a_picture(book: Book) -> Iterator[str]:
    """A reader sees something before much is said."""
    for page in book.staged:
        words = _words_before_a_picture(page)
        if words is None or words > BEFORE_PICTURE:
            yield f"{page.name}: the first picture stands after {words} words, {BEFORE_PICTURE} at most"


def every_staged_page_is_told_in_pieces(book: Book) -> Iterator[str]:
    """No text cell is long: between two of them there is something to see or to do."""
    for page in book.staged:
        for i, words in _words(page).items():
            if words > IN_A_CELL:
                yield f"{page.name}: cell {i} has {words} words, {IN_A_CELL} at most"


def every_staged_page_is_short(book: Book) -> Iterator[str]:
    """A page can be read in one sitting, exercises and folds not counted."""
    for page in book.staged:
        most = ON_A_FURTHER_PAGE if page in book.further else ON_A_PAGE
        words = sum(n for i, n in _words(page).items() if _section(page, i) != "Exercises")
        if words > most:
            yield f"{page.name}: {words} words outside the exercises, {most} at most"


def every_staged_page_shows_little_code(book: Book) -> Iterator[str]:
    """Code that a first reader need not read is folded."""
    for page in book.staged:
        shown = [cell["source"] for cell in page.code_cells if not _tags(cell) & CODE_HIDDEN]
        lines = sum(bool(line.strip()) for source in shown for line in source.splitlines())
        if lines > CODE_IN_SIGHT:
            yield f"{page.name}: {lines} lines of code in sight, {CODE_IN_SIGHT} at most"


def every_staged_page_folds_its_checks(book: Book) -> Iterator[str]:
    """A check stands in a cell tagged so, which the page shows as one line."""
    for page in book.staged:
        for cell in page.code_cells:
            if "check" not in _tags(cell) and CHECK_LINE.search(json.dumps(_texts(cell.get("outputs", [])))):
                yield f"{page.name}: a check in a cell not tagged check: {cell['source'][:60]}"


def no_check_draws_a_picture(book: Book) -> Iterator[str]:
    """What a check draws would be folded away."""
    for page in book.pages:
        for cell in page.code_cells:
            if "check" in _tags(cell) and _draws(cell):
                yield f"{page.name}: a cell tagged check draws a picture: {cell['source'][:60]}"


def every_staged_chapter_asks(book: Book) -> Iterator[str]:
    """Four times a reader is asked, as a lecturer would ask the room."""
    for page in book.staged:
        asked = sum(block.kind == "question" for block in page.blocks)
        if asked < QUESTIONS and page in book.chapters:
            yield f"{page.name}: {asked} quick questions, {QUESTIONS} at least"


def every_public_name_is_used(book: Book) -> Iterator[str]:
    """A public name is used by a chapter's or an assignment's code, or shown, or comes with one that is."""
    used = {word for code in book.assignments for word in re.findall(r"\w+", code)}
    for page in book.chapters:
        used |= {word for cell in page.code_cells for word in re.findall(r"\w+", cell["source"])}
        used |= {block.options.get("pyobject", "").split(".")[0] for block in page.blocks}
    waiting = used & book.public_names.keys()
    while waiting:
        waiting = {name for user in waiting for name in book.public_names.get(user, ())} - used
        used |= waiting
    for name in sorted(book.public_names.keys() - used):
        yield f"{name} is public and used by no chapter and no assignment"


def every_file_is_in_the_contents(book: Book) -> Iterator[str]:
    """No page or notebook lies under book/ unread."""
    for name in sorted(book.files - {page.name for page in book.pages} - book.elsewhere):
        yield f"{name} is in no table of contents"


def every_notebook_is_executed(book: Book) -> Iterator[str]:
    """All cells ran once, in order, and left outputs."""
    for page in book.notebooks:
        counts = [cell.get("execution_count") for cell in page.code_cells]
        if counts != list(range(1, len(counts) + 1)):
            yield f"{page.name}: was not executed from first to last cell: make notebooks"
        if not any(cell.get("outputs") for cell in page.code_cells):
            yield f"{page.name}: holds no outputs"


def no_output_holds_an_error(book: Book) -> Iterator[str]:
    """No error, no warning, nothing on the error stream."""
    for page in book.notebooks:
        for output in _outputs(page):
            text = json.dumps([output.get("text", ""), output.get("data", {}).get("text/plain", "")])
            if output["output_type"] == "error" or output.get("name") == "stderr":
                yield f"{page.name}: an output is an error or went to the error stream: {text[:80]}"
            elif re.search(r"Traceback|Warning\b", text):
                yield f"{page.name}: an output holds a warning: {text[:80]}"


def every_output_fits_the_page(book: Book) -> Iterator[str]:
    """No printed line is wider than the column of text, beyond which it is cut off."""
    for page in book.notebooks:
        for output in _outputs(page):
            for line in "".join(output.get("text", "")).splitlines():
                if len(line) > COLUMN:
                    yield f"{page.name}: a printed line has {len(line)} characters: {line[:80]}"


def no_notebook_tells_of_a_machine(book: Book) -> Iterator[str]:
    """No path, timing or version of the machine that executed it."""
    for page in book.notebooks:
        cells = [(c["source"], c["metadata"], _texts(c.get("outputs", []))) for c in page.cells]
        if found := MACHINE_PATH.search(json.dumps([cells, page.metadata])):
            yield f"{page.name}: holds a path of a machine, {found[0]}..."
        if any("execution" in cell["metadata"] for cell in page.cells):
            yield f"{page.name}: holds timings in its metadata: make notebooks"
        if "version" in page.metadata.get("language_info", {}):
            yield f"{page.name}: holds the version of one Python: make notebooks"


def every_ignored_output_has_a_reason(book: Book) -> Iterator[str]:
    """A cell that nbval skips says why: ``# nbval ignores this output: the reason``."""
    for page in book.notebooks:
        for cell in page.code_cells:
            tags = " ".join(cell["metadata"].get("tags", []))
            comments = "\n".join(re.findall(r"#.*", cell["source"]))
            if IGNORES.search(tags + "\n" + comments) and not REASON.search(comments):
                yield f"{page.name}: ignores an output without a reason: {cell['source'][:60]}"


def every_label_is_unique(book: Book) -> Iterator[str]:
    """A label names one thing in the whole book."""
    times = Counter(label for page in book.pages for label in page.labels)
    for label, n in times.items():
        if n > 1:
            yield f"{label} is given {n} times"


def every_formula_is_balanced(book: Book) -> Iterator[str]:
    """Each brace of a formula is closed: MathJax shows the source of one that is not, without a warning."""
    for page in book.pages:
        for formula in [block.content for block in page.blocks if _is_formula(block)]:
            depth = 0
            for brace in re.findall(r"(?<!\\)[{}]", formula.replace(r"\\", "")):
                depth += 1 if brace == "{" else -1
                if depth < 0:
                    break
            if depth != 0:
                yield f"{page.name}: braces do not match in {' '.join(formula.split())[:80]}"


def every_figure_has_a_caption_and_alt_text(book: Book) -> Iterator[str]:
    """An image that code draws is a named figure with a caption; each image says what it shows."""
    for page in book.pages:
        for cell in page.code_cells:
            if not _draws(cell):
                continue
            figure, image = figure_of(cell), cell["metadata"].get("mystnb", {}).get("image", {})
            missing = [key for key in ("name", "caption") if not figure.get(key)]
            missing += [] if image.get("alt") else ["alt text"]
            if missing:
                yield f"{page.name}: a figure has no {' and no '.join(missing)}: {cell['source'][:60]}"
        for block in page.blocks:
            if block.kind in PICTURES and not block.options.get("alt"):
                yield f"{page.name}: an image has no alt text: {block.argument or block.content}"


def every_chapter_has_solved_exercises(book: Book) -> Iterator[str]:
    """At least five exercises, each with its solution."""
    for page in book.chapters:
        exercises = [b.label for b in page.blocks if b.kind in {"exercise", "exercise-start"}]
        if len(exercises) < EXERCISES:
            yield f"{page.name}: {len(exercises)} exercises, at least {EXERCISES} are promised"
        solved = {b.argument for b in page.blocks if b.kind in {"solution", "solution-start"}}
        for label in exercises:
            if label not in solved:
                yield f"{page.name}: exercise {label} has no solution"


def _is_formula(block: Block) -> bool:
    """Tell whether it is set as mathematics: ``{math}`` directives, $$...$$ and $...$."""
    return block.kind in {"formula", "equation", "math"}


def _words(page: Page) -> dict[int, int]:
    """Return how many words each text cell has, by its place on the page; those of folds are not counted."""
    words = {i: len(c["source"].split()) for i, c in enumerate(page.cells) if c["cell_type"] == "markdown"}
    for block in page.blocks:
        if block.folded and not any(outer.folded for outer in block.inside):
            options = [f":{name}: {value}" for name, value in block.options.items()]
            fences = ["```{kind}", "```"]
            words[block.cell] -= len(" ".join([*fences, block.argument, *options, block.content]).split())
    return words


def _words_before_a_picture(page: Page) -> int | None:
    """Return how many words stand before the first picture in sight; None if there is no picture."""
    pictures = [b for b in page.blocks if b.kind in PICTURES and not any(outer.folded for outer in b.inside)]
    drawn = [i for i, c in enumerate(page.cells) if _draws(c) and not _tags(c) & OUTPUT_HIDDEN]
    places = [(block.cell, block.line) for block in pictures] + [(i, 0) for i in drawn]
    if not places:
        return None
    cell, line = min(places)
    lines = page.cells[cell]["source"].splitlines()[:line]
    return sum(n for i, n in _words(page).items() if i < cell) + len(" ".join(lines).split())


def _section(page: Page, cell: int) -> str:
    """Return the second-level heading under which a cell ends."""
    above = [b.argument for b in page.blocks if b.kind == "heading" and b.level == 2 and b.cell <= cell]
    return above[-1] if above else ""


def _tags(cell: dict) -> set[str]:
    return set(cell["metadata"].get("tags", []))


def _draws(cell: dict) -> bool:
    """Tell whether a cell's stored outputs hold a picture."""
    return any(key.startswith("image/") for o in cell.get("outputs", []) for key in o.get("data", {}))


def _outputs(page: Page) -> Iterator[dict]:
    return (output for cell in page.code_cells for output in cell.get("outputs", []))


def _texts(outputs: list[dict]) -> list:
    """All that outputs hold but the pixels."""
    data = [{k: v for k, v in o.get("data", {}).items() if k != "image/png"} for o in outputs]
    return [data, [o.get("text", "") for o in outputs], [o.get("metadata", {}) for o in outputs]]


RULES = [value for name, value in list(globals().items()) if name.startswith(("every_", "no_"))]
