"""Walking through the records of an LMDB."""
from __future__ import annotations

import os
import weakref

from pycaffe_acc.errors import CheckError, MissingExtraError, MissingFileError

try:
    import lmdb
except ImportError:
    lmdb = None  # type: ignore[assignment]


class LmdbDatabase:
    """An open environment. LMDB refuses to open one twice in a process, so `open_lmdb` shares them."""

    def __init__(self, path: str):
        self.path = path
        try:
            # no lock: a reader must work on read-only media
            self.environment = lmdb.open(path, readonly=True, lock=False, subdir=os.path.isdir(path), max_readers=512)
        except lmdb.Error as e:
            raise CheckError(f"'{path}' could not be opened as an LMDB: {e}; it must be the folder that holds data.mdb") from e


_open: weakref.WeakValueDictionary[str, LmdbDatabase] = weakref.WeakValueDictionary()


def open_lmdb(path: str) -> LmdbDatabase:
    """The environment at `path`.

    Raises
    ------
    MissingExtraError
        Without the package lmdb.
    MissingFileError, CheckError
    """
    if lmdb is None:
        raise MissingExtraError("reading an LMDB needs the package lmdb: pip install pycaffe-acc[data]")
    if not os.path.exists(path):
        raise MissingFileError(path, "LMDB")
    key = os.path.realpath(path)
    database = _open.get(key)
    if database is None:
        database = _open[key] = LmdbDatabase(key)
    return database


class LmdbCursor:
    """The values in order of their keys, starting again at the end.

    Parameters
    ----------
    path : str

    Raises
    ------
    CheckError
        When there is no record; and as `open_lmdb`.
    """

    def __init__(self, path: str):
        self.path = path
        self._database = open_lmdb(path)
        self._transaction = self._database.environment.begin()
        self._cursor = self._transaction.cursor()
        if not self._cursor.first():
            raise CheckError(f"the LMDB '{path}' is empty; it must hold at least one record")

    @property
    def key(self) -> str:
        """The current record's key, for messages."""
        return bytes(self._cursor.key()).decode("utf-8", "replace")

    def value(self) -> bytes:
        """The current record."""
        return bytes(self._cursor.value())

    def advance(self) -> None:
        """Go to the next record, after the last to the first."""
        if not self._cursor.next():
            self._cursor.first()
