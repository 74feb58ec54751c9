from __future__ import annotations

import threading
import time

import pytest
from cnrt_tests.probe_kernels import probe

from cnrt import CnrtError, Function, Instruction, Queue, RetCode, get
from cnrt.cores import Cores
from cnrt.devices.host import Host
from cnrt.devices.mlu100 import Mlu100
from cnrt.scheduler import Scheduler


def take(cores, count, channel=-1):
    held = []
    cores.take(count, held, channel)
    return held


def test_cores_of_the_channel_come_first():
    cores = Cores("card", 4, 8)
    assert take(cores, 4, 2) == [16, 17, 18, 19]
    assert take(cores, 6, 2) == [20, 21, 22, 23, 0, 1]
    assert take(cores, 2) == [2, 3]
    assert [u.core for u in cores.uses() if u.busy] == [0, 1, 2, 3, 16, 17, 18, 19, 20, 21, 22, 23]


def test_all_at_once_in_the_order_of_asking():
    cores = Cores("card", 1, 4)
    first = take(cores, 3)
    got = []

    def want(name, count):
        held = take(cores, count)
        got.append((name, held))
        cores.give(held, name)

    threads = []
    for name, count in (("all", 4), ("one", 1)):  # a core is free for "one", but "all" has asked before
        threads.append(threading.Thread(target=want, args=(name, count)))
        threads[-1].start()
        while len(cores._waiting) < len(threads):
            time.sleep(0.001)
    assert got == []
    cores.give(first, "first")
    for thread in threads:
        thread.join(10)
    assert got == [("all", [0, 1, 2, 3]), ("one", [0])]
    assert [u.functions for u in cores.uses()] == [3, 2, 2, 1] and not any(u.busy for u in cores.uses())


def test_busy_time_counts_while_it_runs():
    cores = Cores("card", 2, 2)
    before = cores.uses()
    held = take(cores, 1, 1)
    time.sleep(0.01)
    running = [u.since(b) for u, b in zip(cores.uses(), before, strict=True)]
    assert held == [2] and running[2].busy_ns >= 9_000_000 and running[2].channel == 1 and running[0].busy_ns == 0
    cores.give(held, "f")
    assert cores.uses()[2].busy_ns >= running[2].busy_ns and cores.uses()[2].functions == 1


@pytest.mark.parametrize("count", [0, 5])
def test_more_than_there_are(count):
    with pytest.raises(CnrtError, match="it has 4") as e:
        Cores("card", 1, 4).take(count, [])
    assert e.value.code == RetCode.ERR_INVALID


def test_a_card_books_its_cores_and_the_host_its_slots():
    card, host = Mlu100(0, Scheduler(2)), Host(0, Scheduler(2))
    seen = []
    with probe(lambda *_: seen.append([u.core for u in card.core_uses() if u.busy])) as name:
        f = Function("f", [Instruction(name, ())])
        with Queue(card, 3) as queue:
            queue.run(f, 4)
        with Queue(host) as queue:
            queue.run(f, 4)
    assert seen == [[24, 25, 26, 27]] * 2 + [[]] * 2  # two host threads computed for four cores of the card
    assert [u.core for u in card.core_uses() if u.functions] == [24, 25, 26, 27]
    assert [u.functions for u in host.core_uses()] == [1, 1]
    card.scheduler.close()
    host.scheduler.close()


def test_queues_of_a_card_wait_for_its_cores():
    card = Mlu100(0, Scheduler(3))
    lock, now, most = threading.Lock(), [0], [0]

    def work(args, task, tasks):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.005)
        with lock:
            now[0] -= 1

    with probe(work) as name:
        queues = [Queue(card, c % 4) for c in range(3)]
        for queue in queues:
            queue.invoke_slices([(Function("f", [Instruction(name, ())]), [])], 32)
        for queue in queues:
            queue.destroy()
    assert sum(u.functions for u in card.core_uses()) == 96 and most[0] <= 3
    card.scheduler.close()


def test_the_null_device_books_too():
    device = get("null")
    before = device.core_uses()
    with Queue(device, 1) as queue:
        queue.run(Function("f", []), 8)
    used = [u.since(b) for u, b in zip(device.core_uses(), before, strict=True)]
    assert [u.core for u in used if u.functions] == list(range(8, 16))


class InterruptingLock:
    """A lock behind which Ctrl-C comes, once, right when it is let go."""

    def __init__(self):
        self.lock, self.left = threading.Lock(), 1

    def __enter__(self):
        self.lock.acquire()

    def __exit__(self, *exception):
        self.lock.release()
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def test_an_interrupt_right_behind_the_place_in_the_row():
    """No core may be given to somebody who is gone: it would never come back."""
    cores = Cores("card", 1, 2)
    first = take(cores, 2)
    cores._lock = InterruptingLock()
    with pytest.raises(KeyboardInterrupt):
        take(cores, 1)
    cores.give(first, "first")
    assert not cores._waiting and take(cores, 2) == [0, 1]
