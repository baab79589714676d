"""Files that are whole or absent."""

import os
from contextlib import suppress
from pathlib import Path


def replace_file(path: str | os.PathLike[str], data: bytes | memoryview) -> None:
    """Replace a file in one step: whoever ends the process leaves the old file or the new one.

    The bytes go to a neighbour first and are on the disk before it takes the file's name.

    Raises
    ------
    OSError : the disk is full, or the folder is missing or not writable; the old file is untouched.
    """
    path = Path(path)
    neighbour = path.with_name(f"{path.name}.tmp")
    try:
        with neighbour.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(neighbour, path)
    except BaseException:
        with suppress(OSError):
            neighbour.unlink()
        raise
