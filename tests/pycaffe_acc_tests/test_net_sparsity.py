"""Zeros of a net's weights, and what its kernels do about them, where people see it."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import pycaffe_acc as caffe
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.sparse_choice import choose_sparse
from cnml.sparsity import Sparsity
from pycaffe_acc.net_sparsity import as_fields, in_total, in_words, sparsity_by_operator, sparsity_of, with_rates
from pycaffe_acc.sliced_net import SlicedNet
from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.main import main

NET = """name: "pruned"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 64 dim: 14 dim: 14 } } }
layer { name: "wide" type: "Convolution" bottom: "data" top: "wide" convolution_param { num_output: 128 kernel_size: 1 } }
layer { name: "norm" type: "BatchNorm" bottom: "wide" top: "norm" }
layer { name: "relu" type: "ReLU" bottom: "norm" top: "norm" }
layer { name: "asked" type: "Convolution" bottom: "norm" top: "asked"
        convolution_param { num_output: 64 kernel_size: 3 pad: 1 MODE } }
layer { name: "fc" type: "InnerProduct" bottom: "asked" top: "fc" inner_product_param { num_output: 10 MODE } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
"""


def doubtful() -> float:
    """A share of zeros with which the layer "asked" is sparse if that is asked for, and dense if it is not."""
    shape, size = Conv2dShape(2, 128, 14, 14, 64, (3, 3), pad=(1, 1)), 64 * 128 * 9
    return next(i / 100 for i in range(101) if choose_sparse(shape, round(size * i / 100), size, net=True).cut is not None)


def write(folder: Path, mode: str = "", shares=(0.9, 0.25, 0.25)) -> tuple[str, str]:
    """A net with zeros in its weights."""
    path, weights = folder / "net.prototxt", folder / "net.caffemodel"
    path.write_text(NET.replace("MODE", mode))
    net, rng = caffe.Net(str(path), caffe.TEST), np.random.default_rng(0)
    for name, share in zip(("wide", "asked", "fc"), shares, strict=True):
        w = net.params[name][0].data
        w[...] = rng.standard_normal(w.shape) / 10
        w.reshape(-1)[rng.permutation(w.size)[:round(share * w.size)]] = 0
    net.params["norm"][0].data[...] = 0.5
    net.params["norm"][1].data[...] = 1
    net.params["norm"][2].data[...] = 1
    net.save(str(weights))
    return str(path), str(weights)


@pytest.fixture
def pruned(tmp_path):
    return write(tmp_path)


def test_by_layer_and_in_total(pruned):
    net = caffe.Net(*pruned, caffe.TEST)
    rows = dict(sparsity_by_operator(net, fusion=False))
    assert [(n, s.weights, s.zeros, s.skipped) for n, s in rows.items()] == [
        ("wide", 8192, 7373, 7373), ("asked", 73728, 18432, 0), ("fc", 125440, 31360, 0)]
    assert rows["wide"].macs == 2 * 14 * 14 * 8192
    total = in_total(sparsity_by_operator(net))
    assert total == sum(rows.values(), Sparsity()) == sparsity_of(net)
    assert total.skipped_macs == rows["wide"].macs * 7373 // 8192
    assert sparsity_of(object()) is None


def test_slices_count_their_products_together(pruned):
    net = caffe.Net(*pruned, caffe.TEST)
    whole = sparsity_of(net)
    sliced = sparsity_of(SlicedNet(net, 2))
    assert sliced[:3] == whole[:3]
    assert sliced.macs == whole.macs


def test_sparse_mode_decides_in_doubt_and_changes_no_result(tmp_path):
    """Of the layer's kernels the sparse one is estimated to be the faster by less than what leads to it unasked."""
    shares = (0.9, doubtful(), 0.25)
    net = caffe.Net(*write(tmp_path, shares=shares), caffe.TEST)
    image = np.random.default_rng(1).standard_normal(net.blobs["data"].shape)
    net.blobs["data"].data[...] = image
    want = net.forward()["prob"].copy()
    (tmp_path / "asked").mkdir()
    asked = caffe.Net(*write(tmp_path / "asked", "sparse_mode: true", shares), caffe.TEST)
    skipped, unasked = ({n: s.skipped for n, s in sparsity_by_operator(n, fusion=False)} for n in (asked, net))
    assert unasked == {"wide": 7373, "asked": 0, "fc": 0} and skipped == unasked | {"asked": round(shares[1] * 64 * 128 * 9)}
    asked.blobs["data"].data[...] = image
    np.testing.assert_allclose(asked.forward()["prob"], want, rtol=1e-4, atol=1e-6)
    assert any("against sparse_mode" in row.note for row in caffe.Net(*write(tmp_path / "asked", "sparse_mode: true"), caffe.TEST).profile(1))


def test_an_edit_through_pycaffe_is_seen(pruned):
    net = caffe.Net(*pruned, caffe.TEST)
    net.forward()
    net.params["asked"][0].data[:, 1:] = 0
    rows = dict(sparsity_by_operator(net, fusion=False))
    assert rows["asked"].skipped == rows["asked"].zeros > 0.98 * rows["asked"].weights
    net.params["asked"][0].data[...] = 0.01
    before = {k: v.copy() for k, v in net.forward().items()}
    fresh = caffe.Net(*pruned, caffe.TEST)
    fresh.params["asked"][0].data[...] = 0.01
    np.testing.assert_allclose(fresh.forward()["prob"], before["prob"], rtol=1e-5)
    assert dict(sparsity_by_operator(net, fusion=False))["asked"].zeros == 0


def test_words_and_fields():
    s = Sparsity(100, 80, 60, 10**9, 6 * 10**8)
    fields = with_rates(s, 10.0)
    assert fields == as_fields(s) | {"dense_equivalent_gflops": 20.0, "computed_gflops": 8.0}
    assert (fields["achieved"], fields["exploited"]) == (0.8, 0.6)
    assert in_words(fields) == ("weights: 80.0 % zeros, 60.0 % skipped by sparse kernels; 20.0 dense-equivalent GFLOP/s, 8.0 without the skipped "
                                "products")


def test_summary_time_and_eval_show_it(pruned, tmp_path, capsys):
    model, weights = pruned
    assert main(["summary", model, "--weights", weights, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["weight_sparsity"]["zeros"] == 7373 + 18432 + 31360
    assert {r["name"]: r["weight_sparsity"] and r["weight_sparsity"]["exploited"] for r in document["layers"]}["wide"] == pytest.approx(0.9, abs=1e-3)
    assert main(["summary", model, "--weights", weights]) == 0
    text = capsys.readouterr().out
    assert "skipped %" in text and "27.6 % zeros, 3.6 % skipped" in text
    assert main(["summary", model]) == 0
    assert "zeros" not in capsys.readouterr().out

    assert main(["time", "--model", model, "--weights", weights, "--iterations", "2", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    total = document["weight_sparsity"]
    assert total["skipped"] == 7373
    assert total["dense_equivalent_gflops"] == pytest.approx(document["gflops"], rel=0.01)  # BatchNorm and the like have no weights to count
    assert 0 < total["computed_gflops"] < total["dense_equivalent_gflops"]
    assert main(["time", "--model", model, "--weights", weights, "--iterations", "2"]) == 0
    text = capsys.readouterr().out
    assert "dense-equivalent GFLOP/s" in text and "skipped %" in text


def test_eval_shows_it_beside_accuracy(tmp_path, capsys):
    net = caffe.Net(str(FOLDER / "deploy.prototxt"), str(FOLDER / "digits.caffemodel"), caffe.TEST)
    first = next(iter(net.params))
    net.params[first][0].data.reshape(-1)[::2] = 0
    net.save(str(tmp_path / "half.caffemodel"))
    zeros = sum(int((net.params[n][0].data == 0).sum()) for n, s in sparsity_by_operator(net, fusion=False))
    words = ["eval", "--model", str(FOLDER / "deploy.prototxt"), "--weights", str(tmp_path / "half.caffemodel"), "--images",
             str(FOLDER / "test.txt"), "--preprocess", "raw", "--scale", "0.00392156862745098", "--limit", "8", "--batch", "4"]
    assert main([*words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    found = report["weight_sparsity"]
    assert found["zeros"] == zeros > 0
    assert found["dense_equivalent_gflops"] == pytest.approx(2e-9 * found["macs"] * report["hardware_fps"] / 4)
    assert report["rows"][0]["weight_sparsity"] == found
    assert main(words) == 0
    assert "dense-equivalent GFLOP/s" in capsys.readouterr().out


def test_missing_weights_are_a_bad_file(pruned, capsys):
    assert main(["summary", pruned[0], "--weights", "none.caffemodel"]) == 3
    assert "none.caffemodel" in capsys.readouterr().err
