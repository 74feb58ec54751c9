"""docs/performance.md is made of results, with its pictures."""
from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from benchmark_tests.peers_document import BENCHMARKS, document, load, network, setting

pytest.importorskip("matplotlib", reason="the pictures need matplotlib (extra `report`)")

SHARES = [{"net": "resnet50", "batch": 1, "gflop": 7.7, "limit_gflops": 100.0, "from_memory": False, "cpu": "Some CPU", "winograd_layers": 16,
           "layers": 53, "direct": {"ms": 70.0, "gflops": 90.0, "share": 0.9}, "chosen": {"ms": 50.0, "gflops": 126.0, "share": 1.26}}]


def run(*arguments):
    """performance_page.py as a script."""
    return subprocess.run([sys.executable, str(BENCHMARKS / "performance_page.py"), *map(str, arguments)], capture_output=True, text=True,
                          check=False, env={**os.environ, "PYTHONPATH": str(BENCHMARKS.parent)})


def test_page_pictures_and_results(tmp_path):
    """The page holds every setting's numbers, its pictures exist, and the results lie beside the benchmarks."""
    found = document(network("vgg", setting(1, 1, ours=2.0, openvino=5.0, ours_fp16=1.0), setting(2, 8, ours=1.0, openvino=1.5)))
    measured, results, docs = tmp_path / "measured", tmp_path / "results", tmp_path / "docs"
    measured.mkdir()
    (measured / "peers.json").write_text(json.dumps(found))
    (measured / "conv_share.json").write_text(json.dumps(SHARES))
    done = run(measured, "--results", results, "--docs", docs)
    assert done.returncode == 0, done.stderr
    text = (docs / "performance.md").read_text(encoding="utf-8")
    assert "the fastest of the peers takes **2.50 times** our time" in text and "the fastest of the peers takes **1.50 times** our time" in text
    assert "## 1 thread, batch 1" in text and "## 2 threads, batch 8" in text
    assert "| resnet50, 1 | 53 | 70.0 | 90% | 50.0 | 126% | 16 |" in text
    assert json.loads((results / "peers.json").read_text()) == found
    for name in ("peers.png", "roofline.png"):
        assert f"(pictures/{name})" in text
        picture = (docs / "pictures" / name).read_bytes()
        assert picture.startswith(b"\x89PNG") and len(picture) < 200_000


def test_int8_has_a_page_of_its_own(tmp_path):
    """Results of INT8 lie beside those of FP32 and make another page."""
    found = {**document(network("vgg", setting(1, 1, ours=2.0, openvino=5.0, ours_fp32=4.0))), "precision": "int8"}
    results, docs = tmp_path / "results", tmp_path / "docs"
    (tmp_path / "peers.json").write_text(json.dumps(found))
    (tmp_path / "conv_share.json").write_text(json.dumps(SHARES))
    done = run(tmp_path, "--results", results, "--docs", docs)
    assert done.returncode == 0, done.stderr
    assert {p.name for p in results.iterdir()} == {"peers_int8.json", "conv_share_int8.json"}
    assert {p.name for p in docs.iterdir()} == {"performance_int8.md", "pictures"}
    text = (docs / "performance_int8.md").read_text(encoding="utf-8")
    assert "# Performance in INT8" in text and "2.50 times" in text and "(pictures/peers_int8.png)" in text and "products of four bytes" in text
    assert (docs / "pictures" / "peers_int8.png").is_file()


def test_without_results_it_says_what_to_do(tmp_path):
    """An empty folder is an error with the next step, and nothing is written."""
    done = run("--results", tmp_path / "results", "--docs", tmp_path / "docs")
    assert done.returncode != 0 and "run benchmarks/peers.py" in done.stderr
    assert not (tmp_path / "docs").exists()


def test_roofline_points():
    """Operations a byte and GFLOP/s of layers with multiply-adds; the share is of all layers' time."""
    points = load("peers_plots").roofline_points(network("n"))
    assert points == [(200.0, pytest.approx(200.0), pytest.approx(0.4), "winograd"), (0.5, pytest.approx(50.0), pytest.approx(0.4), "product")]
