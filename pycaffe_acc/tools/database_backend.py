"""The kind of a database, as BVLC's tools name it."""
from __future__ import annotations

from pycaffe_acc.tools.exit_code import NotInThisVersionError, UsageError


def check_backend(name: str) -> None:
    """Refuse what is not lmdb.

    Raises
    ------
    NotInThisVersionError
        For leveldb.
    UsageError
        For other words.
    """
    if name == "leveldb":
        raise NotInThisVersionError("the database kind leveldb is not supported: no maintained package reads it on every system. Use lmdb; records "
                                    "can be copied from one to the other unchanged (packages plyvel and lmdb)")
    if name != "lmdb":
        raise UsageError(f"unknown kind of database '{name}'; it must be lmdb")
