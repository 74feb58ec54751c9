from __future__ import annotations

import json
import threading
import time

import pytest
from cnrt_tests.probe_kernels import probe

from cnrt import Function, Instruction, Queue, trace
from cnrt.devices.host import Host
from cnrt.scheduler import Scheduler


@pytest.fixture(autouse=True)
def _off():
    yield
    trace.stop()


def test_nothing_is_recorded_until_started():
    trace.start()
    trace.stop()
    with Queue() as queue:
        queue.call(lambda: None)
    assert trace.events() == []


def test_functions_and_callbacks_are_recorded(tmp_path):
    with probe(lambda *_: None) as name, Queue() as queue:
        f = Function("net", [Instruction(name, ())] * 3)
        trace.start()
        queue.run(f, 2)
        queue.invoke(f)

        def decode():
            pass

        queue.call(decode)
        queue.sync()
        recorded = trace.stop()
        events = [e for e in recorded if e.row == "queue"]
        assert [(e.name, e.category) for e in events] == [("net", "function"), ("net", "function"), ("decode", "host")]
        assert {e.row for e in recorded} == {"queue", "core", "channel"}
        assert events[0].args["cores"] == 2 and events[0].args["instructions"] == 3
        assert all(e.duration_ns >= 0 for e in events) and events[1].start_ns >= events[0].start_ns + events[0].duration_ns
        trace.export(tmp_path / "trace.json")
    rows = json.loads((tmp_path / "trace.json").read_text())
    assert rows["otherData"] == {"time_source": "host"}
    assert track_names(rows, "queues") == [queue.name] and track_names(rows, "channels") == ["channel 0 of host:0"]
    drawn = intervals(rows, "queues", queue.name)
    assert [name for name, _, _ in drawn] == ["net", "net", "decode"]
    assert drawn[0][2] - drawn[0][1] == pytest.approx(events[0].duration_ns / 1e3)
    assert [p.name for p in tmp_path.iterdir()] == ["trace.json"]


def test_two_queues_keep_their_order_and_run_beside_each_other(tmp_path):
    """What a reader of the trace sees of two queues that each get three functions of 20 ms."""
    device = Host(0, Scheduler(2))
    with probe(lambda *_: time.sleep(0.02)) as name, Queue(device) as one, Queue(device) as two:
        row = [Instruction(name, ())]
        one.run(Function("warm", row))
        trace.start()
        for i in range(3):
            one.invoke(Function(f"one {i}", row))
            two.invoke(Function(f"two {i}", row))
        one.sync()
        two.sync()
        trace.stop()
        trace.export(tmp_path / "trace.json")
    device.scheduler.close()
    rows = json.loads((tmp_path / "trace.json").read_text())
    found = {q: intervals(rows, "queues", q.name) for q in (one, two)}
    for queue, prefix in ((one, "one"), (two, "two")):
        assert [n for n, _, _ in found[queue]] == [f"{prefix} {i}" for i in range(3)]
        assert all(before[2] <= after[1] for before, after in zip(found[queue], found[queue][1:], strict=False))
    assert sum(max(0.0, min(a[2], b[2]) - max(a[1], b[1])) for a in found[one] for b in found[two]) > 20_000  # µs; one alone takes 60 ms
    cores = [intervals(rows, "cores", track) for track in track_names(rows, "cores")]
    assert len(cores) == 2 and sorted(n for core in cores for n, _, _ in core) == sorted(n for q in found.values() for n, _, _ in q)
    assert all(a[2] <= b[1] for core in cores for a, b in zip(core, core[1:], strict=False))
    assert all(a[2] < b[1] for a, b in zip(*[intervals(rows, "channels", "channel 0 of host:0")[i:] for i in (0, 1)], strict=False))


def test_steps_of_host_threads(tmp_path):
    def work():
        with trace.host_step("decode"):
            pass

    work()
    trace.start()
    thread = threading.Thread(target=work, name="provider 0")
    thread.start()
    thread.join()
    trace.stop()
    trace.export(tmp_path / "trace.json")
    rows = json.loads((tmp_path / "trace.json").read_text())
    assert [n for n, _, _ in intervals(rows, "host threads", "provider 0")] == ["decode"]


def track_names(document, title):
    """Names of the rows under a heading."""
    process = next(r["pid"] for r in document["traceEvents"] if r["name"] == "process_name" and r["args"]["name"] == title)
    return [r["args"]["name"] for r in document["traceEvents"] if r["name"] == "thread_name" and r["pid"] == process]


def intervals(document, title, track):
    """(name, start, end) of a row's events in order of their start, in µs."""
    rows = document["traceEvents"]
    process = next(r["pid"] for r in rows if r["name"] == "process_name" and r["args"]["name"] == title)
    thread = next(r["tid"] for r in rows if r["name"] == "thread_name" and r["pid"] == process and r["args"]["name"] == track)
    return sorted(((r["name"], r["ts"], r["ts"] + r["dur"]) for r in rows if r["ph"] == "X" and (r["pid"], r["tid"]) == (process, thread)),
                  key=lambda r: r[1])


def test_a_failed_export_leaves_nothing(tmp_path):
    trace.start()
    trace.record("bad", "host", 0, 1, "track", value=object())
    with pytest.raises(TypeError):
        trace.export(tmp_path / "trace.json")
    assert list(tmp_path.iterdir()) == []
