"""Whole programs: what overlaps, and what each stage takes."""
from __future__ import annotations

from dataclasses import replace

import pytest
from cnrt_tests.simulation_tests.small_card import CARD, HEAVY, WIDE

from cnrt.cost import Launch
from cnrt.errors import CnrtError
from cnrt.simulation import Feed, simulate

#: an image: 100 bytes to convert (2 s), 50 to copy (0.5 + 0.5 s), 25 back (0.75 s) and 50 to convert (1 s)
FEED = Feed(100.0, 50.0, 50.0, 25.0)
INVOKED = 9.5


def test_only_the_card():
    found = simulate([HEAVY], CARD, batches=3)
    assert found.seconds == found.hardware_seconds == found.busy_seconds == pytest.approx(3 * INVOKED)
    assert found.hardware_fps == found.end_to_end_fps == pytest.approx(1 / INVOKED)
    assert found.cores == ((3, pytest.approx(3 * INVOKED)), (0, 0.0), (0, 0.0), (0, 0.0))


def test_one_thread_does_one_thing_after_the_other():
    found = simulate([HEAVY], CARD, batches=2, feed=FEED)
    once = {"load": 0.0, "convert_in": 2.0, "copy_in": 1.0, "compute": INVOKED, "copy_out": 0.75, "convert_out": 1.0}
    assert found.split == {k: pytest.approx(2 * v) for k, v in once.items()}
    assert found.seconds == pytest.approx(2 * sum(once.values())) and found.latencies == pytest.approx([sum(once.values())] * 2)
    assert found.hardware_seconds == pytest.approx(2 * INVOKED)
    ready = simulate([HEAVY], CARD, batches=2, feed=replace(FEED, convert=False))
    assert ready.seconds == pytest.approx(found.seconds - 2 * 3.0)


def test_pictures_are_decoded_and_a_framework_adds_its_time():
    pictures = simulate([HEAVY], CARD, batches=1, batch=2, launch=Launch(2), feed=replace(FEED, pixels=30.0))
    assert pictures.split["load"] == pytest.approx(2 * 3.0)
    offline, online = (simulate([HEAVY], CARD, batches=1, feed=replace(FEED, online=o)) for o in (False, True))
    assert online.seconds == pytest.approx(offline.seconds + 1.0 + 2.0) and online.hardware_seconds == offline.hardware_seconds


def test_stages_of_a_pipeline_overlap():
    serial, piped = (simulate([HEAVY], CARD, batches=8, feed=replace(FEED, pipelined=p)) for p in (False, True))
    assert piped.seconds == pytest.approx(3.0 + 8 * INVOKED + 1.75) and piped.hardware_seconds == pytest.approx(serial.hardware_seconds)
    slow = simulate([HEAVY], CARD, batches=8, feed=replace(FEED, pipelined=True, in_host_bytes=1000.0))
    assert slow.end_to_end_fps == pytest.approx(1 / 21.0, rel=0.1)  # conversion takes 20 s, copying 1
    assert slow.busy_seconds == pytest.approx(8 * INVOKED)


def test_threads_share_the_host():
    one, four = (simulate([HEAVY], CARD, threads=t, batches=4, feed=FEED).split["convert_in"] / t for t in (1, 4))
    assert four == pytest.approx(2 * one, rel=0.3)  # 4 x 50 bytes a second want 200 of 100, when they come together
    assert simulate([HEAVY], CARD, threads=8, batches=1, feed=FEED).seconds > simulate([HEAVY], CARD, threads=4, batches=1, feed=FEED).seconds


def test_threads_on_channels_of_their_own_do_not_meet():
    one, two, same = (simulate([WIDE], CARD, threads=t, batches=4, channels=c) for t, c in ((1, None), (2, None), (2, [0, 0])))
    assert two.end_to_end_fps == pytest.approx(2 * one.end_to_end_fps) and two.hardware_fps == pytest.approx(2 * one.hardware_fps)
    assert one.end_to_end_fps < same.end_to_end_fps < two.end_to_end_fps


def test_more_threads_than_cores_take_turns():
    full, over = (simulate([HEAVY], CARD, threads=t, batches=4) for t in (4, 8))
    assert over.seconds == pytest.approx(2 * full.seconds) and over.busy_seconds == pytest.approx(over.seconds)
    assert sum(n for n, _ in over.cores) == 32 and max(s for _, s in over.cores) <= over.seconds * (1 + 1e-9)


def test_the_same_program_takes_the_same_time():
    def run():
        return simulate([HEAVY, WIDE], CARD, Launch(2), threads=5, batch=2, feed=replace(FEED, pipelined=True, pixels=7.0))
    assert run() == run()


@pytest.mark.parametrize(("launch", "threads", "batch"), [(Launch(8), 1, 1), (Launch(), 0, 1), (Launch(), 1, 0), (Launch(0), 1, 1),
                                                          (Launch(4, 2), 1, 1)])
def test_impossible_programs(launch, threads, batch):
    with pytest.raises(CnrtError, match="it takes at least one of each and has 4 cores"):
        simulate([HEAVY], CARD, launch, threads, batch)
