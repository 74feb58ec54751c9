"""How long invocations take: arithmetic and memory beside each other, what cores share, what company costs."""
from __future__ import annotations

import pytest
from cnrt_tests.simulation_tests.small_card import CARD, HEAVY, WIDE

from cnrt.card_model import CardModel
from cnrt.cost import ALONE, Cost, Launch
from cnrt.simulation import Clock, Company, layer_times

BOTH = HEAVY._replace(read_bytes=2000, write_bytes=2000)


def seconds(*costs: Cost, launch: Launch = ALONE, channel: int = 0, beside: tuple[int, ...] = (), card: CardModel = CARD) -> float:
    return 1e-9 * Clock(card).invocation_ns(costs, launch, channel, Company(beside))


def test_an_invocation_is_its_launch_and_its_instructions():
    assert seconds() == 1.0
    assert seconds(HEAVY) == pytest.approx(1 + 8.5)
    assert seconds(HEAVY, HEAVY) == pytest.approx(1 + 17)
    assert seconds(WIDE) == pytest.approx(1 + 5)


def test_arithmetic_and_memory_overlap():
    assert seconds(BOTH) == pytest.approx(1 + 8.5)
    assert seconds(BOTH, card=CARD.with_constants(core_bytes_per_second=100.0)) == pytest.approx(1 + 40)


def test_cores_of_a_channel_share_its_memory():
    # alone a core draws 800 of the channel's 1000; two of them have 500 each
    assert seconds(WIDE, launch=Launch(2)) == pytest.approx(1 + 8)
    assert seconds(HEAVY, launch=Launch(2)) == seconds(HEAVY)


def test_weights_are_read_once_for_all_or_by_each():
    weights = Cost("weights", "float16", weight_bytes=4000)
    assert seconds(weights, launch=Launch(2)) == pytest.approx(1 + 8)
    assert seconds(weights, launch=Launch(2), card=CARD.with_constants(weight_sharing=0.0)) == pytest.approx(1 + 5)


def test_cores_of_another_channel_read_through_its_port():
    assert seconds(WIDE, launch=Launch(4)) == pytest.approx(1 + 16)                         # four cores at one DDR
    slow = CARD.with_constants(noc_bytes_per_second=250.0)
    assert seconds(WIDE, launch=Launch(4), card=slow) == pytest.approx(1 + 32)              # 8000 bytes through a port of 250
    spread = CARD.with_constants(interleaved=1, noc_bytes_per_second=1e9)
    assert seconds(WIDE, launch=Launch(4), card=spread) == pytest.approx(1 + 8)             # both DDRs


def test_sharing_an_image_cuts_arithmetic_and_adds_barriers():
    assert seconds(HEAVY, launch=Launch(1, 2)) == pytest.approx(1 + 4 + 0.5 + 0.25)
    # each reads the whole input, so memory gains little
    assert seconds(WIDE, launch=Launch(1, 2)) == pytest.approx(1 + 2 * 3000 / 1000)


def test_company_on_the_same_channel_costs_memory_then_cores():
    alone = seconds(WIDE)
    assert seconds(WIDE, beside=(1,)) == pytest.approx(alone)
    assert seconds(WIDE, beside=(0,)) == pytest.approx(1 + 8)
    assert seconds(HEAVY, beside=(0,)) == pytest.approx(seconds(HEAVY))
    assert seconds(HEAVY, beside=(0, 0)) > 1.3 * seconds(HEAVY)  # three programs on two cores


def test_the_same_question_has_the_same_answer():
    def ask() -> int:
        return Clock(CARD).invocation_ns((BOTH, WIDE, HEAVY), Launch(2), 0, Company((0, 0, 1)))
    assert {ask() for _ in range(5)} == {ask()}


@pytest.mark.parametrize(("name", "better"), [("ddr_bytes_per_second", 2.0), ("core_bytes_per_second", 2.0), ("mac_efficiency", 1.2),
                                              ("noc_bytes_per_second", 2.0), ("launch_seconds", 0.5), ("instruction_seconds", 0.5),
                                              ("vector_ops_per_second", 2.0), ("barrier_seconds", 0.5), ("onchip_bytes", 1.0)])
def test_a_better_card_is_never_slower(name, better):
    costs = (BOTH, WIDE, HEAVY, Cost("small", "int8", 100, 2, 2, 50, 500, 300, 100))
    improved = CARD.with_constants(**{name: getattr(CARD, name) * better if name != "onchip_bytes" else 3000.0})
    for launch in (Launch(), Launch(2), Launch(4), Launch(1, 2), Launch(2, 2)):
        for beside in ((), (0,), (0, 1)):
            assert seconds(*costs, launch=launch, beside=beside, card=improved) <= seconds(*costs, launch=launch, beside=beside) + 1e-9


def test_a_faster_clock_helps_arithmetic_alone():
    fast = CARD.at_clock(2e9)
    assert seconds(HEAVY, card=fast) == pytest.approx(1 + 4.5) and seconds(WIDE, card=fast) == seconds(WIDE)


def test_layers_sum_to_the_invocation_and_say_what_ends_them():
    costs = (BOTH, WIDE, Cost("view", "float16"))
    rows = layer_times(costs, CARD, Launch(2))
    assert sum(r.seconds for r in rows) + CARD.launch_seconds == pytest.approx(seconds(*costs, launch=Launch(2)))
    assert [(r.cost.name, r.bound) for r in rows] == [("heavy", "arithmetic"), ("wide", "memory"), ("view", "overhead")]
