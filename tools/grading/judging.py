"""From a submission to its points: read it, mend it, run every cell, come to a verdict on every test cell."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import time
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from tools.grading import kernels, names, own_work, reading
from tools.grading.inside import plain
from tools.grading.kernels import CUT, Answer, Called, Kernel, KernelFailedError, Tester
from tools.grading.mending import WrongAssignmentError, mend
from tools.grading.sandbox import Limits
from tools.grading.sources import Assignment, grade_id, is_locked, is_solution, is_test, is_unanswered
from tools.grading.submissions import Grade, Submission, clean

FAILURES = {
    "time": "did not end within {limits.cell_seconds:g} s",
    "death": "ended the kernel",
    "memory": "used more memory than {gigabytes:g} GB",
    "processes": "started too many processes",
    "messages": "said more than anybody can read",
    "nonsense": "had the kernel answer what is no answer",
}
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")  # differs from run to run
OUTPUT = 8 << 20  # bytes of all outputs of one notebook
TEST_SECONDS = 300.0  # that a test cell may take for itself: it is ours
LOST = "the notebook lost too many kernels or too much time: not all of it was run"


class Judge(AbstractContextManager["Judge"]):
    """Grades submissions of one assignment, one after the other, with a new process where one was lost.

    Parameters
    ----------
    limits : of a submission.
    trust : do without walls.
    others : the names of the cells of each assignment, to tell a notebook that is another's.
    warm : for notebooks of one's own: one process runs the cells that all begin with, and each notebook goes
        on in a fork of it; a submission has a process for itself.
    """

    def __init__(
        self,
        assignment: Assignment,
        *,
        limits: Limits | None = None,
        trust: bool = False,
        others: dict[str, set[str]] | None = None,
        warm: bool = False,
    ) -> None:
        self.assignment = assignment
        self.limits = limits or Limits()
        self.trust = trust
        self.others = others or {}
        self.warm = warm
        self.tester: Tester | None = None
        self.model: Kernel | None = None
        self.costs: dict[bytes, Called] = {}  # of the model, by call
        self.for_good = ExitStack()
        self.kernel: Kernel | None = None
        self.stack = ExitStack()
        self.first: dict[str, Answer] = {}  # what a warm process has run already
        self.done: list[NotebookNode] = []  # what a new process must run again
        self.starts = 0
        self.deadline = 0.0
        self.left = OUTPUT

    def __exit__(self, *_: object) -> None:
        """End all processes."""
        self.close()

    def close(self) -> None:
        """End all processes."""
        self._close()
        self.for_good.close()
        if self.tester is not None:
            self.tester.close()
        self.tester = self.model = None

    def grade(self, submission: Submission) -> Submission:
        """Grade a submission, whatever it is: find its notebook, and add what comes of it."""
        if not submission.student.known:
            submission.file = submission.student.id
            submission.attention.append(f"nobody in the roster is {submission.student.id!r}")
            return submission
        files = reading.Files.read(submission.places)
        submission.attention += files.attention
        if not files.found:
            return submission
        try:
            file, notebook, faults = files.notebook(self.assignment)
        except reading.UnreadableError as error:
            submission.attention.append(str(error))
            return submission
        submission.file, submission.place = file.name, str(file.place)
        submission.faults += faults
        try:
            self.mark(notebook, submission)
            submission.prints = prints(submission, file.data)
        except WrongAssignmentError as error:
            submission.attention.append(f"{file.name}: {error}")
        except KernelFailedError as error:
            submission.attention.append(str(error))
            submission.final = False
        return submission

    def mark(self, notebook: NotebookNode, submission: Submission | None = None) -> Submission:
        """Grade a notebook; add to a submission, or to an empty one, its points and all that was not right.

        Raises
        ------
        WrongAssignmentError : it has no cell of the assignment.
        KernelFailedError : this machine starts no process.
        """
        found = submission or Submission(self.assignment)
        found.notebook, faults = mend(notebook, self.assignment, self.others)
        cells = [c for c in found.notebook.cells if is_solution(c)]
        found.unanswered = [grade_id(c) for c in cells if is_unanswered(c)]
        found.faults += faults
        found.faults += [
            f"answer cell `{grade_id(c)}` still says YOUR CODE HERE, and ends there"
            for c in cells
            if c.cell_type == "code" and grade_id(c) not in found.unanswered and _is_stub(c.source)
        ]
        self._run(found)
        found.attention += own_work.complaints(self.assignment, found.notebook)
        for cell in self.assignment.graded:
            name, possible = grade_id(cell), float(cell.metadata.nbgrader.points)
            lost = bool(found.verdicts[name]) if is_test(cell) else name in found.unanswered
            points = 0.0 if lost else possible if is_test(cell) else None
            found.grades.append(Grade(name, points, possible))
        return found

    def _run(self, found: Submission) -> None:
        """Run all cells of a notebook that holds the assignment's own test cells."""
        assert found.notebook is not None
        self.done, self.starts, self.left = [], 0, OUTPUT
        self.deadline = time.monotonic() + self.limits.total_seconds
        cells = [c for c in found.notebook.cells if c.cell_type == "code"]
        if self.warm:
            self._prepare([cell for cell in cells if cell.source.strip()])
        shown = OUTPUT
        for cell in cells:
            cell.outputs = []
            if cell.source.strip():
                (self._run_test if is_test(cell) else self._run_cell)(cell, found)
            shown -= len(json.dumps(cell.outputs))
            if shown < 0 and cell.outputs:
                cell.outputs = [new_output("stream", name="stdout", text=CUT)]
        if self.warm and self.kernel is not None:
            self.kernel.join()
        else:
            self._close()

    def _prepare(self, cells: list[NotebookNode]) -> None:
        """Have a process that has run the cells with which this notebook begins, and go on in its fork."""
        count = next((i for i, cell in enumerate(cells) if not is_locked(cell) or is_test(cell)), len(cells))
        first = [cell.source for cell in cells[:count]]
        if self.kernel is None or list(self.first) != first:
            self._close()
            self.kernel = self._new_kernel()
            self.first = {cell.source: self._run_on(self.kernel, cell) for cell in cells[:count]}
        self.kernel.fork()

    def _run_cell(self, cell: NotebookNode, found: Submission) -> None:
        """Run a cell that gives no points; its failure is the submission's fault, not its end."""
        answer = self.first.get(cell.source) if self.warm else None
        if answer is None:
            kernel = self._ready(found)
            if kernel is None:
                cell.outputs = [_error("NotRun", "this cell could not be run")]
                return
            answer = self._run_on(kernel, cell)
        cell.outputs = [_stable(output) for output in answer.outputs]
        if answer.cut:
            found.faults.append(f"{called(cell)} shows more than a page can hold: its output is cut")
        if answer.how in FAILURES:
            cell.outputs.append(_error("NotEnded", f"this cell {self._lost(answer.how, cell, found)}"))
            return
        self.done.append(cell)
        if answer.how == "error" and not is_unanswered(cell):
            found.faults.append(f"{called(cell)} ends in {answer.error[0]}")

    def _run_test(self, cell: NotebookNode, found: Submission) -> None:
        """Run a test cell where no student's code is, and have the student's process answer its calls."""
        self._import(cell, found)
        tester = self._tester()
        deadline = time.monotonic() + self._seconds()
        try:
            tester.link.send(b"T", cell.source)
            while (frame := tester.link.poll(TEST_SECONDS)) is not None and frame[0] != b"Z":
                if frame[0] == b"N":
                    answer = self._of_model(frame[1])
                elif kernel := self._ready(found):
                    answer = kernel.call(*frame, seconds=max(0.1, deadline - time.monotonic()))
                else:
                    tester.link.send(b"L", "NotRun: this test could not be run")
                    continue
                if answer.how == "ok":
                    tester.link.send(answer.kind, raw=answer.payload)
                    if frame[0] in b"MN":
                        tester.link.send(b"$", (answer.seconds, answer.megabytes))
                else:
                    what = self._lost(answer.how, cell, found)
                    tester.link.send(b"L", f"NotEnded: the test cell {what}; it calls your code")
            why = "NotRun: this test did not end" if frame is None else str(plain.loads(frame[1]))
        except (EOFError, OSError):
            why = "NotRun: this test could not be run"
        if why.startswith("NotRun"):
            tester.close()
            self.tester = None
        why = clean(ADDRESS.sub("", why)[:5000])
        cell.outputs = [_error(*why.split(": ", 1))] if why else []
        found.verdicts[grade_id(cell)] = why

    def _import(self, cell: NotebookNode, found: Submission) -> None:
        """Import for the student what the check that students see imports: at home answers can rely on it."""
        seen = next(c for c in self.assignment.release.cells if c.id == cell.id)
        made = new_code_cell(names.imports(seen.source))
        if made.source and made.source not in [c.source for c in self.done] and (k := self._ready(found)):
            self._run_on(k, made)
            self.done.append(made)

    def _tester(self) -> Tester:
        """Return the process that runs the tests; it is there for all notebooks."""
        if self.tester is None:
            code = [c for c in self.assignment.source.cells if c.cell_type == "code"]
            answers = set[str]().union(*(names.bound(c.source) for c in code if is_solution(c)))
            given = [c.source for c in code if is_locked(c) and not is_test(c)]
            self.tester = Tester(given, sorted(answers))
        return self.tester

    def _of_model(self, payload: bytes) -> Called:
        """Return what the model solution answers and what that costs it, measured once for each call."""
        key = hashlib.sha256(payload).digest()
        if self.model is None:
            self.model = self.for_good.enter_context(kernels.start(self.limits, trust=self.trust))
            for cell in self.assignment.model.cells:
                if cell.cell_type == "code" and not is_test(cell) and (is_locked(cell) or _defines(cell)):
                    self._run_on(self.model, cell)
        if key not in self.costs:
            self.costs[key] = self.model.call(b"M", payload, seconds=TEST_SECONDS)
        return self.costs[key]

    def _new_kernel(self) -> Kernel:
        return self.stack.enter_context(kernels.start(self.limits, trust=self.trust))

    def _ready(self, found: Submission) -> Kernel | None:
        """Return a process that has run all that was run before, where the notebook may have one yet."""
        if time.monotonic() > self.deadline:
            self._close()
        while (
            self.kernel is None and self.starts <= self.limits.restarts and time.monotonic() < self.deadline
        ):
            self.starts += 1
            self.kernel = kernel = self._new_kernel()
            if any(self._run_on(kernel, cell).how in FAILURES for cell in self.done):
                self._close()
        if self.kernel is None:
            self._give_up(found)
        return self.kernel

    def _run_on(self, kernel: Kernel, cell: NotebookNode) -> Answer:
        keep = sorted(names.bound(cell.source)) if is_locked(cell) else []
        answer = kernel.run(cell.source, keep=keep, seconds=self._seconds(), output=self.left)
        self.left -= answer.size
        return answer

    def _seconds(self) -> float:
        return max(0.1, min(self.limits.cell_seconds, self.deadline - time.monotonic()))

    def _give_up(self, found: Submission) -> None:
        if LOST not in found.attention:
            found.attention.append(LOST)

    def _lost(self, how: str, cell: NotebookNode, found: Submission) -> str:
        """Note whose fault a lost process is, and let it go; return what happened."""
        what = FAILURES[how].format(limits=self.limits, gigabytes=self.limits.memory / (1 << 30))
        found.faults.append(f"{called(cell)} {what}")
        if time.monotonic() > self.deadline:
            self._give_up(found)
        self._close()
        return what

    def _close(self) -> None:
        self.kernel, self.first = None, {}
        self.stack.close()


def called(cell: NotebookNode) -> str:
    """Return how a sentence names a cell."""
    if name := grade_id(cell):
        return f"cell `{name}`"
    first = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
    return f"cell `{first[:40]}`"


def prints(submission: Submission, data: bytes) -> dict[str, tuple[str, int]]:
    """Return what two copies of one work have in common: code without comments, texts, outputs."""
    assert submission.notebook is not None
    answers = [c for c in submission.notebook.cells if is_solution(c)]
    code = "\n".join(c.source for c in answers if c.cell_type == "code")
    found = {"the same code": "".join(re.sub(r"#.*", "", code).split())}
    for cell in answers:
        if cell.cell_type == "markdown":
            found[f"the same answer to {grade_id(cell)}"] = " ".join(cell.source.split())
    lengths = {words: len(text) for words, text in found.items()}
    found["the same outputs"] = reading.stored_outputs(data)
    return {
        words: (hashlib.sha256(text.encode()).hexdigest()[:12], lengths.get(words, 0))
        for words, text in found.items()
        if text
    }


def _is_stub(source: str) -> bool:
    return "YOUR CODE HERE" in source and "raise NotImplementedError" in source


def _defines(cell: NotebookNode) -> bool:
    """Tell whether a cell only defines functions."""
    kinds = ast.FunctionDef | ast.Import | ast.ImportFrom
    return all(isinstance(node, kinds) for node in names.tree(cell.source).body)


def _error(name: str, value: str = "") -> NotebookNode:
    return new_output("error", ename=name, evalue=value, traceback=[f"{name}: {value}"])


def _stable(output: Any) -> Any:
    """Return an output without the addresses that differ from run to run."""
    for key in ("text", "evalue"):
        if key in output:
            output[key] = ADDRESS.sub("", output[key])
    return output
