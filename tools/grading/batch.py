"""Grade a folder of submissions: two at a time, each once, however often one is interrupted.

Each worker is a process of its own with limits on memory and time, so that what a submission does to the
grader itself ends there: in a reason for this submission, and in a new worker for the next.
"""

from __future__ import annotations

import fcntl
import hashlib
import multiprocessing
import os
import queue
import resource
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

import emvae
from tools.grading.judging import Judge
from tools.grading.reading import digest
from tools.grading.sandbox import Limits
from tools.grading.sources import FOLDER, Assignment
from tools.grading.submissions import Submission
from tools.grading.tables import FolderError

WORKERS = 2
MEMORY = 4 << 30  # bytes of a worker
READING = 120.0  # seconds beside those of the notebook: to start, to read, to write
SCRATCH = "emvae-run-"
PROCESSES = multiprocessing.get_context("forkserver")  # a worker is forked where no thread runs
PROCESSES.set_forkserver_preload(["tools.grading.batch"])


@dataclass(frozen=True)
class Batch:
    """What is to be graded, how, and where the results of each submission are kept."""

    assignments: dict[str, Assignment]
    kept: Path
    limits: Limits = field(default_factory=Limits)
    trust: bool = False

    def grade(
        self, submissions: list[Submission], say: Callable[[str], None], *, lock: str = "lock"
    ) -> list[Submission]:
        """Grade all submissions that are not graded yet; return all, in the order of the folder.

        Parameters
        ----------
        submissions : what was found.
        say : is told a line for each submission as it is done.
        lock : what no other grading of the folder may hold; shares of a folder have one each.

        Raises
        ------
        FolderError : another grading of the folder goes on.
        OSError : results cannot be written.
        """
        self.kept.mkdir(parents=True, exist_ok=True)
        with _alone(self.kept, lock), _scratch() as scratch:
            files = [self._file(submission) for submission in submissions]
            done = {i: s for i, file in enumerate(files) if (s := _load(file, submissions[i])) is not None}
            if done:
                say(f"{len(done)} of {len(submissions)} were graded before and did not change")
            free: queue.SimpleQueue[Worker] = queue.SimpleQueue()
            hired = [Worker(self, scratch) for _ in range(WORKERS)]
            for worker in hired:
                free.put(worker)
            pool = ThreadPoolExecutor(WORKERS)

            def one(submission: Submission) -> tuple[Submission, float]:
                worker, start = free.get(), time.monotonic()
                try:
                    return worker.grade(submission), time.monotonic() - start
                finally:
                    free.put(worker)

            try:
                waiting = {pool.submit(one, s): i for i, s in enumerate(submissions) if i not in done}
                for future in as_completed(waiting):
                    i = waiting[future]
                    done[i], seconds = future.result()
                    if done[i].final:
                        write(files[i], done[i].to_json())
                    say(f"[{len(done)}/{len(submissions)}] {_line(done[i])} ({seconds:.1f} s)")
                for worker in hired:
                    worker.end(patience=5)
            except KeyboardInterrupt:
                say("interrupted: make grade again goes on from here")
                raise
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
                for worker in hired:
                    worker.end()
        return [done[i] for i in range(len(submissions))]

    def _file(self, submission: Submission) -> Path:
        """Return where the result of a submission is kept: its name holds all that the result depends on."""
        who = submission.assignment.name, submission.student.id, submission.student.known
        parts = (code_state(), repr(self.limits), str(self.trust), repr(who), digest(submission.places))
        return self.kept / f"{hashlib.sha256(repr(parts).encode()).hexdigest()}.json"


class Worker:
    """A process that grades one submission after the other; where it is lost, a new one takes its place."""

    def __init__(self, batch: Batch, scratch: Path) -> None:
        self.batch, self.scratch = batch, scratch
        self.process: multiprocessing.process.BaseProcess | None = None
        self.pipe: Connection | None = None

    def grade(self, submission: Submission) -> Submission:
        """Grade a submission; where the grader fails, a person has to look."""
        limit = self.batch.limits.total_seconds + READING
        try:
            if self.pipe is None:
                self.pipe, theirs = PROCESSES.Pipe()
                self.process = PROCESSES.Process(target=_work, args=(theirs, self.batch, self.scratch))
                self.process.start()
                theirs.close()
            self.pipe.send(submission)
            if self.pipe.poll(limit):
                return submission.with_json(self.pipe.recv_bytes())
            reason = f"the grader itself needed more than {limit:g} s"
        except (EOFError, ConnectionError):
            reason = "the grader itself was ended, perhaps for its memory"
        except Exception as error:  # one submission must not end the others'
            reason = _failed(error)
        self.end()
        return replace(submission, attention=[reason], final=False)

    def end(self, patience: float = 0.0) -> None:
        """End the process with all that it started; one that has nothing to do ends itself."""
        process, pipe, self.process, self.pipe = self.process, self.pipe, None, None
        if pipe is not None:
            pipe.close()
        if process is not None and process.pid is not None:
            process.join(patience)
            _kill_family(process.pid)
            process.join()


def _work(pipe: Connection, batch: Batch, scratch: Path) -> None:
    """Grade what comes through the pipe, until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who started this ends it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    tempfile.tempdir = str(scratch)
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY if hard < 0 else min(MEMORY, hard), hard))
    others = {name: assignment.names for name, assignment in batch.assignments.items()}
    judge: Judge | None = None
    with suppress(EOFError):
        while True:
            submission: Submission = pipe.recv()
            try:
                if judge is None or judge.assignment.name != submission.assignment.name:
                    if judge is not None:
                        judge.close()
                    assignment = batch.assignments[submission.assignment.name]
                    judge = Judge(assignment, limits=batch.limits, trust=batch.trust, others=others)
                text = judge.grade(submission).to_json()
            except Exception as error:  # one submission must not end the others'
                judge = None
                text = Submission(submission.assignment, attention=[_failed(error)], final=False).to_json()
            pipe.send_bytes(text.encode("utf-8", "replace"))
    if judge is not None:
        judge.close()


def _failed(error: Exception) -> str:
    return f"the grader itself failed: {type(error).__name__}: {str(error)[:200]}"


def _end_with_parent() -> None:
    """Wait until the grader's first process ends, however it does, and take all along."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    _kill_family(os.getpid())


def _kill_family(pid: int) -> None:
    """End a process and all that it started."""
    with suppress(psutil.Error):
        first = psutil.Process(pid)
        for process in [*first.children(recursive=True), first]:
            with suppress(psutil.Error):
                process.kill()


@contextmanager
def _alone(kept: Path, name: str) -> Iterator[None]:
    """Hold the folder of results for one grading."""
    with (kept / name).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            folder = kept.parent.parent
            raise FolderError(f"{folder}: it is being graded already: wait until that ends") from error
        yield


@contextmanager
def _scratch() -> Iterator[Path]:
    """Make a folder for what this run needs, and remove those of runs that were killed."""
    place = Path(tempfile.gettempdir())
    for old in place.glob(f"{SCRATCH}*"):
        pid = old.name.removeprefix(SCRATCH).partition("-")[0]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)) and old.lstat().st_uid == os.getuid():
            shutil.rmtree(old, ignore_errors=True)
    prefix = f"{SCRATCH}{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=place, ignore_cleanup_errors=True) as made:
        yield Path(made)


def code_state() -> str:
    """Identify the grader, the package and the assignments, by their files."""
    package = Path(emvae.__file__).parent
    files = [*Path(__file__).parent.rglob("*.py"), *package.rglob("*.py"), *FOLDER.glob("*/*.ipynb")]
    digests = (hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(files))
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def write(path: Path, text: str) -> None:
    """Write a file in one step: whoever ends the process leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_bytes(text.encode("utf-8", "replace"))
        os.replace(new, path)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise


def _load(file: Path, submission: Submission) -> Submission | None:
    """Return a submission with what is kept of it; nothing where that cannot be read."""
    try:
        return submission.with_json(file.read_bytes())
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _line(found: Submission) -> str:
    points = "" if found.points is None else f", {found.points:g} points so far"
    return f"{found.assignment.name} {found.student.id}: {found.status}{points}"
