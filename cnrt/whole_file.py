"""Files that appear under their name only when they are whole."""
from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary name beside `path`, which becomes `path` when the block ends without an exception and is removed otherwise.

    Parameters
    ----------
    path : str or Path

    Yields
    ------
    Path
        An existing, empty file to write to.

    Raises
    ------
    OSError
        When the folder does not exist or cannot be written.
    """
    target = Path(path)
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".part", dir=target.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        mask = os.umask(0)
        os.umask(mask)
        part.chmod(0o666 & ~mask)  # mkstemp's files are private; the result should be like any other
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
