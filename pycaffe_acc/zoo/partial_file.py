"""A file on its way: it has its name with `.part` behind it until it is whole and checked."""
from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from pycaffe_acc.zoo.errors import DownloadError

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be replaced in any case
    fcntl = None  # type: ignore[assignment]


class PartialFile:
    """Bytes received so far, kept between processes so that a download can go on; one process at a time.

    Parameters
    ----------
    target : pathlib.Path
        The final name; its folder must exist.

    Raises
    ------
    DownloadError
        When another process is at it.
    """

    def __init__(self, target: Path):
        self.target = target
        self.path = target.with_name(target.name + ".part")

    def __enter__(self) -> PartialFile:
        while True:
            self._file = open(self.path, "ab")
            if fcntl is None:
                return self
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as e:
                self._file.close()
                raise DownloadError(f"another process is downloading '{self.target}'; wait until it has finished") from e
            # whoever had the lock may have renamed or removed the file that was just opened
            if self.path.exists() and os.path.samestat(os.fstat(self._file.fileno()), self.path.stat()):
                return self
            self._file.close()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file.closed:
            return
        empty = self.size == 0
        if fcntl is None:
            self._file.close()
        if empty:
            self.path.unlink(missing_ok=True)
        self._file.close()

    @property
    def size(self) -> int:
        """Bytes so far."""
        self._file.flush()
        return os.fstat(self._file.fileno()).st_size

    def clear(self) -> None:
        """Forget what was received."""
        self._file.flush()
        self._file.truncate(0)

    def append(self, data: bytes) -> None:
        """Add bytes at the end."""
        self._file.write(data)

    def finish(self) -> Path:
        """Give the file its final name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        if fcntl is None:
            self._file.close()
        os.replace(self.path, self.target)
        self._file.close()
        return self.target
