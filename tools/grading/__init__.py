"""Assignments from release to grades, around nbgrader.

nbgrader marks cells and makes the student's version. Here is what surrounds it. A submission's way:
``collecting`` (whose, when) -> ``batch`` (a worker for it) -> ``judging``, which has it read (``reading``),
brought into form (``mending``) and run (``kernels`` behind ``sandbox``; test cells in ``testing``, where no
code of a student is) -> ``tables`` and ``pages``. One record goes with it, ``submissions.Submission``.
"""

import sys

# jsonschema would read a grammar of addresses for two seconds in each process; nothing here is checked by it
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
