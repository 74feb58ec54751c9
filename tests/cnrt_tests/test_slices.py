from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from cnrt_tests.probe_kernels import probe, words

from cnrt import Constant, Function, Instruction, Notifier, Param, Queue, Scratch, duration_us
from cnrt.devices.host import Host
from cnrt.errors import CnrtError
from cnrt.scheduler import Scheduler
from cnrt.slices import run_beside


@pytest.fixture
def device():
    made = Host(0, Scheduler(4))
    yield made
    made.scheduler.close()


def test_slices_meet_each_other(device):
    """Each of two slices waits inside its kernel for the other: one after the other they would never end."""
    together = threading.Barrier(2)
    seen = []

    def meet(args, task, tasks):
        if task == 0:
            together.wait(30)
        seen.append((words(args, 1)[0], tasks))

    with probe(meet) as name, Queue(device) as queue:
        queue.run_slices([(Function("f", [Instruction(name, (k,))]), []) for k in range(2)], 2)
        queue.invoke_slices([(Function("f", [Instruction(name, (k,))]), []) for k in range(2)], 2)
        queue.sync()
    assert sorted(seen) == sorted([(k, 2) for k in range(2)] * 4)


def test_more_slices_than_cores_take_turns():
    device = Host(0, Scheduler(2))
    lock, now, most, seen = threading.Lock(), [0], [0], []

    def work(args, task, tasks):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.002)
        with lock:
            now[0] -= 1
        seen.append(words(args, 1)[0])

    with probe(work) as name, Queue(device) as queue:
        queue.run_slices([(Function("f", [Instruction(name, (k,))]), []) for k in range(16)])
    assert sorted(seen) == list(range(16)) and most[0] == 2
    device.scheduler.close()


def test_values_with_scratch_and_parameters_of_their_own(device):
    """Softmax needs scratch; every slice has its input, its output and its part of the scratch."""
    rng = np.random.default_rng(1)
    xs = [rng.standard_normal((64, 6)).astype(np.float32) for _ in range(6)]
    ys = [np.empty_like(x) for x in xs]
    around = Notifier(), Notifier()
    with Queue(device) as queue:
        functions = [Function("softmax", [Instruction("softmax_f32", (Param(0), Param(1), 64, 6, 1, Scratch(1 << 14)))] * 5) for _ in xs]
        for _ in range(10):
            queue.run_slices([(f, [x, y]) for f, x, y in zip(functions, xs, ys, strict=True)], 2, around)
    for x, y in zip(xs, ys, strict=True):
        np.testing.assert_allclose(y, np.exp(x) / np.exp(x).sum(1, keepdims=True), rtol=1e-5)
    assert duration_us(*around) > 0 and device.scheduler.busy == 0


def test_the_first_error_comes_when_all_have_ended():
    ended = []

    def fail():
        raise CnrtError(632007, "broken")

    def slow():
        time.sleep(0.05)
        ended.append(1)

    with pytest.raises(CnrtError, match="broken"):
        run_beside([slow, fail, slow], 3)
    assert ended


def test_a_freed_block_is_noticed(device):
    memory = device.malloc(64)
    x = np.zeros(8, np.float32)
    with Queue(device) as queue:
        good = Function("good", [Instruction("sqrt_f32", (Constant(x), Constant(x.copy()), 8))])
        bad = Function("bad", [Instruction("sqrt_f32", (memory, Constant(x.copy()), 8))])
        memory.free()
        with pytest.raises(CnrtError, match="freed"):
            queue.run_slices([(good, []), (bad, [])])
