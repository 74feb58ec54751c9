"""Settings of the process with a value per thread."""
from __future__ import annotations

import threading


class ThreadState:
    """Named values. A thread that never set one inherits the newest value that any thread of the process gave it; Caffe's own singletons start every
    thread at the defaults instead.

    Parameters
    ----------
    **defaults : object
        The names, with what they are until somebody sets them.
    """

    def __init__(self, **defaults: object):
        self._defaults = dict(defaults)
        self._newest = dict(defaults)
        self._own = threading.local()

    def get(self, key: str) -> object:
        """The calling thread's value, or the inherited one."""
        return getattr(self._own, key, self._newest[key])

    def own(self, key: str) -> object | None:
        """The value that the calling thread set; None if it set none."""
        return getattr(self._own, key, None)

    def set(self, key: str, value: object) -> None:
        """Set a value for the calling thread, and for threads that never set their own."""
        setattr(self._own, key, value)
        self._newest[key] = value

    def reset(self) -> None:
        """Set every value to its default."""
        for key, value in self._defaults.items():
            self.set(key, value)
