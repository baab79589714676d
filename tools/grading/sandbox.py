"""Lock a kernel in: no network, no files but Python's and its own, limits on memory, processes and files.

With bubblewrap the kernel has its own file system, process, network and user-id spaces. Started by root it
runs under a user id of its own, since the limit on processes does not bind root. Without bubblewrap (trusted
submissions alone) the limits hold, the walls do not.
"""

from __future__ import annotations

import functools
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import matplotlib.font_manager

import emvae

HOME = "/home/student"
INSTALL = "on Debian and Ubuntu: apt-get install bubblewrap"
LAUNCH = """\
import os, resource, sys
user, data, file, processes = map(int, sys.argv[1:5])
for what, most in ((resource.RLIMIT_DATA, data), (resource.RLIMIT_FSIZE, file), (resource.RLIMIT_CORE, 0)):
    resource.setrlimit(what, (most, most))
if user:
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
if processes:
    resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
os.execv(sys.argv[5], sys.argv[5:])
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


def command(arguments: Iterable[str], sockets: Path, limits: Limits, *, trust: bool) -> list[str]:
    """Return the command that runs this Python with these arguments, locked in unless trusted.

    Parameters
    ----------
    arguments : of the Python interpreter.
    sockets : the one folder that the inside shares with the outside, seen there as /io.
    limits : on memory, files and processes.
    trust : do without bubblewrap.
    """
    user = 0 if trust or os.geteuid() != 0 else 70_000 + secrets.randbelow(50_000)
    processes = 0 if trust else limits.processes  # a user's other processes would count
    numbers = [str(n) for n in (user, limits.memory, limits.file, processes)]
    python = [sys.executable, "-I", "-S", "-c", LAUNCH, *numbers, sys.executable, *arguments]
    return python if trust else [*_walls(sockets, limits), "--", *python]


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
    tried = command(["-c", "import numpy"], Path("/nonexistent"), Limits(), trust=False)
    ran = subprocess.run(tried, capture_output=True, text=True, timeout=60)
    if ran.returncode != 0:
        raise NoSandboxError(
            f"bubblewrap does not work here ({ran.stderr.strip().splitlines()[-1:]}): let users make "
            "namespaces (sysctl kernel.unprivileged_userns_clone=1), or, where you trust every student, "
            "grade without it: make grade ... TRUST=1"
        )


def _walls(sockets: Path, limits: Limits) -> list[str]:
    """Return the call of bubblewrap."""
    root = os.geteuid() == 0
    apart = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    if root:  # a user id of its own comes later, by LAUNCH; nothing else is left of root's powers
        apart += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    walls = ["bwrap", *(apart if root else ["--unshare-all"]), "--die-with-parent", "--new-session"]
    walls += ["--clearenv"]
    for name, value in environment(HOME).items():
        walls += ["--setenv", name, value]
    walls += _system()
    walls += ["--proc", "/proc", "--dev", "/dev"]
    for folder in ("/tmp", HOME, "/dev/shm"):  # before Python is shown, which may lie below one of them
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
    return [*walls, "--bind-try", str(sockets), "/io", "--chdir", HOME]


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
    """Return the folders of this Python, of its packages and of emvae: none of them holds a test."""
    prefix = Path(sys.prefix)
    parts = [prefix / name for name in ("bin", "lib", "lib64", "pyvenv.cfg", "share")]
    base = [Path(sys.base_prefix), Path(sys.executable).resolve().parent.parent]
    wanted = [*base, *parts, Path(emvae.__file__).parent]
    return [p for p in dict.fromkeys(wanted) if p.exists() and not p.is_relative_to("/usr")]
