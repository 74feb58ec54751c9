"""What ran when: events of queues and functions, off until started, exported for Chrome's trace viewer.

Times are host times (`time.perf_counter_ns`).
"""
from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from cnrt.whole_file import whole_file

#: read by the queues before they take a time
active = False


class Event(NamedTuple):
    """One interval."""

    name: str
    category: str
    start_ns: int
    duration_ns: int
    track: str
    args: dict[str, Any]


_events: list[Event] = []


def start() -> None:
    """Forget old events and record new ones."""
    global active
    _events.clear()
    active = True


def stop() -> list[Event]:
    """Stop recording.

    Returns
    -------
    list of Event
        In order of completion.
    """
    global active
    active = False
    return list(_events)


def events() -> list[Event]:
    """What was recorded so far."""
    return list(_events)


def record(name: str, category: str, start_ns: int, end_ns: int, track: str, **args: Any) -> None:
    """Add an interval, if recording.

    Parameters
    ----------
    name, category : str
    start_ns, end_ns : int
    track : str
        The row it is drawn in: a queue's name.
    **args
        Shown with the event; values must suit JSON.
    """
    if active:
        _events.append(Event(name, category, start_ns, end_ns - start_ns, track, args))  # append is atomic: no lock


def export(path: str | os.PathLike[str]) -> None:
    """Write the events in Chrome's trace format (JSON; open in `chrome://tracing` or Perfetto).

    The file appears under its name only when it is complete.
    """
    tracks = {track: i + 1 for i, track in enumerate(dict.fromkeys(e.track for e in _events))}
    process = os.getpid()
    rows: list[dict[str, Any]] = [{"ph": "M", "name": "thread_name", "pid": process, "tid": i, "args": {"name": t}} for t, i in tracks.items()]
    rows += [{"ph": "X", "name": e.name, "cat": e.category, "ts": e.start_ns / 1e3, "dur": e.duration_ns / 1e3, "pid": process,
              "tid": tracks[e.track], "args": e.args} for e in _events]
    with whole_file(path) as part:
        part.write_text(json.dumps({"traceEvents": rows, "displayTimeUnit": "ms", "otherData": {"time_source": "host"}}))
