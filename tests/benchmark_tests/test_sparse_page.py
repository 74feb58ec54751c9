"""The benchmark of sparse kernels: what it measures, its sums, and the page that is made of them."""
from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from cnml.kernels.conv_shape import Conv2dShape

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
pytest.importorskip("matplotlib")

import sparse  # noqa: E402
import sparse_page  # noqa: E402
from sparse_layers import make_f32  # noqa: E402


def layer(name: str, count: int, direct: float, dense: float, sparse_ms: dict[str, float], chosen: dict[str, bool]) -> dict:
    """A layer's row."""
    return {"name": name, "count": count, "macs": 1000, "direct_ms": direct, "dense_ms": dense, "sparse_ms": sparse_ms, "chosen": chosen}


LAYERS = [layer("first", 1, 2.0, 2.0, {}, {"0.5": False, "0.9": False}),
          layer("a", 2, 10.0, 4.0, {"0.5": 5.0, "0.9": 1.0}, {"0.5": False, "0.9": True}),
          layer("b", 1, 6.0, 6.0, {"0.5": 6.3, "0.9": 2.0}, {"0.5": True, "0.9": True})]


def test_sums_take_each_layer_as_it_was_chosen():
    half, most = (sparse.in_sum(LAYERS, s, 100.0) for s in (0.5, 0.9))
    assert (half["direct_ms"], half["dense_ms"], half["sparse_ms"], half["chosen_ms"]) == pytest.approx((28, 16, 18.3, 16.3))
    assert half["worst_layer"] == pytest.approx(1.05)
    assert (most["sparse_ms"], most["chosen_ms"], most["layers_sparse"]) == (6.0, 6.0, 3)
    assert most["sparse_to_direct"] == pytest.approx(28 / 6)
    assert most["chosen_to_dense"] == pytest.approx(16 / 6)
    assert most["of_limit"] == pytest.approx(2e-6 * 3 * 1000 * 0.1 / 4.0 / 100.0)  # of the layers that ran sparse


def test_a_layer_is_timed_by_every_way():
    made = make_f32("small", 3, Conv2dShape(1, 32, 8, 8, 32, (1, 1)), [0.0, 0.9])
    row = sparse.time_layer(made, 1)
    assert row["macs"] == 64 * 32 * 32
    assert set(row["sparse_ms"]) == {"0.0", "0.9"}
    assert row["chosen"]["0.0"] is False
    assert all(ms > 0 for ms in (row["direct_ms"], row["dense_ms"], *row["sparse_ms"].values()))
    assert make_f32("first", 1, Conv2dShape(1, 3, 8, 8, 32, (3, 3)), [0.9]).sparse == {}


def test_the_page_and_its_picture(tmp_path, monkeypatch, capsys):
    document = [{"net": "resnet50", "precision": "fp32", "batch": 1, "cpu": "a core", "limit_gflops": 100.0,
                 "sums": [sparse.in_sum(LAYERS, s, 100.0) for s in (0.5, 0.9)], "layers": LAYERS}]
    (tmp_path / "mine.json").write_text(json.dumps(document))
    arguments = ["sparse_page.py", str(tmp_path / "mine.json"), "--results", str(tmp_path / "results"), "--docs", str(tmp_path / "docs")]
    monkeypatch.setattr(sys, "argv", arguments)
    sparse_page.main()
    text = (tmp_path / "docs" / "performance_sparse.md").read_text()
    assert "| 90 % | 6.00 | 6.00 | 4.67 | 2.67 |" in text
    assert "break-even between 50 % and 90 %" in text
    assert (tmp_path / "docs" / "pictures" / "sparse_fp32.png").stat().st_size > 5000
    assert json.loads((tmp_path / "results" / "sparse_fp32.json").read_text()) == document
    assert "resnet50, fp32, batch 1" in sparse.lines(document[0])
    monkeypatch.setattr(sys, "argv", ["sparse_page.py", "--results", str(tmp_path / "none"), "--docs", str(tmp_path / "docs")])
    with pytest.raises(SystemExit, match=r"run benchmarks/sparse.py --json FILE first"):
        sparse_page.main()


def test_shares_out_of_range_are_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["sparse.py", "--zeros", "0.5,1"])
    with pytest.raises(SystemExit) as stop:
        sparse.main()
    assert stop.value.code == 2
    assert "shares of zeros must be in [0, 1)" in capsys.readouterr().err


def test_the_page_in_the_tree_is_made_of_the_results_there():
    results = {p: ROOT / "benchmarks" / "results" / f"sparse_{p}.json" for p in sparse_page.PRECISIONS}
    documents = {p: json.loads(path.read_text()) for p, path in results.items() if path.is_file()}
    assert (ROOT / "docs" / "performance_sparse.md").read_text() == sparse_page.page(documents)
