"""Run a mended submission: every cell gets its chance, every test cell an honest verdict."""

from __future__ import annotations

import ast
import copy
import hashlib
import re
import time
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from tools.grading import kernels, names
from tools.grading.inside import plain
from tools.grading.kernels import Answer, Called, Kernel, Tester
from tools.grading.nbgraders import is_locked, is_solution, is_test, is_unanswered
from tools.grading.sandbox import Limits
from tools.grading.sources import Assignment, grade_id

FAILURES = {
    "time": "did not end within {limits.cell_seconds:g} s",
    "death": "ended the kernel",
    "memory": "used more memory than {gigabytes:g} GB",
    "processes": "started too many processes",
    "messages": "said more than anybody can read",
    "nonsense": "had the kernel answer what is no answer",
}
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
OUTPUT = 8 << 20  # bytes of all outputs of one notebook
TEST_SECONDS = 300.0  # that a test cell may take for itself: it is ours


@dataclass
class Run:
    """An executed submission, what went wrong in it, and what a person must look at."""

    notebook: NotebookNode
    faults: list[str] = field(default_factory=list)
    attention: list[str] = field(default_factory=list)
    verdicts: dict[str, str] = field(default_factory=dict)  # of each test cell: "" or why it failed


class Runner(AbstractContextManager["Runner"]):
    """Runs the cells of submissions of one assignment, with a new process where one was lost.

    With ``warm``, for notebooks of one's own, one process runs the cells that all begin with, and each
    notebook goes on in a fork of it; a submission has a process for itself.
    """

    def __init__(self, assignment: Assignment, limits: Limits, *, trust: bool, warm: bool = False) -> None:
        self.assignment = assignment
        self.limits = limits
        self.trust = trust
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
        self._close()
        self.for_good.close()
        if self.tester is not None:
            self.tester.close()
        self.tester = self.model = None

    def run(self, notebook: NotebookNode) -> Run:
        """Run all cells of a notebook that holds the assignment's own test cells.

        Raises
        ------
        KernelFailedError : this machine starts no process.
        """
        run = Run(copy.deepcopy(notebook))
        self.done, self.starts, self.left = [], 0, OUTPUT
        self.deadline = time.monotonic() + self.limits.total_seconds
        cells = [cell for cell in run.notebook.cells if cell.cell_type == "code"]
        if self.warm:
            self._prepare([cell for cell in cells if cell.source.strip()])
        for cell in cells:
            cell.outputs = []
            if cell.source.strip():
                (self._run_test if is_test(cell) else self._run_cell)(cell, run)
        if self.warm and self.kernel is not None:
            self.kernel.join()
        else:
            self._close()
        return run

    def _prepare(self, cells: list[NotebookNode]) -> None:
        """Have a process that has run the cells with which this notebook begins, and go on in its fork."""
        count = next((i for i, cell in enumerate(cells) if not is_locked(cell) or is_test(cell)), len(cells))
        first = [cell.source for cell in cells[:count]]
        if self.kernel is None or list(self.first) != first:
            self._close()
            self.kernel = self.stack.enter_context(kernels.start(self.limits, trust=self.trust))
            self.first = {cell.source: self._run_on(self.kernel, cell) for cell in cells[:count]}
        self.kernel.fork()

    def _run_cell(self, cell: NotebookNode, run: Run) -> None:
        """Run a cell that gives no points; its failure is the submission's fault, not its end."""
        answer = self.first.get(cell.source) if self.warm else None
        if answer is None:
            if not self._is_ready(run):
                cell.outputs = [_error("NotRun", "this cell could not be run")]
                return
            assert self.kernel is not None
            answer = self._run_on(self.kernel, cell)
        cell.outputs = [_stable(output) for output in answer.outputs]
        if answer.cut:
            run.faults.append(f"{called(cell)} shows more than a page can hold: its output is cut")
        if answer.how in FAILURES:
            what = self._lost(answer.how, cell, run)
            cell.outputs.append(_error("NotEnded", f"this cell {what}"))
            return
        self.done.append(cell)
        if answer.how == "error" and not is_unanswered(cell):
            run.faults.append(f"{called(cell)} ends in {answer.error[0]}")

    def _run_test(self, cell: NotebookNode, run: Run) -> None:
        """Run a test cell where no student's code is, and have the student's process answer its calls."""
        self._import(cell, run)
        tester, why = self._tester(), ""
        deadline = time.monotonic() + self._seconds()
        try:
            tester.link.send(b"T", cell.source)
            while (frame := tester.link.poll(TEST_SECONDS)) is not None and frame[0] != b"Z":
                seconds = max(0.1, deadline - time.monotonic())
                if frame[0] == b"N":
                    answer = self._of_model(frame[1])
                elif self._is_ready(run):
                    assert self.kernel is not None
                    answer = self.kernel.call(*frame, seconds=seconds)
                else:
                    tester.link.send(b"L", "NotRun: this test could not be run")
                    continue
                if answer.how == "ok":
                    tester.link.send(answer.kind, raw=answer.payload)
                    if frame[0] in b"MN":
                        tester.link.send(b"$", (answer.seconds, answer.megabytes))
                else:
                    what = self._lost(answer.how, cell, run)
                    tester.link.send(b"L", f"NotEnded: the test cell {what}; it calls your code")
            why = "NotRun: this test did not end" if frame is None else str(plain.loads(frame[1]))
        except (EOFError, OSError):
            why = "NotRun: this test could not be run"
        if why.startswith("NotRun"):
            tester.close()
            self.tester = None
        why = ADDRESS.sub("", why)[:5000].encode("utf-8", "replace").decode()
        cell.outputs = [_error(*why.split(": ", 1))] if why else []
        run.verdicts[grade_id(cell)] = why

    def _import(self, cell: NotebookNode, run: Run) -> None:
        """Import for the student what the check that students see imports: at home answers can rely on it."""
        seen = next(c for c in self.assignment.release.cells if c.id == cell.id)
        made = new_code_cell(names.imports(seen.source))
        if made.source and made.source not in [c.source for c in self.done] and self._is_ready(run):
            assert self.kernel is not None
            self._run_on(self.kernel, made)
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
        if key not in self.costs:
            self.costs[key] = self._model().call(b"M", payload, seconds=TEST_SECONDS)
        return self.costs[key]

    def _model(self) -> Kernel:
        """Return a process that holds the model solution, for comparisons of speed."""
        if self.model is None:
            self.model = self.for_good.enter_context(kernels.start(self.limits, trust=self.trust))
            for cell in self.assignment.model.cells:
                if cell.cell_type == "code" and not is_test(cell) and (is_locked(cell) or _defines(cell)):
                    self._run_on(self.model, cell)
        return self.model

    def _is_ready(self, run: Run) -> bool:
        """Have a process that has run all that was run before; tell whether there is one."""
        if time.monotonic() > self.deadline:
            self._close()
        if self.kernel is not None:
            return True
        while self.starts <= self.limits.restarts and time.monotonic() < self.deadline:
            self.starts += 1
            self.kernel = self.stack.enter_context(kernels.start(self.limits, trust=self.trust))
            if all(self._run_on(self.kernel, cell).how not in FAILURES for cell in self.done):
                return True
            self._close()
        self._give_up(run)
        return False

    def _run_on(self, kernel: Kernel, cell: NotebookNode) -> Answer:
        keep = sorted(names.bound(cell.source)) if is_locked(cell) else []
        answer = kernel.run(cell.source, keep=keep, seconds=self._seconds(), output=self.left)
        self.left -= answer.size
        return answer

    def _seconds(self) -> float:
        return max(0.1, min(self.limits.cell_seconds, self.deadline - time.monotonic()))

    def _give_up(self, run: Run) -> None:
        sentence = "the notebook lost too many kernels or too much time: not all of it was run"
        if sentence not in run.attention:
            run.attention.append(sentence)

    def _lost(self, how: str, cell: NotebookNode, run: Run) -> str:
        """Note whose fault a lost process is, and let it go; return what happened."""
        what = FAILURES[how].format(limits=self.limits, gigabytes=self.limits.memory / (1 << 30))
        run.faults.append(f"{called(cell)} {what}")
        if time.monotonic() > self.deadline:
            self._give_up(run)
        self._close()
        return what

    def _close(self) -> None:
        self.kernel, self.first = None, {}
        self.stack.close()


def _defines(cell: NotebookNode) -> bool:
    """Tell whether a cell only defines functions."""
    kinds = ast.FunctionDef | ast.Import | ast.ImportFrom
    return all(isinstance(node, kinds) for node in names.tree(cell.source).body)


def called(cell: NotebookNode) -> str:
    """Return how a sentence names a cell."""
    if name := grade_id(cell):
        return f"cell `{name}`"
    first = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
    return f"cell `{first[:40]}`"


def _error(name: str, value: str = "") -> NotebookNode:
    return new_output("error", ename=name, evalue=value, traceback=[f"{name}: {value}"])


def _stable(output: Any) -> Any:
    """Return an output without the addresses that differ from run to run."""
    for key in ("text", "evalue"):
        if key in output:
            output[key] = ADDRESS.sub("", output[key])
    return output
