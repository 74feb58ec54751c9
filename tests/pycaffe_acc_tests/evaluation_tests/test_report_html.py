"""Evaluation reports in notebooks."""
from __future__ import annotations

import pytest
from pycaffe_acc_tests.html_check import EVIL, inert

from pycaffe_acc.evaluation.report import Accuracy, Report, Row, Throughput


def report(name):
    """A report of one row."""
    split = {"decode": 0.2, "preprocess": 0.1, "copy_in": 0.1, "compute": 0.4, "copy_out": 0.1, "post": 0.05, "other": 0.05}
    speed = Throughput(100, 250.0, 250.0, 100.0, {"p50": 4.0, "p90": 5.0, "p99": 6.0}, split, {"decode": 0.2, "preprocess": 0.1}, 1.0)
    found = Report({"cpu": name, "cpus_usable": 2})
    found.add(Row(name, {"precision": "int8", "batch": 8, "threads": 2, "device": "host", "preprocess": name}, Accuracy(100, 91, 99), speed,
                  bound="top-1 of at least 90 %", valid=True))
    return found


@pytest.mark.parametrize("name", EVIL)
def test_reports(name):
    words = inert(report(name)._repr_html_())
    for expected in ("91.00", "99.00", "250.00", "100.00", "6.00", "yes", "times are measured on host", "bound: top-1 of at least 90 %"):
        assert expected in words


def test_a_report_without_throughput():
    found = Report({})
    found.add(Row("m", {"preprocess": "raw"}, Accuracy(10, 5, 9)))
    assert "50.00" in inert(found._repr_html_())
