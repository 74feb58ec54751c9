from __future__ import annotations

import logging
import os
import platform
import sys
import threading
import time

import numpy as np
import pytest
from cnrt_tests.probe_kernels import probe, words

from cnrt import Constant, Function, Instruction, Queue, Scratch
from cnrt.devices.host import Host
from cnrt.errors import CnrtError
from cnrt.helper import QueueHelper
from cnrt.native import can_sleep, system_calls, yield_address
from cnrt.scheduler import Scheduler, default_scheduler


@pytest.fixture(params=["native", "queue"])
def waiting(request, monkeypatch):
    """How helpers wait: both ways on systems that have both."""
    if request.param == "native" and not can_sleep():
        pytest.skip("native code cannot sleep on this system")
    if request.param == "queue":
        monkeypatch.setattr("cnrt.scheduler.helper_class", lambda: QueueHelper)
    return request.param


def host(slots: int) -> Host:
    return Host(0, Scheduler(slots))


@pytest.mark.parametrize("tasks", [1, 2, 3, 4])
def test_every_task_runs_every_instruction_once_and_none_runs_ahead(tasks, waiting):
    """Barrier stress: after each instruction all tasks must have been there. Callbacks need the GIL, so tasks are switched in any order."""
    arrived = np.zeros(40, np.int64)
    ahead = []

    def visit(args, task_id, task_dim):
        step = words(args, 1)[0]
        if step and arrived[step - 1] != task_dim:
            ahead.append((step, task_id))
        arrived[step] += 1

    device = host(tasks)
    with probe(visit) as name, Queue(device) as queue:
        f = Function("f", [Instruction(name, (k,)) for k in range(len(arrived))])
        for _ in range(5):
            arrived[:] = 0
            queue.run(f, tasks)
            assert ahead == [] and (arrived == tasks).all()
    device.scheduler.close()


@pytest.mark.parametrize("tasks", [2, 3, 4])
def test_tasks_see_what_others_wrote_before_the_barrier(tasks):
    """Softmax of softmax of ... between two buffers, so that every step reads what other tasks wrote."""
    device = host(tasks)
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 64, 6)).astype(np.float32)
    steps = 30

    def results(cores):
        x, y = a.copy(), b.copy()
        chain = []
        for k in range(steps):
            source, target = (x, y) if k % 2 == 0 else (y, x)
            # rows in one step, columns in the next: the parts of the tasks lie across each other
            shape = (64, 6, 1) if k % 2 == 0 else (1, 64, 6)
            chain.append(Instruction("softmax_f32", (Constant(source), Constant(target), *shape, Scratch(1 << 15))))
        with Queue(device) as queue:
            f = Function("f", chain)
            for _ in range(3):
                x[...] = a
                queue.run(f, cores)
        return x, y

    np.testing.assert_array_equal(results(tasks), results(1))
    device.scheduler.close()


def test_functions_never_take_more_slots_than_there_are():
    device = host(3)
    lock, running, most = threading.Lock(), [0], [0]

    def load(args, task_id, task_dim):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.002)
        with lock:
            running[0] -= 1

    with probe(load) as name:
        f = Function("f", [Instruction(name, ())])

        def work(cores):
            with Queue(device) as queue:
                for _ in range(5):
                    queue.run(f, cores)

        threads = [threading.Thread(target=work, args=(c,)) for c in (1, 2, 3, 1, 2, 7)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(60)
    assert most[0] == 3 and device.scheduler.busy == 0
    assert device.scheduler._started <= 2
    device.scheduler.close()


def test_what_is_free_is_taken_and_what_is_freed_is_dealt_out_in_order():
    scheduler = Scheduler(4)
    one: list[int] = []
    all_but_one: list[int] = []
    scheduler._acquire(1, one)
    scheduler._acquire(4, all_but_one)
    assert (one, all_but_one, scheduler.busy) == ([1], [3], 4)
    got: list[tuple[str, int]] = []

    def want(label, count):
        held: list[int] = []
        scheduler._acquire(count, held)
        got.append((label, held[0]))

    threads = []
    for label, count in (("first", 4), ("second", 1), ("third", 4)):
        threads.append(threading.Thread(target=want, args=(label, count)))
        threads[-1].start()
        while len(scheduler._waiting) < len(threads):
            time.sleep(0.001)
    assert got == []
    scheduler._release(1)
    threads[0].join(5)
    assert got == [("first", 1)]
    scheduler._release(3)  # 3 slots for two: one for the second, who wants no more, two for the third
    for t in threads:
        t.join(5)
    assert sorted(got) == [("first", 1), ("second", 1), ("third", 2)] and scheduler.busy == 4


def test_several_nets_at_once_share_the_slots_and_agree(waiting):
    """Four threads with four functions that each want all slots: every result is right, and nothing is left behind."""
    device = host(3)
    rng = np.random.default_rng(0)
    xs = [rng.standard_normal((24, 6)).astype(np.float32) for _ in range(4)]
    ys = [np.empty_like(x) for x in xs]
    functions = [Function("f", [Instruction("softmax_f32", (Constant(x), Constant(y), 24, 6, 1, Scratch(2048)))] * 20)
                 for x, y in zip(xs, ys, strict=True)]
    bad: list[int] = []

    def work(k):
        expected = np.exp(xs[k]) / np.exp(xs[k]).sum(1, keepdims=True)
        with Queue(device) as queue:
            for _ in range(40):
                ys[k][...] = 0
                queue.run(functions[k], 3)
                if not np.allclose(ys[k], expected, atol=1e-6):
                    bad.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
    assert bad == [] and device.scheduler.busy == 0 and len(device.scheduler._idle) == device.scheduler._started <= 2
    assert {h.native for h in device.scheduler._idle} <= {waiting == "native"}
    device.scheduler.close()


def test_helpers_end_and_start_again(waiting):
    scheduler = Scheduler(3)
    device = Host(0, scheduler)
    seen = []
    with probe(lambda args, i, n: seen.append((i, n))) as name, Queue(device) as queue:
        f = Function("f", [Instruction(name, ())])
        for _ in range(2):
            queue.run(f, 3)
            helpers = list(scheduler._idle)
            scheduler.close()
            assert len(helpers) == 2 and not any(h.thread.is_alive() for h in helpers)
    assert sorted(seen) == sorted([(0, 3), (1, 3), (2, 3)] * 2)


def test_without_threads_it_runs_on_fewer_cores(monkeypatch, caplog):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    device = host(3)
    seen = set()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with probe(lambda args, i, n: seen.add((i, n))) as name, Queue(device) as queue:
        queue.run(Function("f", [Instruction(name, ())]), 3)
    assert seen == {(0, 1)} and device.scheduler.busy == 0
    assert "on 1 cores instead of 3: can't start new thread" in caplog.text


@pytest.mark.skipif(not (can_sleep() and hasattr(os, "sched_setaffinity")), reason="this system cannot pin threads")
@pytest.mark.parametrize("cores", [1, 2])
def test_pinned_helpers_do_all_of_the_work_and_the_caller_is_left_alone(cores):
    allowed = os.sched_getaffinity(0)
    cpus = tuple(sorted(allowed))[:2]
    device = Host(0, Scheduler(8, cpus))
    assert device.scheduler.slots == len(cpus)
    seen, tasks = [], min(cores, len(cpus))
    together = threading.Barrier(tasks)

    def where(args, task_id, task_dim):
        together.wait(60)  # who is alone would do all of the work
        seen.append((task_id, task_dim, threading.get_ident(), frozenset(os.sched_getaffinity(0))))

    with probe(where) as name, Queue(device) as queue:
        for _ in range(3):
            queue.run(Function("f", [Instruction(name, ())] * 2), cores)
    assert len(seen) == 3 * 2 * tasks and {(s[0], s[1]) for s in seen} == {(i, tasks) for i in range(tasks)}
    assert threading.get_ident() not in {s[2] for s in seen}
    assert all(len(s[3]) == 1 for s in seen) and len({(s[2], s[3]) for s in seen}) == len({s[3] for s in seen}) == tasks
    assert os.sched_getaffinity(0) == allowed and device.scheduler.busy == 0
    device.scheduler.close()


def test_where_threads_cannot_be_pinned_it_says_so(monkeypatch, caplog):
    monkeypatch.setattr("cnrt.scheduler.helper_class", lambda: QueueHelper)
    with caplog.at_level(logging.INFO):
        scheduler = Scheduler(2, (0, 1))
    assert "not pinned" in caplog.text and scheduler.slots == 2


def test_interrupted_waiting_gives_nothing_away():
    scheduler = Scheduler(1)
    first: list[int] = []
    scheduler._acquire(1, first)

    class Door:
        def acquire(self):
            if scheduler._waiting:
                raise KeyboardInterrupt

        def release(self):
            raise AssertionError("the one that went away was let in")

    original = threading.Lock
    try:
        threading.Lock = Door
        with pytest.raises(KeyboardInterrupt):
            scheduler._acquire(1, [])
    finally:
        threading.Lock = original
    scheduler._release(1)
    assert scheduler.busy == 0 and not scheduler._waiting


def test_more_cores_than_slots_use_the_slots():
    seen = set()
    device = host(2)
    with probe(lambda args, i, n: seen.add((i, n))) as name, Queue(device) as queue:
        queue.run(Function("f", [Instruction(name, ())]), 16)
    assert seen == {(0, 2), (1, 2)} and device.tasks(16) == 2


def test_a_core_taken_away_does_not_stop_it():
    """Two tasks beside a thread that keeps the GIL's owner busy: spinning must give way."""
    stop = threading.Event()

    def spin():
        while not stop.is_set():
            sum(range(1000))

    thread = threading.Thread(target=spin)
    device = host(2)
    x = np.random.default_rng(0).standard_normal((16, 16)).astype(np.float32)
    y = np.empty_like(x)
    f = Function("f", [Instruction("softmax_f32", (Constant(x), Constant(y), 16, 16, 1, Scratch(2048)))] * 2000)
    with Queue(device) as queue:
        queue.run(f, 2)
        thread.start()
        start = time.perf_counter()
        for _ in range(3):
            queue.run(f, 2)
        seconds = time.perf_counter() - start
        stop.set()
        thread.join()
    assert seconds < 20


def test_a_scheduler_needs_a_slot():
    with pytest.raises(CnrtError):
        Scheduler(0)
    assert default_scheduler() is default_scheduler()
    assert yield_address() != 0


def test_linux_lets_tasks_sleep():
    linux = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")
    assert can_sleep() == linux and all((v != 0) == linux for v in system_calls())


@pytest.mark.skipif(not can_sleep() or len(os.sched_getaffinity(0)) < 2, reason="needs Linux and two processors")
def test_a_helper_wakes_elsewhere_and_keeps_its_affinity():
    """After each sleep the helper starts on another processor than the caller's, and may use all of them again."""
    device, allowed = host(2), os.sched_getaffinity(0)
    seen: list[tuple[int, set[int]]] = []

    def where(args, task_id, task_dim):
        seen.append((task_id, os.sched_getaffinity(0)))

    with probe(where) as name, Queue(device) as queue:
        f = Function("f", [Instruction(name, ())])
        for _ in range(5):
            queue.run(f, 2)
            time.sleep(0.01)
            (helper,) = device.scheduler._idle
            assert helper._mailbox[8] == 1  # asleep
            narrow = int(helper._mailbox[64])
        queue.run(f, 2)
    assert [s for s in seen if s[1] != allowed] == [] and len(seen) == 12
    assert bin(narrow & sum(1 << c for c in allowed if c < 63)).count("1") == len([c for c in allowed if c < 63]) - 1
    assert os.sched_getaffinity(0) == allowed
    device.scheduler.close()
