from __future__ import annotations

import json

import pytest
from cnrt_tests.probe_kernels import probe

from cnrt import Function, Instruction, Queue, trace


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
        events = trace.stop()
        assert [(e.name, e.category) for e in events] == [("net", "function"), ("net", "function"), ("decode", "host")]
        assert events[0].args["cores"] == 2 and events[0].args["instructions"] == 3
        assert all(e.duration_ns >= 0 for e in events) and events[1].start_ns >= events[0].start_ns + events[0].duration_ns
        trace.export(tmp_path / "trace.json")
    rows = json.loads((tmp_path / "trace.json").read_text())
    assert rows["otherData"] == {"time_source": "host"}
    assert [r["name"] for r in rows["traceEvents"]] == ["thread_name", "net", "net", "decode"]
    assert rows["traceEvents"][1]["dur"] == pytest.approx(events[0].duration_ns / 1e3)
    assert [p.name for p in tmp_path.iterdir()] == ["trace.json"]


def test_a_failed_export_leaves_nothing(tmp_path):
    trace.start()
    trace.record("bad", "host", 0, 1, "track", value=object())
    with pytest.raises(TypeError):
        trace.export(tmp_path / "trace.json")
    assert list(tmp_path.iterdir()) == []
