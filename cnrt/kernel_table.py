"""Kernels by name: who provides them, and their addresses once compiled.

A provider is a callable that returns the address of native code with the kernel's signature. Providers are registered under a name, or found by
a source: a callable `name → provider or None`, or a module whose `find` is one, that an installed package offers through the entry-point group
`cnrt.kernels`. No file can name a module to import.
"""
from __future__ import annotations

import os
import threading
from collections.abc import Callable
from importlib import metadata

from cnrt.errors import CnrtError, RetCode

Provider = Callable[[], int]
Source = Callable[[str], Provider | None]

GROUP = "cnrt.kernels"

_providers: dict[str, Provider] = {}
_addresses: dict[str, int] = {}
_sources: dict[str, Source] = {}
_lock = threading.RLock()
_entry_points_read = False


def register(name: str, provider: Provider) -> None:
    """Name a kernel.

    Parameters
    ----------
    name : str
    provider : callable
        Returns the address of the kernel; called at most once.

    Raises
    ------
    CnrtError
        EXIST if the name is taken.
    """
    with _lock:
        if name in _providers:
            raise CnrtError(RetCode.ERR_EXIST, f"failed to register kernel '{name}': the name is taken; give the kernel another one")
        _providers[name] = provider


def unregister(name: str) -> None:
    """Forget a kernel. Functions that were prepared with it keep its address.

    Raises
    ------
    CnrtError
        NO_EXIST if there is none.
    """
    with _lock:
        if _providers.pop(name, None) is None:
            raise CnrtError(RetCode.ERR_NO_EXIST, f"failed to unregister kernel '{name}': there is none of this name")
        _addresses.pop(name, None)


def registered(name: str) -> Provider | None:
    """The provider under this name; None if it is not registered (a source may still have it)."""
    return _providers.get(name)


def add_source(label: str, source: Source) -> None:
    """Add a place to look for kernels that are not registered; a second source of the same label replaces the first."""
    with _lock:
        _sources[label] = source


def names() -> tuple[str, ...]:
    """The registered names, sorted."""
    with _lock:
        return tuple(sorted(_providers))


def provider(name: str) -> Provider:
    """Who provides a kernel.

    Raises
    ------
    CnrtError
        NO_EXIST, listing the known names.
    """
    with _lock:
        found = _providers.get(name) or _from_sources(name)
        if found is None and _read_entry_points():
            found = _from_sources(name)
        if found is None:
            known = ", ".join(names()) or "none"
            raise CnrtError(RetCode.ERR_NO_EXIST, f"failed to find kernel '{name}': no provider knows it; known kernels: {known}")
        return found


def address(name: str) -> int:
    """Address of a kernel's native code, compiled or loaded on first use.

    Raises
    ------
    CnrtError
        NO_EXIST for an unknown name, INVALID_POINTER if its provider gave no address.
    """
    found = _addresses.get(name)
    if found is not None:
        return found
    with _lock:
        if name not in _addresses:
            value = provider(name)()
            if not value:
                raise CnrtError(RetCode.ERR_INVALID_POINTER, f"failed to load kernel '{name}': its provider returned the address {value!r}")
            _addresses[name] = int(value)
        return _addresses[name]


def loaded(name: str) -> bool:
    """Whether the kernel's address is known already."""
    return name in _addresses


def _from_sources(name: str) -> Provider | None:
    for source in _sources.values():
        found = source(name)
        if found is not None:
            _providers.setdefault(name, found)
            return found
    return None


def _read_entry_points() -> bool:
    """Load the sources that installed packages offer; False if that was done before."""
    global _entry_points_read
    if _entry_points_read:
        return False
    _entry_points_read = True
    for entry in metadata.entry_points(group=GROUP):
        offered = entry.load()
        _sources.setdefault(entry.name, getattr(offered, "find", offered))
    return True


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()  # another thread of the parent may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
