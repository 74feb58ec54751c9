"""What ran when: events of queues, cores, channels and host threads, off until started, exported for Chrome's trace viewer.

Times are host times (`time.perf_counter_ns`). A row of a queue, a core or a thread holds events that follow or enclose each other; on a channel
functions of several queues run at once, so its row shows the intervals in which any did.
"""
from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from cnrt.whole_file import whole_file

#: read by the queues before they take a time
active = False
#: kinds of rows, in the order in which a viewer shows them
ROWS = {"thread": "host threads", "queue": "queues", "channel": "channels", "core": "cores"}


class Event(NamedTuple):
    """One interval."""

    name: str
    category: str
    start_ns: int
    duration_ns: int
    track: str
    args: dict[str, Any]
    row: str = "queue"


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


def record(name: str, category: str, start_ns: int, end_ns: int, track: str, row: str = "queue", **args: Any) -> None:
    """Add an interval, if recording.

    Parameters
    ----------
    name, category : str
    start_ns, end_ns : int
    track : str
        The row it is drawn in: a queue's, core's, channel's or thread's name.
    row : str
        Which of these it is; a key of `ROWS`.
    **args
        Shown with the event; values must suit JSON.
    """
    if active:
        _events.append(Event(name, category, start_ns, end_ns - start_ns, track, args, row))  # append is atomic: no lock


@contextmanager
def host_step(name: str) -> Iterator[None]:
    """Record what the calling thread does meanwhile, in its row.

    Parameters
    ----------
    name : str
    """
    start = time.perf_counter_ns() if active else 0
    try:
        yield
    finally:
        if start:
            record(name, "host", start, time.perf_counter_ns(), threading.current_thread().name, row="thread")


def merged(found: Sequence[Event]) -> list[Event]:
    """Intervals of a row in which at least one of its events ran.

    Parameters
    ----------
    found : sequence of Event
        Of one row, in any order.

    Returns
    -------
    list of Event
        In order; `events` among the arguments says how many each covers, the name is theirs where they agree.
    """
    groups: list[list[Event]] = []
    reach = 0
    for event in sorted(found, key=lambda e: e.start_ns):
        if groups and event.start_ns < reach:
            groups[-1].append(event)
        else:
            groups.append([event])
        reach = max(reach, event.start_ns + event.duration_ns)
    rows = []
    for group in groups:
        names = list(dict.fromkeys(e.name for e in group))
        end = max(e.start_ns + e.duration_ns for e in group)
        rows.append(group[0]._replace(name=names[0] if len(names) == 1 else f"{len(names)} functions", duration_ns=end - group[0].start_ns,
                                      args={"events": len(group)}))
    return rows


def export(path: str | os.PathLike[str]) -> None:
    """Write the events in Chrome's trace format (JSON; open in `chrome://tracing` or Perfetto).

    The file appears under its name only when it is complete.
    """
    rows: list[dict[str, Any]] = []
    for process, (kind, title) in enumerate(ROWS.items(), 1):
        tracks: dict[str, list[Event]] = {}
        for event in _events:
            if event.row == kind:
                tracks.setdefault(event.track, []).append(event)
        if tracks:
            rows.append({"ph": "M", "name": "process_name", "pid": process, "args": {"name": title}})
            rows.append({"ph": "M", "name": "process_sort_index", "pid": process, "args": {"sort_index": process}})
        for thread, track in enumerate(sorted(tracks), 1):
            rows.append({"ph": "M", "name": "thread_name", "pid": process, "tid": thread, "args": {"name": track}})
            rows += [{"ph": "X", "name": e.name, "cat": e.category, "ts": e.start_ns / 1e3, "dur": e.duration_ns / 1e3, "pid": process,
                      "tid": thread, "args": e.args} for e in (merged(tracks[track]) if kind == "channel" else tracks[track])]
    with whole_file(path) as part:
        part.write_text(json.dumps({"traceEvents": rows, "displayTimeUnit": "ms", "otherData": {"time_source": "host"}}))
