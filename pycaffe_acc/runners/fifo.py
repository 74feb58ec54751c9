"""Blocking queues between the threads of a pipeline."""
from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FifoClosedError(Exception):
    """Another thread of the pipeline failed, so there is nothing to wait for."""


class Fifo(Generic[Item]):
    """First in, first out; `pop` waits for an item, and `push` for room where there is a capacity.

    Parameters
    ----------
    *items : object
        What is in it at first.
    capacity : int, optional
        Most items; any number if not given.
    """

    def __init__(self, *items: Item, capacity: int | None = None):
        self._items = deque(items)
        self._capacity = capacity
        self.closed = False
        self._changed = threading.Condition()

    def push(self, item: Item, forced: bool = False) -> None:
        """Put an item in, waiting for room.

        Parameters
        ----------
        item : object
        forced : bool
            Whether to go over the capacity instead of waiting.

        Raises
        ------
        FifoClosedError
            When there is a capacity, after `close`.
        """
        with self._changed:
            if self._capacity is not None:
                while len(self._items) >= self._capacity and not forced and not self.closed:
                    self._changed.wait()
                if self.closed:
                    raise FifoClosedError
            self._items.append(item)
            self._changed.notify_all()

    def pop(self) -> Item:
        """Take the oldest item, waiting for one.

        Raises
        ------
        FifoClosedError
            After `close`, also for those that wait.
        """
        with self._changed:
            while not self._items and not self.closed:
                self._changed.wait()
            if self.closed:
                raise FifoClosedError
            item = self._items.popleft()
            if self._capacity is not None:
                self._changed.notify_all()
            return item

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()
