"""Files that appear under their name only when they are complete."""
from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: str | Path, data: bytes) -> None:
    """Write beside the target, then rename.

    Parameters
    ----------
    path : str or Path
    data : bytes

    Raises
    ------
    OSError
        The target is as it was before.
    """
    target = Path(path)
    handle, part = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(part, 0o666 & ~mask)
        os.replace(part, target)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
