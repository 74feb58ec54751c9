"""Ratios, means and tables of the benchmark against other engines."""
from __future__ import annotations

import math

import pytest
from benchmark_tests.peers_document import document, engine, load, network, setting

tables = load("peers_tables")

FIRST = network("first", setting(1, 1, ours=10.0, openvino=20.0, onnxruntime=15.0, ours_fp16=8.0), setting(2, 1, ours=5.0, openvino=5.0), gflop=0.5)
SECOND = network("second", setting(1, 1, {"opencv": "its Caffe importer: error: no such layer"}, ours=4.0, openvino=3.0, onnxruntime=24.0))
BOTH = document(FIRST, SECOND)


def test_geometric_mean():
    """exp of the mean logarithm; of nothing it is not a number."""
    assert tables.geometric_mean([1.0, 4.0, 2.0]) == pytest.approx(2.0)
    assert math.isnan(tables.geometric_mean([]))


def test_the_best_peer_is_the_fastest_and_ours_is_none():
    """FP16 of ours is faster than all and still no peer."""
    assert tables.best_peer(FIRST["settings"][0]) == ("onnxruntime", 15.0)
    assert tables.best_peer(setting(1, 1, ours=1.0, ours_fp16=0.5)) is None


def test_ratios_are_by_our_time():
    """Above 1 means that the other is slower."""
    s = FIRST["settings"][0]
    assert tables.ratio(s, "openvino") == 2.0
    assert tables.ratio(s, "best") == 1.5
    assert tables.ratio(s, "ours_fp16") == 0.8
    assert tables.ratio(s, "opencv") is None


def test_ratio_of_the_shortest_times():
    """One slow forward of a peer does not count."""
    s = setting(1, 1, ours=10.0, openvino=20.0)
    s["engines"]["openvino"]["min_ms"] = 12.0
    assert tables.least_ratio(s) == pytest.approx(1.2) and tables.ratio(s, "best") == 2.0
    assert tables.least_ratio(setting(1, 1, ours=1.0)) is None


def test_share_of_the_limit():
    """0.5 GFLOP an image in 10 ms are 50 GFLOP/s, half of 100; eight images eight times that."""
    assert tables.share_of_limit(FIRST, FIRST["settings"][0]) == pytest.approx(0.5)
    assert tables.share_of_limit(FIRST, setting(1, 8, ours=10.0)) == pytest.approx(4.0)


def test_summary():
    """Means over the networks that have the setting, and the worst of them."""
    one, two = tables.summary(BOTH)
    assert (one["threads"], one["batch"], one["networks"]) == (1, 1, 2)
    assert one["means"]["best"] == pytest.approx(math.sqrt(1.5 * 0.75))
    assert one["means"]["onnxruntime"] == pytest.approx(math.sqrt(1.5 * 6))
    assert one["least_mean"] == pytest.approx(one["means"]["best"])
    assert (one["worst"], one["worst_ratio"]) == ("second", 0.75)
    assert one["compared"]["opencv"] == 0 and math.isnan(one["means"]["opencv"])
    assert (two["threads"], two["networks"], two["means"]["best"]) == (2, 1, 1.0)


def test_settings_are_ordered_by_batch():
    """Batch 1 with one and two threads, then batch 8."""
    many = document(network("n", setting(2, 8, ours=1.0), setting(1, 8, ours=1.0), setting(2, 1, ours=1.0), setting(1, 1, ours=1.0)))
    assert tables.settings(many) == [(1, 1), (2, 1), (1, 8), (2, 8)]


def test_a_table_of_a_setting():
    """The fastest peer stands in italics, what is missing is a dash."""
    lines = tables.setting_table(BOTH, 1, 1).splitlines()
    assert [c.strip() for c in lines[2].strip("|").split("|")] == ["first", "0.50", "10.00", "8.00", "20.00", "*15.00*", "–", "1.50", "50%"]
    assert [c.strip() for c in lines[3].strip("|").split("|")] == ["second", "1.00", "4.00", "–", "*3.00*", "24.00", "–", "0.75", "250%"]
    assert len({line.count("|") for line in lines}) == 1


def test_failures_are_said_once_with_all_their_settings():
    """The same reason at two settings is one line; an importer that was not taken is named too."""
    why = {"opencv": "its Caffe importer: error: no such layer"}
    other = setting(2, 8, ours=1.0)
    other["engines"]["opencv"] = engine(2.0, "its Caffe importer: its output differs by 0.5")
    lines = tables.failures(document(network("n", setting(1, 1, why, ours=1.0), setting(2, 1, why, ours=1.0), other)))
    assert lines == ["OpenCV was left out on n: its Caffe importer: error: no such layer (1 threads, batch 1; 2 threads, batch 1).",
                     "OpenCV on n runs by its ONNX importer, since with its Caffe importer: its output differs by 0.5 (2 threads, batch 8)."]


def test_the_report_names_the_machine():
    """Processor, versions, date, limits and load belong under every number."""
    text = tables.markdown(BOTH)
    for word in ("Some CPU, 2 of 4 CPUs", "numba 2", "OpenVINO 1", "2000-01-01 00:15", "110.0 GFLOP/s", "30.0 GB/s", "Load average (1 min) 0.5"):
        assert word in text
    assert "no such layer" in text
