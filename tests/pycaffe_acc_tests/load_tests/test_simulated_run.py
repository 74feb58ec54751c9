"""Runs in a card's time."""
from __future__ import annotations

import numpy as np
import pytest
from pycaffe_acc_tests.load_tests.fakes import FakeClock, FakeEngine, scores

from cnrt.card_model import card_model
from pycaffe_acc import card
from pycaffe_acc.errors import CheckError
from pycaffe_acc.load.backlog import Arrivals
from pycaffe_acc.load.performance_run import performance_run
from pycaffe_acc.load.query import Query
from pycaffe_acc.load.run_log import RunLog
from pycaffe_acc.load.scenario import Scenario, Settings
from pycaffe_acc.load.simulated_run import SimulatedDriver, TimedEngine, service_times_ns
from pycaffe_acc.mode import TEST, set_mode_cpu, set_mode_mfus
from pycaffe_acc.net import Net
from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.model_arguments import set_batch


def timed(count, times, **kwargs):
    """Engines whose batches take known times."""
    return [TimedEngine(FakeEngine(FakeClock(), **kwargs), times) for _ in range(count)]


def served(moments, engines, checked=(), log=None, **kwargs):
    """Drive engines through given arrivals."""
    queries = [Query(i, (i,), m, i in checked) for i, m in enumerate(moments)]
    return SimulatedDriver(Arrivals(queries, **kwargs), log or RunLog()).run(engines)


def test_two_engines_to_the_nanosecond():
    log = served([0, 10, 20, 500], timed(2, {1: 100}))
    assert [(s.started_ns, s.finished_ns) for s in log.served] == [(0, 100), (10, 110), (100, 200), (500, 600)]
    assert log.wall_ns == 600 and log.ended_ns == 600 and not log.failures


def test_batches_take_the_time_of_the_smallest_that_holds_them():
    engines = timed(1, {4: 70, 1: 30, 2: 50})
    log = served([0, 0, 0, 1000, 2000, 2000], engines, max_batch=4, delay_ns=10)
    assert [s.finished_ns - s.started_ns for s in log.served] == [70, 70, 70, 30, 50, 50] and engines[0].rows == 7
    assert engines[0].service_ns(9) == 70 + 70 + 30


def test_answers_are_computed_for_compared_queries_only():
    seen = []
    engines = timed(1, {1: 10})
    log = served(range(20), engines, {3, 7}, RunLog(lambda sample, values: seen.append((sample, int(values.argmax())))))
    assert seen == [(3, 3), (7, 7)] and log.checked == 2 and engines[0]._engine.calls == 2 and log.images == 20


def test_failures_and_mismatches():
    engines = timed(1, {1: 10}, fail=[1], answer={2: scores([9])})
    log = served(range(4), engines, {0, 1, 2}, RunLog(lambda sample, values: None if values.argmax() == sample else "other"))
    assert [f.number for f in log.failures] == [1] and log.mismatches == ["query 2, other"] and len(log.served) == 3


def test_a_run_is_the_same_every_time():
    settings = Settings(Scenario.SERVER, 2.0, 100, 3, qps=900.0, bound_ms=5.0, max_batch=4, max_delay_ms=1.0)
    one, two = (performance_run(settings, timed(3, {1: 2_000_000, 2: 2_500_000, 4: 3_000_000}), range(10)).to_dict() for _ in range(2))
    assert one == two and one["latency_ms"]["min"] >= 2.0 and one["mean_batch"] > 1


def test_offline_on_several_engines():
    figures = performance_run(Settings(Scenario.OFFLINE, 1.0, 10, max_batch=8), timed(4, {8: 10_000_000}), range(10))
    assert figures.images_per_second == pytest.approx(3200) and figures.reasons() == []


def test_time_that_does_not_pass_is_an_error():
    with pytest.raises(CheckError, match="took no simulated time"):
        served([0], timed(1, {1: 0}))


@pytest.fixture
def on_card():
    """The vendor's fused mode on a virtual MLU100."""
    set_mode_mfus()
    yield
    set_mode_cpu()
    card.reset()


def test_times_of_the_embedded_net(on_card):
    nets = {}
    for size in (1, 4):
        nets[size] = Net(str(FOLDER / "deploy.prototxt"), TEST, weights=str(FOLDER / "digits.caffemodel"))
        set_batch(nets[size], size)
    alone, crowd = service_times_ns(nets, "MLU100", 1), service_times_ns(nets, "MLU100", 32)
    assert alone == service_times_ns(nets, "MLU100", 1)
    assert 0 < alone[1] < alone[4] < 4 * alone[1] and all(crowd[n] >= alone[n] for n in nets)
    spec = card_model("MLU100")
    assert alone[1] > 1e9 * (spec.launch_seconds + 2 * spec.copy_seconds)


def test_layers_on_the_host_are_refused(on_card, tmp_path):
    text = ('layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 1 dim: 4 dim: 4 } } }\n'
            'layer { name: "wide" type: "InnerProduct" bottom: "data" top: "wide" inner_product_param { num_output: 4 } }\n'
            'layer { name: "best" type: "ReLU" bottom: "wide" top: "best" engine: CAFFE }\n')
    (tmp_path / "net.prototxt").write_text(text)
    net = Net(str(tmp_path / "net.prototxt"), TEST)
    with pytest.raises(CheckError, match="cannot be simulated, since 1 of its layers would run on the host; the first is 'best': its engine"):
        service_times_ns({1: net}, "MLU100", 1)


def test_the_scores_of_fakes_are_what_the_tests_take_them_for():
    assert scores([3, 14]).argmax(1).tolist() == [3, 4] and scores([1]).dtype == np.float32
