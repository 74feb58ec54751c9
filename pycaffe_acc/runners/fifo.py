"""Blocking queues between the threads of a pipeline."""
from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FifoClosedError(Exception):
    """Another thread of the pipeline failed, so there is nothing to wait for."""


class Fifo(Generic[Item]):
    """First in, first out; `pop` waits.

    Parameters
    ----------
    *items : object
        What is in it at first.
    """

    def __init__(self, *items: Item):
        self._items = deque(items)
        self._closed = False
        self._changed = threading.Condition()

    def push(self, item: Item) -> None:
        """Put an item in; never waits."""
        with self._changed:
            self._items.append(item)
            self._changed.notify()

    def pop(self) -> Item:
        """Take the oldest item, waiting for one.

        Raises
        ------
        FifoClosedError
            After `close`, also for those that wait.
        """
        with self._changed:
            while not self._items and not self._closed:
                self._changed.wait()
            if self._closed:
                raise FifoClosedError
            return self._items.popleft()

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
