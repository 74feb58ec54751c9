"""What a run may be asked to do."""
from __future__ import annotations

import math

import pytest

from pycaffe_acc.errors import CheckError
from pycaffe_acc.load.scenario import MLPERF, Scenario, Settings

SERVER = {"scenario": Scenario.SERVER, "qps": 10.0}
STREAM = {"scenario": Scenario.SINGLE_STREAM}


@pytest.mark.parametrize(("options", "words"), [
    ({**SERVER, "qps": 0.0}, "the rate is 0 "), ({**SERVER, "qps": -1.0}, "the rate is -1"), ({**SERVER, "qps": math.nan}, "the rate is nan"),
    ({**SERVER, "qps": math.inf}, "the rate is inf"), ({**SERVER, "qps": None}, "Server needs a rate"),
    ({**STREAM, "qps": 1.0}, "has no use for a rate"),
    ({**SERVER, "qps": 1e9}, "more than the 5000000"), ({**SERVER, "min_queries": 10**8}, "more than the 5000000"),
    ({**SERVER, "bound_ms": 0.0}, "the latency bound is 0"), ({**SERVER, "percentile": 100.0}, "the percentile is 100"),
    ({**SERVER, "percentile": math.nan}, "the percentile is nan"), ({**STREAM, "min_seconds": -1.0}, "min_seconds is -1"),
    ({**STREAM, "min_seconds": math.inf}, "min_seconds is inf"), ({**STREAM, "min_queries": 0}, "min_queries 0"),
    ({**STREAM, "check_share": 1.5}, "check_share is 1.5; it must be a number from 0 to 1"), ({**STREAM, "seed": -1}, "the seed -1"),
    ({**STREAM, "samples_per_query": 8}, "belong to MultiStream"), ({**STREAM, "max_delay_ms": 1.0}, "in Server only"),
    ({**SERVER, "max_delay_ms": -1.0}, "max_delay_ms is -1"), ({**SERVER, "max_batch": 0}, "max_batch 0"),
])
def test_a_bad_value_is_a_sentence(options, words):
    with pytest.raises(CheckError, match=f"^load: .*{words}"):
        Settings(**options)


def test_every_scenario_knows_what_mlperf_asks():
    assert set(MLPERF) == set(Scenario) and [s for s in Scenario if s.stream] == [Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM]
