"""Time on the queues of a virtual card."""
from __future__ import annotations

import threading
import time

import pytest
from cnrt_tests import tiny_model

import cnrt
from cnrt import Function, Instruction, Notifier, Queue, duration_us, kernel_table
from cnrt.cost import Cost, Launch
from cnrt.device import set_current_device
from cnrt.devices.mlu100 import Mlu100
from cnrt.errors import CnrtError
from cnrt.launch import InitFuncParam, LaunchFunction
from cnrt.queue import keep_company
from cnrt.simulation import simulate

COSTS = (Cost("a", "float16", 1 << 30, 512, 512, 0, 1 << 20, 1 << 21, 1 << 21, 8),
         Cost("b", "int8", 1 << 28, 64, 64, 0, 1 << 18, 1 << 20, 1 << 20, 8))


def nothing(args, task_id, task_dim):
    """A kernel that computes nothing."""


@pytest.fixture(scope="module")
def kernel():
    from cnml.jit import kernel_cfunc
    address = kernel_cfunc(nothing)
    kernel_table.register("nothing", lambda: address)
    yield "nothing"
    kernel_table.unregister("nothing")


@pytest.fixture
def card():
    yield Mlu100(0)
    set_current_device(None)


@pytest.fixture
def function(kernel):
    return Function("f", [Instruction(kernel, (), COSTS[:1]), Instruction(kernel, (), COSTS[1:])])


def timed(queue, function, *args, **kwargs):
    start, end = Notifier(), Notifier()
    queue.place(start)
    queue.invoke(function, *args, **kwargs)
    queue.place(end)
    queue.sync()
    assert start.simulated and start.time_source == "simulated MLU100"
    return duration_us(start, end)


def test_notifiers_tell_what_the_model_says(card, function):
    with Queue(card, 0) as queue:
        expected = 1e6 * simulate(COSTS, card.clock.card, batches=1).hardware_seconds
        assert timed(queue, function) == pytest.approx(expected, abs=1e-3) == timed(queue, function)
        assert queue.simulated_ns == pytest.approx(2e3 * expected, abs=2)
        shared = 1e6 * simulate(COSTS, card.clock.card, Launch(1, 4), batches=1).hardware_seconds
        assert timed(queue, function, 4) == pytest.approx(shared, abs=1e-3) != expected


def test_slices_run_beside_each_other(card, function, kernel):
    twin = Function("f", function.instructions)
    with Queue(card, 0) as queue:
        alone = timed(queue, function)
        start, end = Notifier(), Notifier()
        queue.run_slices([(function, ()), (twin, ())], 1, (start, end))
        assert alone <= duration_us(start, end) < 1.9 * alone


def test_a_queue_may_say_how_its_functions_are_spread(card, function):
    with Queue(card, 0) as queue:
        alone = timed(queue, function)
        queue.parallelism = Launch(8, 1, whole=True)
        assert queue.parallelism == Launch(8, 1, whole=True) and timed(queue, function, 2) < 0.5 * alone
        queue.parallelism = None
        assert timed(queue, function) == alone


def test_only_declared_company_counts(card, kernel):
    function = Function("f", [Instruction(kernel, (), (Cost("wide", "float16", read_bytes=1 << 24, write_bytes=1 << 24),))])
    queues = [Queue(card, channel) for channel in (0, 0, 0, 1)]
    alone = timed(queues[0], function)
    threads = [threading.Thread(target=timed, args=(q, function)) for q in queues[1:]]
    for t in threads:
        t.start()
    assert timed(queues[0], function) == alone  # whatever the others did meanwhile
    for t in threads:
        t.join()
    keep_company([[q] for q in queues])
    assert all(q.simulated_ns == 0 for q in queues)
    crowded, quiet = timed(queues[0], function), timed(queues[3], function)
    assert crowded > alone and quiet == alone
    keep_company([[q] for q in queues[:1]])
    assert timed(queues[0], function) == alone
    for q in queues:
        q.destroy()


def test_waiting_for_another_queue_waits_in_simulated_time(card, function):
    with Queue(card, 0) as first, Queue(card, 1) as second:
        reached, after = Notifier(), Notifier()
        for _ in range(3):
            first.invoke(function)
        first.place(reached)
        second.wait(reached)
        second.place(after)
        second.sync()
        assert after.time_ns == reached.time_ns == first.simulated_ns > 0


def test_host_work_takes_no_simulated_time(card):
    with Queue(card, 0) as queue:
        queue.call(lambda: time.sleep(0.01))
        queue.sync()
        assert queue.simulated_ns == 0


def test_simulated_and_measured_times_do_not_mix(card, function):
    with Queue(card, 0) as queue, Queue(cnrt.get("host")) as host:
        a, b = Notifier(), Notifier()
        queue.place(a)
        host.place(b)
        queue.sync()
        host.sync()
        with pytest.raises(CnrtError, match="one has simulated MLU100 time, the other host time"):
            duration_us(a, b)
        assert not b.simulated and host.simulated_ns == 0


def test_instructions_that_say_no_cost_take_what_every_instruction_takes(card, kernel):
    spec = card.clock.card
    with Queue(card, 0) as queue:
        assert timed(queue, Function("f", [Instruction(kernel, ())] * 3)) == pytest.approx(
            1e6 * (spec.launch_seconds + 3 * spec.instruction_seconds), abs=1e-3)


def test_a_type_that_the_card_does_not_compute_in(kernel):
    card = cnrt.get("TPUv1")
    with Queue(card) as queue:
        queue.invoke(Function("f", [Instruction(kernel, (), (Cost("conv1", "float32", 100),))]))
        with pytest.raises(CnrtError, match="float32 arithmetic on TPUv1"):
            queue.sync()


def test_offline_functions_count_their_slices(card):
    with tiny_model.kernels():
        set_current_device(card)
        times = []
        for data, model in ((1, 1), (4, 1), (4, 2)):
            function = LaunchFunction()
            function.extract(tiny_model.model(model), "subnet0")
            function.init_memory(InitFuncParam(False, data, 1))
            memories = [card.malloc(d.device_nbytes(data)) for d in (*function.inputs(), *function.outputs())]
            with Queue(card, 0) as queue:
                start, end = Notifier(), Notifier()
                function.run(queue, memories, 1, (start, end))
                times.append(duration_us(start, end))
            assert function.data_parallelism == data and function.costs == ()
        spec = card.clock.card
        assert times[0] == times[1] == pytest.approx(1e6 * (spec.launch_seconds + 2 * spec.instruction_seconds), abs=1e-3)
        assert times[2] == pytest.approx(times[0] + 2e6 * spec.barrier_seconds, abs=1e-3)
