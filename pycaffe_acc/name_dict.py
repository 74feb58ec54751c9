"""An ordered dictionary whose views can be indexed, for scripts of Python 2: `net.blobs.keys()[0]`."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import ItemsView, Iterable, KeysView, ValuesView
from itertools import islice
from typing import Any, TypeVar

Value = TypeVar("Value")


def _at(view: Iterable[Any], length: int, index: int | slice) -> Any:
    if isinstance(index, slice):
        return list(view)[index]
    position = index + length if index < 0 else index
    if not 0 <= position < length:
        raise IndexError(f"index {index} is outside the {length} entries")
    return next(islice(view, position, None))


class IndexedKeys(KeysView[str]):
    """`keys()` with `[i]` and slices."""

    def __getitem__(self, index: int | slice) -> Any:
        return _at(self, len(self), index)


class IndexedValues(ValuesView[Value]):
    """`values()` with `[i]` and slices."""

    def __getitem__(self, index: int | slice) -> Any:
        return _at(self, len(self), index)


class IndexedItems(ItemsView[str, Value]):
    """`items()` with `[i]` and slices."""

    def __getitem__(self, index: int | slice) -> Any:
        return _at(self, len(self), index)


class NameDict(OrderedDict[str, Value]):
    """Names in order. Everything of OrderedDict, and `keys()[0]`, `values()[-1]`, `items()[1:3]`, `iteritems()`, `has_key()`."""

    def keys(self) -> IndexedKeys:  # type: ignore[override]
        """The names."""
        return IndexedKeys(self)

    def values(self) -> IndexedValues[Value]:  # type: ignore[override]
        """What they name."""
        return IndexedValues(self)

    def items(self) -> IndexedItems[Value]:  # type: ignore[override]
        """Pairs."""
        return IndexedItems(self)

    # Python 2 spellings that old scripts call
    iteritems, itervalues, iterkeys = items, values, keys

    def has_key(self, name: str) -> bool:
        """Python 2's `name in self`."""
        return name in self
