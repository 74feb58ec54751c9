"""Figures of a run, its lines and its document."""
from __future__ import annotations

import json

import pytest

from pycaffe_acc.errors import CheckError
from pycaffe_acc.runners.report import closing_lines, document, thread_lines, write_document
from pycaffe_acc.runners.tally import Figures, Tally
from pycaffe_acc.runners.top5 import Hits


def hits(top1, top5, images):
    """Counts as if they had been counted."""
    made = Hits()
    made.top1, made.top5, made.images = top1, top5, images
    return made


@pytest.fixture
def tallies():
    """Two threads with two functions each, half of whose time overlaps."""
    return [Tally(hits(3, 4, 5), [(0, 100_000), (200_000, 300_000)]), Tally(hits(2, 5, 5), [(50_000, 150_000), (200_000, 300_000)])]


def test_both_definitions(tallies):
    figures = Figures.of(10, tallies, 1000.0, 4)
    assert figures.hardware_us == 400 and figures.busy_us == 250
    assert figures.hardware_fps == pytest.approx(10 / 400 * 2 * 1e6)
    assert figures.busy_fps == pytest.approx(10 / 250 * 1e6)
    assert figures.end_to_end_fps == pytest.approx(1e4) and figures.latency_us == pytest.approx(160)
    many = Figures(10, Hits(), 400.0, 250.0, 1000.0, 64, 4)
    assert many.throughput == pytest.approx(many.hardware_fps / 2)


def test_the_older_lines(tallies):
    assert thread_lines(tallies, newer=False) == ["Accuracy thread id : 0", "accuracy1: 0.6 (3/5)", "accuracy5: 0.8 (4/5)", "Accuracy thread id : 1",
                                                  "accuracy1: 0.4 (2/5)", "accuracy5: 1 (5/5)"]
    assert closing_lines(Figures.of(12, tallies, 1000.0, 4), False, True, "MLU100") == [
        "Total execution time: 1000 us", "Global accuracy : ", "accuracy1: 0.416667 (5/12)", "accuracy5: 0.75 (9/12)", "Hardware fps: 60000",
        "End2end throughput fps: 12000", "Images per second of the time in which a function ran: 48000",
        "MLU100 is a virtual card: these figures of speed are simulated, decoding and conversion on its host included."]
    assert not any("Hardware" in line for line in closing_lines(Figures.of(12, tallies, 1000.0, 4), False, False, ""))


def test_the_newer_lines(tallies, monkeypatch):
    figures = Figures.of(10, tallies, 1000.0, 4)
    monkeypatch.delenv("OUTPUT_E2E", raising=False)
    lines = closing_lines(figures, True, True, "MLU270")
    assert lines[1:6] == ["Global accuracy : ", "top1: 0.5 (5/10)", "top5: 0.9 (9/10)", "throughput: 50000", "Latency: 160.00"]
    monkeypatch.setenv("OUTPUT_E2E", "ON")
    assert closing_lines(figures, True, True, "MLU270")[5] == "End2end throughput fps: 10000"


def test_the_document(tallies, monkeypatch, tmp_path):
    figures = Figures.of(10, tallies, 1000.0, 4)
    expected = {"output": {"accuracy": {"top1": "50.00", "top5": "90.00", "meanAp": "-1.00"},
                           "performance": {"hardwaretime": "400.00", "hardwareFps": "50000.00", "endToEndTime": "1000.00",
                                           "endToEndFps": "10000.00"}}}
    assert document(figures, False, True) == expected
    assert document(figures, False, False, 0.5, accuracy=False)["output"]["accuracy"] == {"top1": "-1.00", "top5": "-1.00", "meanAp": "0.50"}
    monkeypatch.delenv("OUTPUT_JSON_FILE", raising=False)
    write_document(expected)
    monkeypatch.setenv("OUTPUT_JSON_FILE", str(tmp_path / "out.json"))
    write_document(expected)
    assert json.loads((tmp_path / "out.json").read_text()) == expected
    monkeypatch.setenv("OUTPUT_JSON_FILE", str(tmp_path / "none" / "out.json"))
    with pytest.raises(CheckError, match="OUTPUT_JSON_FILE"):
        write_document(expected)
