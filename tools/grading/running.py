"""Run a mended submission: every cell gets its chance, every test cell an honest verdict."""

from __future__ import annotations

import copy
import re
import secrets
import time
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from tools.grading import kernels, names
from tools.grading.kernels import Answer, Kernel, KernelFailedError
from tools.grading.nbgraders import is_locked, is_solution, is_test, is_unanswered
from tools.grading.sandbox import Limits
from tools.grading.sources import Assignment, grade_id

GUARD = (Path(__file__).parent / "guard.py").read_text(encoding="utf-8")
START = """\
import builtins as _b, sys as _s, types as _t
_m = _t.ModuleType("_emvae_guard")
_m.__dict__["__builtins__"] = dict(vars(_b))
exec(compile({guard!r}, "<guard>", "exec"), _m.__dict__)
_m.guard = _m.Guard(get_ipython(), {modules!r})
_s.modules["_emvae_guard"] = _m
del _b, _s, _t, _m
"""
ASK = '__import__("sys").modules["_emvae_guard"].guard.'
FAILURES = {
    "time": "did not end within {limits.cell_seconds:g} s",
    "death": "ended the kernel",
    "memory": "used more memory than {gigabytes:g} GB",
    "processes": "started too many processes",
}
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@dataclass
class Run:
    """An executed submission, what went wrong in it, and what a person must look at."""

    notebook: NotebookNode
    faults: list[str] = field(default_factory=list)
    attention: list[str] = field(default_factory=list)
    verdicts: dict[str, str] = field(default_factory=dict)  # of each test cell: "" or why it failed


@dataclass(frozen=True)
class Protected:
    """Names that are the assignment's own: students read them, test cells rely on them."""

    imports: dict[str, str]
    values: frozenset[str]
    modules: list[str]

    @classmethod
    def of(cls, assignment: Assignment) -> Protected:
        """Collect them from the source; a name that the students' task binds is the students'."""
        cells = [c for c in assignment.source.cells if c.cell_type == "code"]
        ours = [c.source for c in cells if is_locked(c)]
        theirs = set[str]().union(*(names.bound(c.source) for c in cells if is_solution(c)))
        imports = {n: s for source in ours for n, s in names.imports(source).items() if n not in theirs}
        given = [c.source for c in cells if is_locked(c) and not is_test(c)]
        values = set[str]().union(*(names.bound(source) for source in given)) - theirs - imports.keys()
        modules = set[str]().union(*(names.modules(source) for source in ours))
        return cls(imports, frozenset(values), sorted(modules))


class Runner(AbstractContextManager["Runner"]):
    """Runs the cells of a submission, with a new kernel where one was lost."""

    def __init__(self, assignment: Assignment, limits: Limits, *, trust: bool) -> None:
        self.assignment = assignment
        self.limits = limits
        self.trust = trust
        self.protected = Protected.of(assignment)
        self.done: list[NotebookNode] = []  # what a new kernel must run again
        self.starts = 0
        self.kernel: Kernel | None = None
        self.stack = ExitStack()
        self.digest = ""
        self.spoilt = False
        self.deadline = 0.0

    def __exit__(self, *_: object) -> None:
        """End the kernel."""
        self._close()

    def run(self, notebook: NotebookNode) -> Run:
        """Run all cells of a notebook that holds the assignment's own test cells.

        A kernel that is there from another notebook goes on with an empty namespace: that is for notebooks
        of one's own, not for submissions.

        Raises
        ------
        KernelFailedError : this machine starts no kernel.
        """
        run = Run(copy.deepcopy(notebook))
        self.done, self.starts = [], 0
        self.deadline = time.monotonic() + self.limits.total_seconds
        if self.spoilt:
            self._close()
        elif self.kernel is not None:
            self._ask("0", run, quiet=True, _=f"{ASK}forget()")
        for cell in run.notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = []
                if cell.source.strip():
                    (self._run_test if is_test(cell) else self._run_cell)(cell, run)
        self._look_for_leaks(run)
        self.spoilt = bool(run.attention)
        return run

    def _run_cell(self, cell: NotebookNode, run: Run) -> None:
        """Run a cell that gives no points; its failure is the submission's fault, not its end."""
        answer = self._ask(cell.source, run)
        if answer is None:
            cell.outputs = [_error("NotRun", "this cell could not be run")]
            return
        cell.outputs = [_stable(output) for output in answer.outputs]
        if answer.cut:
            run.faults.append(f"{called(cell)} shows more than a page can hold: its output is cut")
        if answer.how in FAILURES:
            self._lost(answer, cell, run)
            return
        self.done.append(cell)
        if answer.how == "error" and not is_unanswered(cell):
            run.faults.append(f"{called(cell)} ends in {answer.error[0]}")
        if self.kernel is not None:
            self._remember(self.kernel, cell)

    def _run_test(self, cell: NotebookNode, run: Run) -> None:
        """Run a test cell; it has passed if its last line was reached and nothing was tampered with."""
        name, nonce = grade_id(cell), secrets.token_hex(8)
        reads = sorted(names.read(cell.source) - names.bound(cell.source))
        imports = {n: s for n, s in self.protected.imports.items() if n in reads}
        before = self._look_first(run, restored=f"{ASK}prepare({reads!r}, {imports!r})")
        answer = self._ask(f"{cell.source}\n_emvae_verdict = {nonce!r}", run)
        lost = answer is not None and answer.how in FAILURES
        after = None if lost else self._look(run, last=f"{ASK}verdict()")
        if answer is None or before is None or (after is None and not lost):
            why = "NotRun: this test could not be run"
        elif lost:
            why = f"NotEnded: the test cell {self._failure(answer)}; it calls your code"
            self._lost(answer, cell, run)
        elif answer.how == "error":
            why = ADDRESS.sub("", ": ".join(answer.error))
        elif after is None or after.values.get("last") != nonce:
            why = "NotEnded: your code ended the test before its last line"
        else:
            why = ""
        for name_ in (before.values.get("restored") or ()) if before else ():
            fault = f"the notebook gives `{name_}` another meaning: test cells ran with the assignment's own"
            if fault not in run.faults:
                run.faults.append(fault)
        if before is not None and (tampered := self._tampered(before, after)):
            why = f"Tampered: {tampered} is not what it was"
            sentence = f"{tampered} was changed by the notebook: test cells cannot be trusted"
            if sentence not in run.attention:
                run.attention.append(sentence)
        cell.outputs = [_error(*why.split(": ", 1))] if why else []
        run.verdicts[name] = why

    def _look_first(self, run: Run, **expressions: str) -> Answer | None:
        """Ask the guard before a test; a kernel lost by then is the fault of the cell before it."""
        answer = self._look(run, **expressions)
        if answer is not None and answer.how in FAILURES and self.done:
            theirs = next((c for c in reversed(self.done) if not is_locked(c)), self.done[-1])
            self.done.remove(theirs)
            self._lost(answer, theirs, run)
            answer = self._look(run, **expressions)
        return answer

    def _tampered(self, before: Answer, after: Answer | None) -> str:
        """Name what was changed, or return nothing."""
        for answer in (before, after):
            if answer is not None and answer.how not in FAILURES:
                state = answer.values.get("state")
                if "restored" in answer.values and answer.values["restored"] is None:
                    return "the guard"
                if not state or state[0] != self.digest or state[1]:
                    return ", ".join(f"`{name}`" for name in state[1]) if state and state[1] else "the kernel"
        return ""

    def _ask(self, code: str, run: Run, *, quiet: bool = False, **expressions: str) -> Answer | None:
        """Ask the kernel, or return None where there is none any more and none can be had."""
        if time.monotonic() > self.deadline:
            self._close()
        if self.kernel is None and not self._start(run):
            return None
        assert self.kernel is not None
        return self.kernel.ask(code, quiet=quiet, seconds=self._seconds(), **expressions)

    def _look(self, run: Run, **expressions: str) -> Answer | None:
        """Ask the guard, between two cells."""
        return self._ask("0", run, quiet=True, **expressions, state=f"{ASK}state()")

    def _seconds(self) -> float:
        return max(0.1, min(self.limits.cell_seconds, self.deadline - time.monotonic()))

    def _start(self, run: Run) -> bool:
        """Start a kernel and bring it to where the last one was lost."""
        while self.starts <= self.limits.restarts and time.monotonic() < self.deadline:
            self.starts += 1
            self.kernel = self.stack.enter_context(kernels.start(self.limits, trust=self.trust))
            code = START.format(guard=GUARD, modules=self.protected.modules)
            answer = self.kernel.ask(code, quiet=True, seconds=kernels.READY, state=f"{ASK}state()")
            if answer.how != "ok" or not answer.values.get("state"):
                raise KernelFailedError(f"the guard did not start in the kernel: {answer.error}")
            self.digest = answer.values["state"][0]
            if all(self._run_again(self.kernel, cell) for cell in self.done):
                return True
            self._close()
        self._give_up(run)
        return False

    def _give_up(self, run: Run) -> None:
        sentence = "the notebook lost too many kernels or too much time: not all of it was run"
        if sentence not in run.attention:
            run.attention.append(sentence)

    def _run_again(self, kernel: Kernel, cell: NotebookNode) -> bool:
        """Run a cell that has ended before; tell whether it ends again."""
        ended = kernel.ask(cell.source, seconds=self._seconds()).how not in FAILURES
        self._remember(kernel, cell)
        return ended

    def _remember(self, kernel: Kernel, cell: NotebookNode) -> None:
        """Have the guard take what a cell of the assignment's own has bound for its own."""
        if is_locked(cell):
            owned = sorted(names.bound(cell.source) & self.protected.values)
            kernel.ask("0", quiet=True, seconds=self._seconds(), _=f"{ASK}remember({owned!r})")

    def _lost(self, answer: Answer, cell: NotebookNode, run: Run) -> None:
        """Note whose fault a lost kernel is, and let it go."""
        what = self._failure(answer)
        run.faults.append(f"{called(cell)} {what}")
        if time.monotonic() > self.deadline:
            self._give_up(run)
        if not is_test(cell):
            cell.outputs = [*cell.outputs, _error("NotEnded", f"this cell {what}")]
        self._close()

    def _close(self) -> None:
        self.kernel = None
        self.stack.close()

    def _failure(self, answer: Answer) -> str:
        return FAILURES[answer.how].format(limits=self.limits, gigabytes=self.limits.memory / (1 << 30))

    def _look_for_leaks(self, run: Run) -> None:
        """See whether an output repeats a line of a hidden test."""
        outputs = [out for c in run.notebook.cells if c.cell_type == "code" for out in c.outputs]
        shown = "\n".join(str(out.get(key, "")) for out in outputs for key in ("text", "data", "evalue"))
        if any(line in shown for line in self.assignment.hidden_lines):
            run.attention.append("an output repeats a hidden test: look before the feedback goes out")


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
