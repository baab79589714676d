"""Lock a process in: no network, no files but Python's and its own, limits on memory, processes and files.

With bubblewrap the process has its own file system, process, network and user-id spaces, and a filter of
system calls (``seccomp``). All that it can write is memory of a bounded size: nothing of the host's disk is
writable from inside, and no path inside leads out. Started by root it runs under a user id of its own, since
the limit on processes does not bind root. Without bubblewrap (trusted submissions alone) the limits hold, the
walls do not.
"""

from __future__ import annotations

import functools
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib
import matplotlib.font_manager
import psutil

import emvae
from tools.grading import seccomp

HOME = "/home/student"
WRITABLE = ("/tmp", HOME, "/dev/shm")  # inside: file systems in memory, each of at most Limits.disk
INSTALL = "on Debian and Ubuntu: apt-get install bubblewrap"
CONFINE = """\
import contextlib, json, os, resource, sys
given = json.load(sys.stdin)
with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
    file.write("1000")
for name, most in given["limits"].items():
    resource.setrlimit(getattr(resource, "RLIMIT_" + name), (most, most))
if given["user"]:
    os.setgroups([])
    os.setgid(given["user"])
    os.setuid(given["user"])
for descriptor in given["descriptors"]:
    os.set_inheritable(descriptor, False)
given = given["given"]
"""


class NoSandboxError(RuntimeError):
    """Submissions cannot be isolated on this machine; the message says what to do."""


@dataclass(frozen=True)
class Limits:
    """What a submission may use."""

    cell_seconds: float = 60.0
    total_seconds: float = 600.0
    memory: int = 3 << 30
    file: int = 64 << 20
    disk: int = 256 << 20
    processes: int = 64
    output: int = 1 << 20
    restarts: int = 6


@contextmanager
def start(
    code: str,
    given: Mapping[str, Any] | None = None,
    *,
    limits: Limits,
    trust: bool = False,
    descriptors: Iterable[int] = (),
    output: int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run code in this Python, locked in unless trusted; end it with all that it started.

    Parameters
    ----------
    code : what to run; it finds ``given``.
    given : plain data (of JSON) for the code.
    limits : on memory, files and processes.
    trust : do without bubblewrap.
    descriptors : open files and sockets that the process inherits, under the same numbers.
    output : where what it prints goes, errors included: a file, or subprocess.PIPE.
    """
    inherited = list(descriptors)
    user = 0 if trust or os.geteuid() != 0 else 70_000 + secrets.randbelow(50_000)
    told = {"user": user, "limits": _rlimits(limits, trust), "descriptors": inherited, "given": given or {}}
    run = [sys.executable, "-c", CONFINE + code]
    with ExitStack() as stack:
        if trust:
            made = tempfile.TemporaryDirectory(prefix="emvae-", ignore_cleanup_errors=True)
            home = stack.enter_context(made)
        else:
            home, rules = HOME, _pipe_of(seccomp.program())
            stack.callback(os.close, rules)
            run = [*_walls(limits), "--seccomp", str(rules), "--", *run]
            inherited = [*inherited, rules]
        process = subprocess.Popen(
            run,
            env=environment(home),
            cwd=home if trust else "/",
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=inherited,
        )
        if process.stdout is not None:
            stack.enter_context(process.stdout)
        stack.callback(_end, process)
        assert process.stdin is not None
        with suppress(BrokenPipeError), process.stdin as stdin:  # it may have ended already
            stdin.write(json.dumps(told).encode())
        yield process


def excess(process: subprocess.Popen[bytes], limits: Limits) -> Literal["memory", "processes"] | None:
    """Say which limit a process and all that it started are beyond, all together.

    Memory is what they hold alone or share among themselves, and the files in memory that they wrote, a
    thousand bytes for each one's name. The filter of system calls sees to it that there is no other.
    """
    with suppress(psutil.Error):
        family = [psutil.Process(process.pid)]
        family += family[0].children(recursive=True)
        if len(family) > limits.processes // 2:  # the hard limit holds them at twice as many
            return "processes"
        if sum(map(_memory, family)) + _files(family) > limits.memory:
            return "memory"
    return None


def _memory(process: psutil.Process) -> int:
    """Return a process's private memory in bytes; pages that several share count for each by its part."""
    with suppress(OSError, KeyError, ValueError):
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
        kilobytes = {line.split()[0]: int(line.split()[1]) for line in lines[1:]}
        return 1024 * (kilobytes["Pss_Anon:"] + kilobytes["SwapPss:"])
    with suppress(psutil.Error):  # an old Linux, or another system
        return int(process.memory_info().rss)
    return 0


def _files(family: Iterable[psutil.Process]) -> int:
    """Return the bytes that the inside's file systems in memory hold, as one of the family sees them."""
    for process in family:
        inside = f"/proc/{process.pid}/root"
        with suppress(OSError):
            if os.stat(inside).st_dev != os.stat("/").st_dev:
                held = [os.statvfs(inside + folder) for folder in WRITABLE]
                return sum(
                    (s.f_blocks - s.f_bfree) * s.f_frsize + (s.f_files - s.f_ffree) * 1000 for s in held
                )
    return 0


def _rlimits(limits: Limits, trust: bool) -> dict[str, int]:
    """Return the limits that the system itself holds, for each process.

    All mapped addresses are bounded, too, far from honest work: their tables are memory that nobody counts.
    """
    most = {"DATA": limits.memory, "FSIZE": limits.file, "CORE": 0}
    if trust:  # a user's other processes would count
        return most
    return {**most, "AS": 8 * limits.memory, "NOFILE": 512, "NPROC": limits.processes}


def _pipe_of(data: bytes) -> int:
    """Return the end of a pipe that holds data."""
    end, begin = os.pipe()
    with os.fdopen(begin, "wb") as file:
        file.write(data)
    return end


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process with all that it started; bubblewrap's first process takes the others along."""
    family = []
    with suppress(psutil.Error):
        family = psutil.Process(process.pid).children(recursive=True)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for child in family:
        with suppress(psutil.Error):
            child.kill()
    process.wait()


def environment(home: str) -> dict[str, str]:
    """Return the environment of a kernel: one thread, nothing of the caller's."""
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    return {
        "HOME": home,
        "USER": "student",
        "LANG": "C.UTF-8",
        "EMVAE_BOOK": os.environ.get("EMVAE_BOOK", ""),
        "PATH": "/usr/bin:/bin",
        "MPLCONFIGDIR": f"{home}/matplotlib",
        "IPYTHONDIR": f"{home}/ipython",
        "PYTHONHASHSEED": "0",
        "MALLOC_MMAP_THRESHOLD_": str(1 << 20),  # a large array goes back to the system: what is held is seen
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        **threads,
    }


@functools.cache
def check() -> None:
    """Try the walls once.

    Raises
    ------
    NoSandboxError : bubblewrap is missing, or this machine does not let it work.
    """
    if shutil.which("bwrap") is None:
        raise NoSandboxError(
            f"bubblewrap is not installed, and submissions are strangers' code: install it ({INSTALL}), "
            "or, where you trust every student, grade without it: make grade ... TRUST=1"
        )
    with start("import numpy", limits=Limits(), output=subprocess.PIPE) as tried:
        assert tried.stdout is not None
        said = tried.stdout.read().decode(errors="replace").strip().splitlines()[-1:]
        if tried.wait() != 0:
            raise NoSandboxError(
                f"bubblewrap does not work here ({said}): let users make namespaces "
                "(sysctl kernel.unprivileged_userns_clone=1; on Ubuntu "
                "kernel.apparmor_restrict_unprivileged_userns=0), or, where you trust every student, "
                "grade without it: make grade ... TRUST=1"
            )


def _walls(limits: Limits) -> list[str]:
    """Return the call of bubblewrap: nothing that it shows can be written but the file systems in memory."""
    root = os.geteuid() == 0
    apart = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    if root:  # a user id of its own comes later, by CONFINE; nothing else is left of root's powers
        apart += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    walls = [shutil.which("bwrap") or "bwrap", *(apart if root else ["--unshare-all"])]
    walls += ["--die-with-parent", "--new-session", *_system(), "--proc", "/proc", "--dev", "/dev"]
    walls += ["--dev-bind", "/dev/full", "/dev/zero"]  # reads alike; mapped, zero is uncounted memory
    walls += ["--ro-bind-try", "/dev/null", "/proc/keys"]
    for folder in WRITABLE:  # before Python is shown, which may lie below one of them
        walls += ["--perms", "1777", "--size", str(limits.disk), "--tmpfs", folder]
    made = set[Path]()
    for path in _python():
        for parent in reversed([p for p in path.parents if p not in made and p != Path("/")]):
            made.add(parent)
            walls += ["--perms", "0755", "--dir", str(parent)]
        walls += ["--ro-bind", str(path), str(path)]
    walls += ["--perms", "0777", "--dir", f"{HOME}/matplotlib"]
    fonts = f"fontlist-v{matplotlib.font_manager.FontManager.__version__}.json"  # minutes to make anew
    walls += ["--ro-bind-try", f"{matplotlib.get_cachedir()}/{fonts}", f"{HOME}/matplotlib/{fonts}"]
    return [*walls, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", HOME]


def _system() -> list[str]:
    """Return what the inside sees of the system: programs and libraries, nothing of its settings."""
    seen = ["--ro-bind", "/usr", "/usr"]
    for name in ("lib", "lib32", "lib64", "bin", "sbin"):
        path = Path("/") / name
        if path.is_symlink():
            seen += ["--symlink", str(path.readlink()), str(path)]
        elif path.exists():
            seen += ["--ro-bind", str(path), str(path)]
    seen += ["--perms", "0755", "--dir", "/etc"]
    for name in ("ld.so.cache", "alternatives", "fonts", "localtime"):
        seen += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    return seen


def _python() -> list[Path]:
    """Return the folders of this Python, its packages, emvae and the inside's own code: none holds a test."""
    prefix = Path(sys.prefix)
    parts = [prefix / name for name in ("bin", "lib", "lib64", "pyvenv.cfg", "share")]
    base = [Path(sys.base_prefix), Path(sys.executable).resolve().parent.parent]
    wanted = [*base, *parts, Path(emvae.__file__).parent, Path(__file__).parent / "inside"]
    return [p for p in dict.fromkeys(wanted) if p.exists() and not p.is_relative_to("/usr")]
