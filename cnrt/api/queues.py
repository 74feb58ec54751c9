"""Queues and notifiers."""
from __future__ import annotations

from typing import Any

from cnrt.api.session import current_card, float_us, require_init
from cnrt.errors import CnrtError, RetCode
from cnrt.notifier import Notifier, duration_us
from cnrt.queue import Queue


def _queue(value: Any) -> Queue:
    if not isinstance(value, Queue):
        raise CnrtError(RetCode.ERR_QUEUE, f"failed to use {value!r} as a queue: it must come from cnrtCreateQueue")
    return value


def _notifier(value: Any) -> Notifier:
    if not isinstance(value, Notifier):
        raise CnrtError(RetCode.ERR_NOTIFIER, f"failed to use {value!r} as a notifier: it must come from cnrtCreateNotifier")
    return value


def cnrtCreateQueue() -> Queue:
    """A queue on the thread's card and channel."""
    return Queue(current_card())


def cnrtDestroyQueue(queue: Queue) -> None:
    """Finish a queue's work and close it."""
    _queue(queue).destroy()


def cnrtSyncQueue(queue: Queue) -> None:
    """Wait until a queue is empty; raises what its work raised."""
    _queue(queue).sync()


def cnrtCreateNotifier() -> Notifier:
    """A marker."""
    require_init()
    return Notifier()


def cnrtDestroyNotifier(notifier: Notifier) -> None:
    """Give a marker up; it holds nothing that would have to be freed.

    Raises
    ------
    CnrtError
        BUSY while a queue has yet to reach it.
    """
    if _notifier(notifier).pending:
        raise CnrtError(RetCode.ERR_BUSY, "failed to destroy a notifier: a queue has yet to reach it; sync the queue first")


def cnrtPlaceNotifier(notifier: Notifier, queue: Queue) -> None:
    """Put a marker into a queue."""
    _queue(queue).place(_notifier(notifier))


def cnrtNotifierDuration(start: Notifier, end: Notifier) -> float:
    """Microseconds between two reached markers, rounded to float32. Simulated on virtual cards (`Notifier.time_source`)."""
    return float_us(duration_us(_notifier(start), _notifier(end)))
