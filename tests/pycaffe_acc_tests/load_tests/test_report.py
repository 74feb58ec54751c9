"""What is printed and drawn."""
from __future__ import annotations

import json

import pytest
from pycaffe_acc_tests.load_tests.fakes import FakeClock, FakeEngine

from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.report import Accuracy
from pycaffe_acc.load.performance_run import Search, Trial, performance_run
from pycaffe_acc.load.plot import plot_latency
from pycaffe_acc.load.report import LoadReport
from pycaffe_acc.load.scenario import HEADING, Scenario, Settings

CONFIGURATION = {"scenario": "Server", "precision": "fp32", "instances": 1, "threads": 2, "batch": 1, "preprocess": "raw"}


def figures(settings=None, **kwargs):
    """A run of some queries."""
    clock = FakeClock()
    settings = settings or Settings(Scenario.SERVER, 0.5, 10, qps=50.0, bound_ms=40.0)
    engine = FakeEngine(clock, lambda call, samples: 3_000_000 + 1000 * call, **kwargs)
    return performance_run(settings, [engine], range(10), lambda sample, values: None, clock)


def report(run, **kwargs):
    """A report of it."""
    return LoadReport("net.prototxt", CONFIGURATION, Accuracy(100, 90, 99), {"seed": 0}, run, seconds={"load": 0.1}, **kwargs)


def test_everything_is_headed_and_has_its_accuracy():
    found = report(figures())
    text, document = found.text(), found.to_dict()
    assert text.startswith(f"{HEADING}: Server of net.prototxt") and document["heading"] == HEADING == "MLPerf-style, not MLPerf"
    assert "top-1 90.00 %" in text and document["top1"] == 90.0 and text.endswith("VALID") and "INVALID" not in text
    assert "in queue" in text and "service" in text and "scheduled arrival" in text and "early-stopping" in text
    json.dumps(document, allow_nan=False)
    assert document["valid"] and document["performance"]["mlperf_asks"] == {"seconds": 600, "queries": 270336, "percentile": 99.0}


def test_failures_make_it_invalid_and_are_listed():
    text = report(figures(fail=[2, 3])).text()
    assert "failed: query 2 (images " in text and "INVALID: 2 queries failed" in text


def test_many_failures_are_counted_and_some_shown():
    found = report(figures(fail=range(15)))
    assert found.text().count("failed: query") == 10 and "… and 5 more" in found.text()
    assert len(found.to_dict()["performance"]["failure_list"]) == 15


def test_the_accuracy_bound():
    assert "INVALID: top-1 is 90.000 %; the bound is 95 %" in report(None, bound=95.0).text()
    assert report(None, bound=90.0).to_dict()["valid"] and "accuracy run of" in report(None).text()
    assert not report(None, bound=float("nan")).to_dict()["valid"]


def test_the_search_is_shown():
    run = figures()
    found = report(run, search=Search(run, [Trial(50.0, True, 3.5, 30, []), Trial(60.0, False, 99.0, 31, ["late"])], 0.05))
    assert "60.00         99.000       31     NO" in found.text() and found.to_dict()["search"]["trials"][1]["reasons"] == ["late"]


def test_nothing_was_answered():
    clock = FakeClock()
    run = performance_run(Settings(Scenario.SINGLE_STREAM, 0.0, 2), [FakeEngine(clock, 5, fail=range(9))], [0], clock=clock)
    assert "no query was answered" in report(run).text() and run.to_dict()["latency_ms"] is None and run.to_dict()["histogram"] is None
    pytest.importorskip("matplotlib")
    with pytest.raises(CheckError, match="no query was answered"):
        plot_latency(run, "never.png", "x")


@pytest.mark.parametrize("settings", [None, Settings(Scenario.OFFLINE, 0.0, 20, max_batch=4)])
def test_plot(tmp_path, settings):
    pytest.importorskip("matplotlib")
    plot_latency(figures(settings), tmp_path / "a.svg", "net")
    picture = (tmp_path / "a.svg").read_text()
    assert HEADING in picture and "p99" in picture and ("bound" in picture) == (settings is None)
    assert [p.name for p in tmp_path.iterdir()] == ["a.svg"]
    with pytest.raises(CheckError, match="must end with one of"):
        plot_latency(figures(settings), tmp_path / "a.gif", "net")
