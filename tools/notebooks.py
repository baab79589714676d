"""Execute notebooks in place and strip what tells of the machine: the only way outputs are made.

``make notebooks`` calls this for all, ``make notebooks NB=book/1-responsibilities.ipynb`` for one.
A notebook that fails is left as it was.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import ipykernel.kernelspec
import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "name": "python", "pygments_lexer": "ipython3"},
}


class ThisPython(KernelSpecManager):
    """Whatever kernels the machine has, the one of the running interpreter."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the kernel of this environment under any name."""
        quiet = ["--log-level=ERROR"]  # it warns of its own choice of transport
        command = ipykernel.kernelspec.get_kernel_dict(extra_arguments=quiet)
        return KernelSpec(resource_dir=ipykernel.kernelspec.RESOURCES, **command)


def strip(notebook: nbformat.NotebookNode) -> None:
    """Remove timings, versions and whatever else changes from run to run."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        cell.metadata.pop("collapsed", None)


def execute(path: Path) -> None:
    """Execute one notebook, and replace it only when all its cells have run."""
    notebook = nbformat.read(path, as_version=4)
    manager = AsyncKernelManager(kernel_spec_manager=ThisPython())
    client = NotebookClient(
        notebook, km=manager, timeout=None, resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()
    strip(notebook)
    nbformat.validate(notebook)
    new = path.with_suffix(".new")
    nbformat.write(notebook, new)
    os.replace(new, path)


def main(names: list[str]) -> int:
    """Execute the named notebooks; the exit status counts those that failed."""
    failed = 0
    for name in names:
        start = time.perf_counter()
        try:
            execute(Path(name))
        except CellExecutionError as error:
            failed += 1
            print(f"{name}: left as it was\n{error}", file=sys.stderr)
        else:
            print(f"{name}: {time.perf_counter() - start:.0f} s")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
