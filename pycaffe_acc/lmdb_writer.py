"""Writing records into a new LMDB."""
from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pycaffe_acc.errors import CheckError, MissingExtraError

try:
    import lmdb
except ImportError:
    lmdb = None  # type: ignore[assignment]

#: records, and bytes, written in one transaction
_BATCH, _BATCH_BYTES = 1000, 64 << 20
_FIRST_MAP_BYTES = 16 << 20


class LmdbWriter:
    """Puts records into an open environment, many in a transaction; `new_lmdb` makes one.

    Parameters
    ----------
    environment : lmdb.Environment
    path : str
        For messages.
    """

    def __init__(self, environment: Any, path: str):
        self._environment = environment
        self._path = path
        self._waiting: list[tuple[bytes, bytes]] = []
        self._bytes = 0
        self._map_bytes = _FIRST_MAP_BYTES

    def put(self, key: str, value: bytes) -> None:
        """Add a record; one with the same key replaces it.

        Parameters
        ----------
        key : str
            Written as UTF-8; records are read in order of these bytes.
        value : bytes

        Raises
        ------
        CheckError
            For a key that LMDB does not take, or when the database cannot be written.
        """
        data = key.encode("utf-8", "surrogateescape")
        longest = self._environment.max_key_size()
        if not 0 < len(data) <= longest:
            raise CheckError(f"the key '{key[:60]}…' for '{self._path}' has {len(data)} bytes; LMDB takes 1 to {longest}. Shorten the file names, "
                             "for instance by a longer root folder")
        self._waiting.append((data, value))
        self._bytes += len(value)
        if len(self._waiting) >= _BATCH or self._bytes >= _BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what waits.

        Raises
        ------
        CheckError
        """
        while self._waiting:
            try:
                with self._environment.begin(write=True) as transaction:
                    for key, value in self._waiting:
                        transaction.put(key, value)
                self._waiting.clear()
                self._bytes = 0
            except lmdb.MapFullError:  # the transaction is undone; LMDB's size is fixed until told otherwise
                self._map_bytes *= 2
                self._environment.set_mapsize(self._map_bytes)
            except lmdb.Error as e:
                raise CheckError(f"the LMDB '{self._path}' could not be written: {e}") from e


@contextmanager
def new_lmdb(path: str | os.PathLike[str]) -> Iterator[LmdbWriter]:
    """A database that gets its name when the block ends without an exception; otherwise nothing of it stays.

    Parameters
    ----------
    path : str or Path
        Its folder, which must not exist yet.

    Yields
    ------
    LmdbWriter

    Raises
    ------
    MissingExtraError
        Without the package lmdb.
    CheckError
        When the folder exists already, or cannot be written.
    """
    if lmdb is None:
        raise MissingExtraError("writing an LMDB needs the package lmdb: pip install 'pycaffe-acc[data]'")
    target = Path(path)
    if target.exists() or target.is_symlink():
        raise CheckError(f"'{target}' exists already; a database is made anew. Remove it, or choose another name")
    if not target.absolute().parent.is_dir():
        raise CheckError(f"'{target}' cannot be made: the folder '{target.parent}' does not exist")
    part = Path(tempfile.mkdtemp(prefix=f".{target.name[:100]}.", suffix=".part", dir=target.parent))
    try:
        try:
            # what is not whole is thrown away, so nothing has to reach the disk before the end
            environment = lmdb.open(str(part), map_size=_FIRST_MAP_BYTES, sync=False)
        except lmdb.Error as e:
            raise CheckError(f"the LMDB '{target}' could not be made: {e}") from e
        try:
            writer = LmdbWriter(environment, str(target))
            yield writer
            writer.flush()
            environment.sync(True)
        finally:
            environment.close()
        mask = os.umask(0)
        os.umask(mask)
        part.chmod(0o777 & ~mask)  # mkdtemp's folders are private; the result should be like any other
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
