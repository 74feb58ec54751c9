"""The schema that refuses misleading rows."""
from __future__ import annotations

import json
import re

import pytest

from pycaffe_acc.evaluation.report import SPLIT, Accuracy, Report, ReportError, Row, Throughput


def throughput(images=10, simulated=False, **changes):
    """A consistent Throughput."""
    values = dict(images=images, hardware_fps=50.0, hardware_fps_vendor=50.0, end_to_end_fps=10.0, latency_ms={"p50": 1.0, "p90": 2.0, "p99": 3.0},
                  split_seconds={**dict.fromkeys(SPLIT, 0.1), "other": 0.4}, work_seconds={"decode": 0.2, "preprocess": 0.1}, wall_seconds=1.0,
                  simulated=simulated)
    return Throughput(**(values | changes))


SEVEN_OF_TEN = Accuracy(10, 7, 9)


def row(accuracy=SEVEN_OF_TEN, **changes):
    """A consistent Row."""
    return Row("net", {"precision": "fp32", "preprocess": "raw"}, accuracy, **({"throughput": throughput()} | changes))


def test_throughput_without_accuracy_is_refused():
    with pytest.raises(ReportError, match="throughput but no accuracy"):
        row(accuracy=None)


def test_accuracy_alone_is_fine():
    assert row(throughput=None).to_dict()["top1"] == 70.0


def test_both_must_be_over_the_same_images():
    with pytest.raises(ReportError, match="throughput over 9 images and accuracy over 10"):
        row(throughput=throughput(images=9))


def test_accuracy_without_preprocessing_is_refused():
    with pytest.raises(ReportError, match="does not say how the images were prepared"):
        Row("net", {"precision": "fp32"}, Accuracy(10, 7, 9))


@pytest.mark.parametrize("counts", [(0, 0, 0), (10, 8, 7), (10, -1, 5), (10, 5, 11)])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(ReportError):
        Accuracy(*counts)


@pytest.mark.parametrize("changes", [{"hardware_fps": 0.0}, {"end_to_end_fps": float("nan")}, {"wall_seconds": float("inf")},
                                     {"hardware_fps_vendor": -1.0}])
def test_impossible_rates_are_refused(changes):
    with pytest.raises(ReportError, match=next(iter(changes))):
        throughput(**changes)


def test_the_split_must_sum_to_the_wall_time():
    with pytest.raises(ReportError, match=re.escape("sums to 0.600000 s and the wall time is 1.000000 s")):
        throughput(split_seconds=dict.fromkeys(SPLIT, 0.1))


def test_simulated_and_measured_do_not_mix():
    report = Report({})
    report.add(row())
    report.add(row())
    with pytest.raises(ReportError, match="must not stand in one table"):
        report.add(row(throughput=throughput(simulated=True)))
    assert len(report.rows) == 2


def test_json_has_the_first_rows_figures_at_the_top():
    report = Report({"cpu": "x"}, 1.0, 2.0, 3.0)
    report.add(row(valid=True, bound="top-1 of at least 60 %"))
    document = json.loads(json.dumps(report.to_dict()))
    assert (document["top1"], document["top5"], document["images"], document["valid"], document["time"]) == (70.0, 90.0, 10, True, "measured")
    assert document["compile_seconds"] == 2.0
    assert document["rows"] == [report.rows[0].to_dict()]
    report.add(row(accuracy=Accuracy(10, 1, 2)))
    assert report.to_dict()["top1"] == 70.0 and [r["top1"] for r in report.to_dict()["rows"]] == [70.0, 10.0], "those of the first row"
