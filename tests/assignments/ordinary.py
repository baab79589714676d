"""Run this Python as an ordinary user, where root runs the tests."""

import os
import subprocess
import sys
from pathlib import Path

USER = 31_337  # an id that is nobody's: no account is made, none is used
HERE = Path(__file__).parents[2]


def run(*arguments, home):
    """Run Python in the repository as a user without any right; return how it ended, with what it printed.

    A clone or a Python below root's own folders is out of such a user's reach: bubblewrap shows it there, in
    an empty folder that is put in the closed one's place. Of the machine itself nothing changes.

    Parameters
    ----------
    home : an empty folder, the user's own from here on.
    """
    os.chown(home, USER, USER)
    shown = {
        HERE: "--ro-bind",
        Path(sys.prefix): "--ro-bind",
        Path(sys.base_prefix): "--ro-bind",
        home: "--bind",
    }
    opened = ["bwrap", "--dev-bind", "/", "/", "--die-with-parent", "--cap-add", "ALL"]
    for closed in sorted({closed for path in shown for closed in _closed(path)}):
        opened += ["--perms", "0755", "--tmpfs", str(closed)]
    for path, how in shown.items():
        for parent in (p for p in reversed(path.parents) for closed in _closed(path) if closed in p.parents):
            opened += ["--perms", "0755", "--dir", str(parent)]
        opened += [how, str(path), str(path)]
    user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all"]
    environment = {"PATH": os.environ["PATH"], "HOME": home, "TMPDIR": home, "USER": "lecturer"}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "CI": os.environ.get("CI", "")}
    command = [*opened, "--chdir", str(HERE), "--", *user, sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=540)


def _closed(path):
    """Return the outermost folder on the way to a path that others may not enter, or nothing."""
    return [parent for parent in reversed(path.parents) if not parent.stat().st_mode & 0o001][:1]
