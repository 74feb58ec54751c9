from __future__ import annotations

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
from cnrt.native import futex, yield_address
from cnrt.scheduler import Scheduler, default_scheduler


def host(slots: int) -> Host:
    return Host(0, Scheduler(slots))


@pytest.mark.parametrize("tasks", [1, 2, 3, 4])
def test_every_task_runs_every_instruction_once_and_none_runs_ahead(tasks):
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
            chain.append(Instruction("softmax_f32", (Constant(source), Constant(target), *shape, Scratch(2048))))
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


def test_the_first_in_line_is_served_first():
    """A function that needs all slots is not overtaken for ever by small ones."""
    scheduler = Scheduler(2)
    order: list[str] = []
    one: list[int] = []
    scheduler._acquire(1, one)

    def want(label, count):
        held: list[int] = []
        scheduler._acquire(count, held)
        order.append(label)
        scheduler._release(count)

    big = threading.Thread(target=want, args=("big", 2))
    big.start()
    while not scheduler._waiting:
        time.sleep(0.001)
    small = threading.Thread(target=want, args=("small", 1))
    small.start()
    while len(scheduler._waiting) < 2:
        time.sleep(0.001)
    assert order == []  # one slot is free, but the big one came first
    scheduler._release(1)
    big.join(5)
    small.join(5)
    assert order == ["big", "small"] and scheduler.busy == 0


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
    address, number = futex()
    assert (address != 0) == (number != 0) == (sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64"))
