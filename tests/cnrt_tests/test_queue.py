from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cnrt_tests.probe_kernels import probe, words
from hypothesis import given, settings
from hypothesis import strategies as st

import cnrt
from cnrt import Function, Instruction, Notifier, Queue
from cnrt.errors import CnrtError, RetCode
from cnrt.notifier import duration_us

ROOT = Path(__file__).resolve().parents[2]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(["invoke", "run", "call", "sync", "place"]), st.integers(0, 2)), max_size=25))
def test_each_queue_keeps_its_order(steps):
    seen: list[list[int]] = [[], [], []]
    wanted: list[list[int]] = [[], [], []]

    def note(args, task_id, task_dim):
        which, number = words(args, 2)
        seen[which].append(number)

    with probe(note) as name, Queue() as a, Queue() as b, Queue() as c:
        for number, (kind, which) in enumerate(steps):
            queue = (a, b, c)[which]
            if kind in ("invoke", "run"):
                getattr(queue, kind)(Function("f", [Instruction(name, (which, number))]))
                wanted[which].append(number)
                if kind == "run":
                    assert seen[which] == wanted[which]
            elif kind == "call":
                queue.call(lambda which=which, number=number: seen[which].append(number))
                wanted[which].append(number)
            elif kind == "sync":
                queue.sync()
                assert seen[which] == wanted[which]
            else:
                queue.place(Notifier())
        for queue in (a, b, c):
            queue.sync()
    assert seen == wanted


def test_an_idle_queue_runs_on_the_callers_thread_and_a_busy_one_in_order():
    order = []
    gate = threading.Event()
    with probe(lambda *_: order.append(threading.get_ident())) as name, Queue() as queue:
        f = Function("f", [Instruction(name, ())])
        queue.run(f)
        assert order == [threading.get_ident()] and queue._lane.worker is None
        queue.call(lambda: (gate.wait(), order.append("call")))
        assert queue.busy
        threading.Timer(0.02, gate.set).start()
        queue.run(f)
        assert order[1] == "call" and order[2] != threading.get_ident()


def test_errors_are_reported_at_sync_and_later_work_is_skipped():
    done, marker = [], Notifier()
    with Queue() as queue:
        queue.call(lambda: 1 / 0)
        queue.call(lambda: done.append(1))
        queue.place(marker)
        with pytest.raises(CnrtError, match="ZeroDivisionError") as e:
            queue.sync()
        assert e.value.code == RetCode.ERR_QUEUE and isinstance(e.value.__cause__, ZeroDivisionError)
        assert done == [] and marker.query()
        queue.call(lambda: done.append(2))
        queue.sync()
        assert done == [2]


def test_an_error_of_earlier_work_shows_in_run():
    with Queue() as queue, probe(lambda *_: None) as name:
        queue.call(lambda: [][1])
        while queue.busy:
            time.sleep(0.001)
        with pytest.raises(CnrtError, match="IndexError"):
            queue.run(Function("f", [Instruction(name, ())]))
        queue.run(Function("f", [Instruction(name, ())]))


def test_a_callback_cannot_wait_for_its_own_queue():
    with Queue() as queue:
        for wait in (queue.sync, lambda: queue.run(Function("f", []))):
            queue.call(wait)
            with pytest.raises(CnrtError) as e:
                queue.sync()
            assert e.value.code == RetCode.ERR_BUSY


def test_sync_in_time():
    gate = threading.Event()
    with Queue() as queue:
        queue.call(gate.wait)
        with pytest.raises(CnrtError) as e:
            queue.sync(0.02)
        assert e.value.code == RetCode.ERR_TIMEOUT
        gate.set()
        queue.sync(5)


def test_a_destroyed_queue_is_of_no_use():
    queue = Queue()
    queue.call(lambda: None)
    queue.destroy()
    for use in (queue.sync, queue.destroy, lambda: queue.call(print), lambda: queue.place(Notifier()), lambda: queue.run(Function("f", []))):
        with pytest.raises(CnrtError) as e:
            use()
        assert e.value.code == RetCode.ERR_QUEUE
    assert queue not in queue.device.queues


def test_workers_end_with_their_queue():
    queue = Queue()
    queue.call(lambda: None)
    queue.sync()
    worker = queue._lane.worker
    del queue
    worker.join(5)
    assert not worker.is_alive()


def test_a_device_waits_for_all_its_queues():
    done = []
    device = cnrt.get("MLU270")
    queues = [Queue(device) for _ in range(3)]
    for q in queues:
        q.call(lambda: (time.sleep(0.01), done.append(1)))
    device.sync()
    assert len(done) == 3
    for q in queues:
        q.destroy()


def test_queues_run_beside_each_other():
    meet = threading.Barrier(2, timeout=5)
    with Queue() as a, Queue() as b:
        a.call(meet.wait)
        b.call(meet.wait)
        a.sync()
        b.sync()


def test_the_null_device_runs_nothing():
    seen = []
    with probe(lambda *_: seen.append(1)) as name, Queue(cnrt.get("null")) as queue:
        queue.run(Function("f", [Instruction(name, ()), Instruction("no_such_kernel", ())]), 32)
        queue.invoke(Function("f", [Instruction(name, ())]))
        queue.sync()
        with pytest.raises(CnrtError):
            queue.run(Function("f", []), 33)
    assert seen == []


def test_eight_threads_share_a_function_and_a_queue():
    counts = [0] * 8
    lock = threading.Lock()

    def count(args, task_id, task_dim):
        with lock:
            counts[words(args, 1)[0]] += task_id == 0

    errors = []
    with probe(count) as name, Queue() as shared:
        functions = [Function("f", [Instruction(name, (k,))] * 4) for k in range(8)]

        def work(k):
            try:
                with Queue() as own:
                    for i in range(20):
                        (own if i % 2 else shared).run(functions[k], 1 + i % 3)
            except BaseException as e:
                errors.append(e)

        threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(60)
    assert errors == [] and counts == [80] * 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_queues_work_in_a_forked_child():
    seen = []
    with probe(lambda args, i, n: seen.append(i)) as name, Queue() as queue:
        f = Function("f", [Instruction(name, ())])
        queue.invoke(f, 2)
        queue.sync()
        gate = threading.Event()
        queue.call(gate.wait)  # busy while forking: the child must not wait for work that stayed behind
        queue.invoke(f)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                seen.clear()
                queue.run(f, 2)
                queue.invoke(f, 2)
                queue.sync(20)
                os.write(write, bytes([len(seen)]))
            finally:
                os._exit(0)
        os.close(write)
        answer = os.read(read, 1)
        os.waitpid(child, 0)
        os.close(read)
        gate.set()
        queue.sync()
        assert answer == bytes([2 * queue.device.tasks(2)])


CTRL_C = """
import os, signal, sys, threading, time
sys.path[:0] = [{root!r}, {tests!r}]
import numpy as np
import cnml.kernels
from cnrt import Constant, Function, Instruction, Queue, Scratch
x, y = np.zeros(1 << 18, np.float32), np.zeros(1 << 18, np.float32)
gate = threading.Event()
f = Function("f", [Instruction("softmax_f32", (Constant(x), Constant(y), 1 << 9, 1 << 9, 1, Scratch(2048)))] * 20)
queue = Queue()
queue.run(f, 2)
start = time.monotonic()
queue.run(f)
f = Function("f", f.instructions[:1] * max(20, int(20 * 0.4 / (time.monotonic() - start))))  # 0.4 s on one core
for wait in (lambda: (queue.call(gate.wait), queue.sync()), lambda: queue.run(f, 2), lambda: queue.run(f)):
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
    start = time.monotonic()
    try:
        wait()
        sys.exit("not interrupted")
    except KeyboardInterrupt:
        gate.set()
    if time.monotonic() - start > 10:
        sys.exit("interrupted too late")
    queue.sync(20)
queue.run(f, 2)
print("usable")
"""


def test_ctrl_c_interrupts_and_leaves_the_queue_usable():
    program = CTRL_C.format(root=str(ROOT), tests=str(ROOT / "tests"))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout == "usable\n", done.stderr


EXITS = """
import sys, threading, time
sys.path[:0] = [{root!r}, {tests!r}]
from cnrt_tests.probe_kernels import probe
from cnrt import Function, Instruction, Queue
queue = Queue()
queue.call(lambda: time.sleep(0.2))
queue.call(lambda: print("never"))
import cnml.kernels
Queue().call(lambda: None)
print("done")
"""


def test_the_interpreter_ends_with_work_left():
    program = EXITS.format(root=str(ROOT), tests=str(ROOT / "tests"))
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    assert time.monotonic() - start < 20




def test_markers_around_a_run():
    with Queue() as queue:
        start, end = Notifier(), Notifier()
        queue.run(Function("empty", []), around=(start, end))
        inline = duration_us(start, end)
        queue.call(lambda: None)
        queue.run(Function("empty", []), around=(start, end))
        assert inline >= 0 and duration_us(start, end) >= 0


def test_a_worker_that_cannot_be_started(monkeypatch):
    """The work is refused, not forgotten; later the queue works again."""
    def none_left(thread):
        raise RuntimeError("can't start new thread")

    done, marker = [], Notifier()
    queue = Queue()
    with monkeypatch.context() as m:
        m.setattr(threading.Thread, "start", none_left)
        for put in (lambda: queue.call(lambda: done.append("lost")), lambda: queue.place(marker)):
            with pytest.raises(CnrtError, match="failed to start the worker of queue .*can't start new thread") as e:
                put()
            assert e.value.code == RetCode.ERR_QUEUE
    queue.sync(5)
    assert not queue.busy and not marker.pending
    queue.call(lambda: done.append("ran"))
    queue.destroy()
    assert done == ["ran"]
