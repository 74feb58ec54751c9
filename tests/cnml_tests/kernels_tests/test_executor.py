from __future__ import annotations

import ctypes
import os
import threading
import time

import numpy as np
import pytest

from cnml.jit import kernel_cfunc
from cnml.kernels.argblock import i64_at, word
from cnrt import Constant, Function, Instruction, Queue, kernel_table
from cnrt.devices.host import Host
from cnrt.helper import BARRIER_WORDS, MAILBOX_WORDS, TASK_WORDS, shared_words
from cnrt.native import can_sleep, executor, executor_launch, executor_serve, yield_address
from cnrt.scheduler import Scheduler


def neighbours(args, task_id, task_dim):
    """Each task writes step to its own cell, having checked that all cells hold the step before; word 1 counts violations per task."""
    cells, wrong, step = i64_at(word(args, 0), 64), i64_at(word(args, 1), 64), word(args, 2)
    for t in range(task_dim):
        if cells[t * 8] < step - 1:
            wrong[task_id * 8] += 1
    cells[task_id * 8] = step


@pytest.fixture(scope="module")
def address():
    return kernel_cfunc(neighbours)


def table_of(address, cells, wrong, steps):
    blocks = np.empty((steps, 3), np.int64)
    blocks[:, 0], blocks[:, 1], blocks[:, 2] = cells.ctypes.data, wrong.ctypes.data, np.arange(1, steps + 1)
    rows = np.empty((steps, 2), np.int64)
    rows[:, 0], rows[:, 1] = address, blocks.ctypes.data + 24 * np.arange(steps)
    return rows, blocks


@pytest.mark.parametrize("tasks, steps", [(1, 5), (2, 20000), (3, 300), (4, 300)])
@pytest.mark.parametrize("waiting", ["sleeping", "yielding", "spinning"])
def test_tasks_meet_after_every_row(address, tasks, steps, waiting):
    if waiting != "sleeping":
        steps = min(steps, 20)  # where cores are short, these wait for the system's time slices
    cells, wrong = np.zeros(64, np.int64), np.zeros(64, np.int64)
    rows, blocks = table_of(address, cells, wrong, steps)
    barrier = shared_words(BARRIER_WORDS + TASK_WORDS * tasks)
    if waiting != "sleeping":
        barrier[32:37] = 0
    run = executor()
    yields = yield_address() if waiting == "yielding" else 0
    for turn in range(2):
        cells[:] = 0
        barrier[16] = 0
        others = [threading.Thread(target=run, args=(rows.ctypes.data, steps, t, tasks, barrier.ctypes.data, yields)) for t in range(1, tasks)]
        for t in others:
            t.start()
        run(rows.ctypes.data, steps, 0, tasks, barrier.ctypes.data, yields)
        assert (cells[:8 * tasks:8] == steps).all()  # when one task is out, all have done the last row
        for t in others:
            t.join()
        assert wrong.sum() == 0
        assert barrier[16] == (tasks > 1) and barrier[0] == 0
        assert barrier[8] == (turn + 1) * steps * (tasks > 1) and barrier[24] == 0
    del blocks


KERNEL = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 3)


@pytest.mark.skipif(not can_sleep(), reason="helpers wait for a Python queue here")
def test_a_helper_that_does_not_come_is_not_waited_for_and_finds_its_job_withdrawn(address):
    cells, wrong, steps = np.zeros(64, np.int64), np.zeros(64, np.int64), 50
    rows, blocks = table_of(address, cells, wrong, steps)
    barrier, mailbox = shared_words(BARRIER_WORDS + TASK_WORDS * 2), shared_words(MAILBOX_WORDS)
    team, launch = np.array([mailbox.ctypes.data], np.int64), executor_launch()
    for turn in range(2):
        cells[:] = 0
        launch(team.ctypes.data, 1, rows.ctypes.data, steps, barrier.ctypes.data, 0, 1)
        assert (cells[:16:8] == steps).all() and wrong.sum() == 0 and barrier[8] == (turn + 1) * steps
    cells[:] = 0
    helper = threading.Thread(target=executor_serve(), args=(mailbox.ctypes.data,))
    helper.start()
    deadline = time.monotonic() + 60
    while mailbox[8] == 0 and time.monotonic() < deadline:  # it sleeps: it has looked
        time.sleep(0.001)
    assert not cells.any() and barrier[8] == 2 * steps
    both, seen, allowed = threading.Barrier(2), [], sorted(os.sched_getaffinity(0))

    def meet(args, task_id, task_dim):
        both.wait(60)
        seen.append((task_id, task_dim, threading.get_ident()))

    function = KERNEL(meet)
    table = np.array([[ctypes.cast(function, ctypes.c_void_p).value, 0]] * 3, np.int64)
    launch(team.ctypes.data, 1, table.ctypes.data, 3, barrier.ctypes.data, 0, 1)
    launch(team.ctypes.data, 1, 0, -1, 0, 0, 0)
    helper.join(60)
    assert not helper.is_alive() and len(seen) == 6 and {s[:2] for s in seen} == {(0, 2), (1, 2)}
    assert {s[2] for s in seen} == {threading.get_ident(), helper.ident}
    assert sorted(os.sched_getaffinity(0)) == allowed, "the mailbox does not name the helper's thread, and the caller's is not to be moved"
    del blocks


@pytest.mark.skipif(not can_sleep(), reason="helpers wait for a Python queue here")
def test_jobs_that_come_while_a_helper_is_late(address):
    """Short jobs on a helper that wakes too late for most of them: every piece is done once, by whoever is there."""
    cells, wrong = np.zeros(64, np.int64), np.zeros(64, np.int64)
    rows, blocks = table_of(address, cells, wrong, 3)
    scheduler = Scheduler(4)
    for i in range(3000):
        cells[:] = 0
        scheduler.run(rows.ctypes.data, 3, 2 + i % 3)
        assert (cells[:8 * (2 + i % 3):8] == 3).all() and wrong.sum() == 0
        if i % 500 == 0:
            time.sleep(0.002)
    scheduler.close()
    del blocks


def test_a_row_costs_little():
    """One core, rows that do nothing: well below a microsecond each (20 ns are wanted; a shared machine gets room)."""
    def nothing(args, task_id, task_dim):
        return

    name = "executor_test_nothing"
    kernel_table.register(name, lambda: kernel_cfunc(nothing))
    try:
        with Queue() as queue:
            f = Function("f", [Instruction(name, ())] * 20000)
            queue.run(f)
            best = min(timed(queue, f) for _ in range(5))
    finally:
        kernel_table.unregister(name)
    assert best / 20000 < 200e-9


def timed(queue, f):
    start = time.perf_counter()
    queue.run(f)
    return time.perf_counter() - start


@pytest.mark.parametrize("tasks", [2, 4])
def test_through_a_queue(address, tasks):
    name = f"executor_test_neighbours_{tasks}"
    kernel_table.register(name, lambda: address)
    cells, wrong = np.zeros(64, np.int64), np.zeros(64, np.int64)
    device = Host(0, Scheduler(tasks))
    try:
        with Queue(device) as queue:
            f = Function("f", [Instruction(name, (Constant(cells), Constant(wrong), k + 1)) for k in range(200)])
            for _ in range(3):
                cells[:] = 0
                queue.run(f, tasks)
                assert (cells[:8 * tasks:8] == 200).all() and wrong.sum() == 0
    finally:
        kernel_table.unregister(name)
        device.scheduler.close()


def test_the_executor_releases_the_gil(address):
    assert isinstance(executor(), ctypes._CFuncPtr)
    seen, stop = [], threading.Event()

    def count():
        while not stop.is_set():
            seen.append(time.perf_counter())
            time.sleep(0.0005)

    cells, wrong = np.zeros(64, np.int64), np.zeros(64, np.int64)
    rows, blocks = table_of(address, cells, wrong, 2_000_000)
    thread = threading.Thread(target=count)
    thread.start()
    start = time.perf_counter()
    executor()(rows.ctypes.data, len(rows), 0, 1, 0, 0)
    end = time.perf_counter()
    stop.set()
    thread.join()
    assert sum(start < t < end for t in seen) >= 2, end - start
    del blocks
