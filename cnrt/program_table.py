"""Languages of offline programs by name: who fits a program to the machine at hand.

A loader is a callable `Program → ModelFunction`. Loaders are registered under the name of their language, or found in the entry-point group
`cnrt.programs` of installed packages: an entry is a loader, or a module whose `lower` is one. No file can name a module to import.
"""
from __future__ import annotations

import os
import threading
from collections.abc import Callable
from importlib import metadata
from typing import TYPE_CHECKING

from cnrt.errors import CnrtError, RetCode

if TYPE_CHECKING:
    from cnrt.model import ModelFunction
    from cnrt.program import Program

    Loader = Callable[[Program], ModelFunction]

GROUP = "cnrt.programs"

_loaders: dict[str, Loader] = {}
_lock = threading.RLock()


def register(language: str, loader: Loader) -> None:
    """Say who lowers the programs of a language; goes before the entry points.

    Parameters
    ----------
    language : str
    loader : callable
        Program → ModelFunction. Checks the whole program before it allocates anything, and raises `CnrtError` for one it cannot take.

    Raises
    ------
    CnrtError
        EXIST if the language has another loader.
    """
    with _lock:
        if _loaders.get(language, loader) is not loader:
            raise CnrtError(RetCode.ERR_EXIST, f"failed to register the program language '{language}': it has a loader already")
        _loaders[language] = loader


def unregister(language: str) -> None:
    """Forget a loader.

    Raises
    ------
    CnrtError
        NO_EXIST if the language has none.
    """
    with _lock:
        if _loaders.pop(language, None) is None:
            raise CnrtError(RetCode.ERR_NO_EXIST, f"failed to unregister the program language '{language}': it has no loader")


def loader(language: str) -> Loader:
    """Who lowers the programs of a language.

    Raises
    ------
    CnrtError
        UNSUPPORTED, listing the known languages.
    """
    with _lock:
        if language not in _loaders:
            for entry in metadata.entry_points(group=GROUP):
                if entry.name == language:
                    offered = entry.load()
                    _loaders.setdefault(language, getattr(offered, "lower", offered))
        if language not in _loaders:
            known = sorted({*_loaders, *(e.name for e in metadata.entry_points(group=GROUP))})
            raise CnrtError(RetCode.ERR_UNSUPPORTED, f"failed to load a program of the language '{language}': no installed package knows it; known "
                            f"languages: {', '.join(known) or 'none'}")
        return _loaders[language]


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()  # another thread of the parent may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
