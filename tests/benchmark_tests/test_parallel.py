"""The benchmarks of parallelism, pipelines and endurance run, and write what they print."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pycaffe_acc.tools.demo import FOLDER

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
NET = ["--model", str(FOLDER / "deploy.prototxt"), "--weights", str(FOLDER / "digits.caffemodel")]
IMAGES = ["--images", str(FOLDER / "test.txt"), "--preprocess", "raw", "--scale", str(1 / 255)]


def run(tmp_path, script, *words):
    """Status, output and document of a benchmark."""
    path = os.pathsep.join(filter(None, [str(BENCHMARKS.parent), os.environ.get("PYTHONPATH")]))
    found = subprocess.run([sys.executable, BENCHMARKS / script, *NET, *words, "--json", tmp_path / "found.json"], capture_output=True, text=True,
                           check=False, timeout=300, env={**os.environ, "PYTHONPATH": path})
    assert "Traceback" not in found.stderr, found.stderr
    return found.returncode, found.stdout, json.loads((tmp_path / "found.json").read_text())


@pytest.mark.slow
def test_parallel(tmp_path):
    status, text, found = run(tmp_path, "parallel.py", "--rounds", "2", "--batch", "4")
    assert status == 0 and text.count("\n") == 4
    for title in ("throughput of batch 4", "latency of batch 1", "throughput of batch 4, offline", "latency of batch 1, offline"):
        assert title in text and all(len(v) == 2 and min(v) > 0 for v in found[title]["ms"].values())


def test_pipeline(tmp_path):
    status, text, found = run(tmp_path, "pipeline.py", *IMAGES, "--batch", "8", "--limit", "80", "--rounds", "2")
    rates = found["images_per_second"]
    assert status == 0 and set(rates) == {"decode", "compute", "end_to_end"} and len(found["efficiency"]) == 2
    assert found["efficiency"][0] == pytest.approx(rates["end_to_end"][0] / min(rates["decode"][0], rates["compute"][0]))
    assert found["harness_us_per_image"] > 0 and "harness: " in text


@pytest.mark.parametrize("device", ["host", pytest.param("MLU100", marks=pytest.mark.slow)])
def test_soak(tmp_path, device):
    status, text, found = run(tmp_path, "soak.py", *IMAGES, "--limit", "20", "--batch", "4", "--minutes", "0.05", "--threads", "3", "--tolerance",
                              "1", "--stall", "60", "--rate", "50000", "--device", device)
    assert status == 0, text
    assert found["images"] > 20 and found["changed_answers"] == 0 and found["failed"] == 0 and found["top1"] > 90
    assert found["gap_seconds"]["longest"] >= found["gap_seconds"]["median"] > 0
    assert abs(found["files"][0] - found["files"][1]) <= 3  # each pipeline may be in the middle of reading one picture


def test_soak_notices_answers_that_change(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from soak import changed

    class Outcome:
        best = np.array([[1, 2], [3, 4], [1, 2], [-1, -1], [1, 5], [3, 4], [-1, -1], [4, 3], [7, 7]])

    assert changed(Outcome, 2) == 2  # [1, 5] is not [1, 2], and [4, 3] is not [3, 4]; the last row is half a round
