"""Grade a folder of submissions: two at a time, each once, however often one is interrupted."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbformat import NotebookNode

import emvae
from tools.grading.collecting import Collected, Submission
from tools.grading.judging import Judge
from tools.grading.results import Result, result_of
from tools.grading.sandbox import Limits
from tools.grading.sources import Assignment

Done = tuple[Result, NotebookNode | None]


@dataclass(frozen=True)
class Batch:
    """What is to be graded and where the results of each submission are kept."""

    collected: Collected
    assignments: dict[str, Assignment]
    kept: Path
    limits: Limits = field(default_factory=Limits)
    trust: bool = False
    others: dict[str, set[str]] | None = None

    def grade(self, say: Callable[[str], None], *, workers: int = 2) -> list[Done]:
        """Grade all submissions that are not graded yet; return all results, in the order of the folder.

        Parameters
        ----------
        say : is told a line for each submission as it is done.
        workers : how many run at a time.
        """
        self.kept.mkdir(parents=True, exist_ok=True)
        submissions, state = self.collected.submissions, self._state()
        files = [self.kept / f"{_digest(state, s.assignment, s.digest)}.json" for s in submissions]
        done = {i: _load(file) for i, file in enumerate(files) if file.exists()}
        if done:
            say(f"{len(done)} of {len(submissions)} were graded before and did not change")
        judges = {name: _Judges(self, name) for name in self.assignments}
        pool = ThreadPoolExecutor(workers)
        try:
            waiting = {
                pool.submit(_grade, s, judges[s.assignment], files[i]): i
                for i, s in enumerate(submissions)
                if i not in done
            }
            for future in as_completed(waiting):
                done[waiting[future]], seconds = future.result()
                say(f"[{len(done)}/{len(submissions)}] {_line(done[waiting[future]][0])} ({seconds:.1f} s)")
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for kernel in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    kernel.kill()
            say("interrupted: make grade again goes on from here")
            os._exit(130)  # without waiting for those that run
        pool.shutdown()
        return [done[i] for i in range(len(submissions))]

    def _state(self) -> str:
        """Identify all that a grade depends on beside the submission."""
        return _digest(code_state(), repr(self.limits), str(self.trust))


class _Judges:
    """The judge of one assignment, made when it is first needed."""

    def __init__(self, batch: Batch, name: str) -> None:
        self.batch, self.name = batch, name
        self.lock = threading.Lock()
        self.judge: Judge | None = None

    def get(self) -> Judge:
        """Return the judge."""
        batch = self.batch
        with self.lock:
            if self.judge is None:
                self.judge = Judge(
                    batch.assignments[self.name], limits=batch.limits, trust=batch.trust, others=batch.others
                )
        return self.judge


def code_state() -> str:
    """Identify the grader, the package and the assignments, by their files."""
    here, package = Path(__file__).parent, Path(emvae.__file__).parent
    sources = here.parents[1] / "book" / "assignments"
    files = [*here.glob("*.py"), *package.rglob("*.py"), *sources.glob("*/*.ipynb")]
    return _digest(*(hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(files)))


def _grade(submission: Submission, judges: _Judges, file: Path) -> tuple[Done, float]:
    """Grade one submission and keep the result; where the grader fails, a person has to look."""
    start = time.monotonic()
    try:
        result, marked = result_of(submission, judges.get())
    except Exception as error:  # one submission must not end the others'
        reason = f"the grader itself failed: {type(error).__name__}: {str(error)[:200]}"
        who = submission.assignment, submission.student.student
        result, marked = Result(*who, "needs-attention", [reason], file=submission.place, final=False), None
    notebook = None if marked is None else marked.notebook
    if result.final:
        record = {"result": result.to_json(), "notebook": notebook}
        write(file, json.dumps(record, sort_keys=True))
    return (result, notebook), time.monotonic() - start


def write(path: Path, text: str) -> None:
    """Write a file in one step: whoever ends the process leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8", newline="")
    os.replace(new, path)


def _load(file: Path) -> Done:
    record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    notebook = record["notebook"] and nbformat.from_dict(record["notebook"])
    return Result.from_json(record["result"]), notebook


def _line(result: Result) -> str:
    points = sum(grade.points or 0.0 for grade in result.grades)
    shown = f", {points:g} points so far" if result.grades else ""
    return f"{result.assignment} {result.student}: {result.status}{shown}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
