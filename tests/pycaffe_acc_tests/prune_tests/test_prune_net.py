"""A net that is pruned by weights."""
from __future__ import annotations

import numpy as np
import pytest
from pycaffe_acc_tests.prune_tests.pruned_nets import TEXT, files, images, outputs

import pycaffe_acc as caffe
from pycaffe_acc.errors import CheckError
from pycaffe_acc.prune.prune_net import Pruner, sparsity_of
from pycaffe_acc.prune.prune_options import PruneOptions
from pycaffe_acc.prune.sparse_filter import sparse_filter
from pycaffe_acc.quantize.method import find_method
from pycaffe_acc.quantize.quantize_net import Quantizer
from pycaffe_acc.text_format import read_net


def pruned(tmp_path, batches=(), **options):
    """A pruner after its work, and its rows by name."""
    p = Pruner(*files(tmp_path), PruneOptions(**options))
    blob = "data" if batches else ""
    rows = p.apply(p.shares(blob, batches), blob, batches)
    return p, {row.name: row for row in rows}


def relative_error(p, fresh):
    """Of the net's outputs on images, against the unpruned net's."""
    exact = outputs(p.open(unpruned=True), fresh)
    return float(np.square(outputs(p.open(), fresh) - exact).sum() / np.square(exact - exact.mean(0)).sum())


def test_by_magnitude(tmp_path):
    """The smallest weights of each layer; biases, the first and the depthwise convolution stay; the prototxt says so."""
    p, rows = pruned(tmp_path, sparsity=0.6)
    before, after = p.open(unpruned=True), p.open()
    assert {name: row.left for name, row in rows.items() if row.left} == {"first": "first convolution", "dw": "depthwise"}
    for name, row in rows.items():
        old, new = before.params[name][0].data, after.params[name][0].data
        if row.left:
            np.testing.assert_array_equal(old, new)
            continue
        assert (new == 0).sum() == row.zeros == round(0.6 * old.size)
        np.testing.assert_array_equal(new[new != 0], old[new != 0])
        assert np.abs(old[new == 0]).max() <= np.abs(new[new != 0]).min()
    np.testing.assert_array_equal(before.params["a"][1].data, after.params["a"][1].data)
    assert sparsity_of(rows.values(), pruned_only=True) == pytest.approx(0.6, abs=0.01)
    assert sparsity_of(rows.values()) < 0.6


def test_files(tmp_path):
    """Both load; marked layers are those that were pruned."""
    p, rows = pruned(tmp_path, sparsity=0.5, keep=("c",), include_first=True, include_depthwise=True)
    p.save(tmp_path / "p.prototxt", tmp_path / "p.caffemodel")
    layers = {layer.name: layer for layer in read_net(tmp_path / "p.prototxt").message.layer}
    assert rows["c"].left == "kept" and not layers["c"].HasField("sparsity") and not layers["c"].convolution_param.sparse_mode
    for name in ("first", "a", "dw", "b", "f", "g", "grouped"):
        param = layers[name].inner_product_param if name in "fg" else layers[name].convolution_param
        assert param.sparse_mode and layers[name].sparsity == 0.5 and not rows[name].left
    net = caffe.Net(str(tmp_path / "p.prototxt"), str(tmp_path / "p.caffemodel"), caffe.TEST)
    assert net.coverage.complete
    np.testing.assert_array_equal(outputs(net, images(4)), outputs(p.open(), images(4)))


def test_blocks_of_four(tmp_path):
    """Four neighbouring input channels at one kernel position, or what is left of them at the end of a group."""
    p, rows = pruned(tmp_path, method="block4", sparsity=0.5)
    net = p.open()
    for name in ("a", "b", "c", "grouped"):
        zero = net.params[name][0].data == 0
        assert 0.3 < zero.mean() < 0.6 and rows[name].zeros == zero.sum()
        for k in range(0, zero.shape[1], 4):
            block = zero[:, k:k + 4]
            assert (block.all(1) == block.any(1)).all()


@pytest.mark.parametrize("options", [{"method": "global"}, {"spread": "global"}, {"method": "block4", "spread": "global"}])
def test_global(tmp_path, options):
    """Shares differ; their sum is met."""
    _, rows = pruned(tmp_path, sparsity=0.5, **options)
    shares = {name: row.zeros / row.size for name, row in rows.items() if not row.left}
    assert max(shares.values()) > min(shares.values()) + 0.02
    assert sparsity_of(rows.values(), pruned_only=True) == pytest.approx(0.5, abs=0.01)


def test_as_the_vendor(tmp_path):
    """Every blob of every layer by the vendor's rule."""
    p, rows = pruned(tmp_path, method="vendor", sparsity=0.4, vendor_exact=True)
    assert not any(row.left for row in rows.values())
    before, after = p.open(unpruned=True), p.open()
    for name in rows:
        for old, new in zip(before.params[name], after.params[name], strict=True):
            np.testing.assert_array_equal(new.data, sparse_filter(old.data, 0.4, True))


@pytest.mark.parametrize("options", [{}, {"method": "global"}, {"method": "block4"}, {"method": "block4", "spread": "global"}])
def test_compensation(tmp_path, options):
    """The same number of zeros, and answers on other images that are much closer."""
    plain, _ = pruned(tmp_path, sparsity=0.4, **options)
    better, rows = pruned(tmp_path, images(200), sparsity=0.4, compensate=True, **options)
    fresh = images(40, seed=5)
    assert relative_error(better, fresh) < 0.5 * relative_error(plain, fresh)
    assert sparsity_of(rows.values(), pruned_only=True) == pytest.approx(0.4, abs=0.03)
    assert all((row.error is None) == (not row.zeros) for row in rows.values())
    assert all(0 <= row.error < 1 for row in rows.values() if row.zeros)
    first = better.open(unpruned=True).params["first"][0].data
    np.testing.assert_array_equal(better.open().params["first"][0].data, first)


def test_reestimation_alone(tmp_path):
    """Weights as without it; biases and BatchNorm statistics follow, and answers are closer."""
    plain, _ = pruned(tmp_path, sparsity=0.5)
    better, _ = pruned(tmp_path, images(100), sparsity=0.5, reestimate=True)
    for name in ("a", "b", "f"):
        np.testing.assert_array_equal(plain.open().params[name][0].data, better.open().params[name][0].data)
    assert not np.array_equal(plain.open().params["bn"][1].data, better.open().params["bn"][1].data)
    assert not np.array_equal(plain.open().params["a"][1].data, better.open().params["a"][1].data)
    fresh = images(40, seed=5)
    assert relative_error(better, fresh) < 0.9 * relative_error(plain, fresh)


@pytest.mark.parametrize("compensate", [True, False])
def test_sparsity_0_changes_nothing(tmp_path, compensate):
    """Not even a BatchNorm's statistics, and no layer is marked."""
    p, rows = pruned(tmp_path, images(20), sparsity=0.0, compensate=compensate, reestimate=True)
    assert not any(row.zeros for row in rows.values())
    before, after = p.open(unpruned=True), p.open()
    for name in before.params:
        for old, new in zip(before.params[name], after.params[name], strict=True):
            np.testing.assert_array_equal(old.data, new.data)


def test_images_in_odd_batches_count_once(tmp_path):
    """A last batch that is smaller is no different from whole ones."""
    one, _ = pruned(tmp_path, images(40, batch=40), sparsity=0.5, compensate=True)
    three, _ = pruned(tmp_path, images(40, batch=16), sparsity=0.5, compensate=True)
    fresh = images(10, seed=5)
    np.testing.assert_allclose(outputs(one.open(), fresh), outputs(three.open(), fresh), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("rounding", ["nearest", "adaptive"])
def test_zeros_survive_quantization(tmp_path, rounding):
    """Pruned first: quantized weights are zero where they were."""
    p, _ = pruned(tmp_path, images(40), sparsity=0.5, compensate=True)
    p.save(tmp_path / "p.prototxt", tmp_path / "p.caffemodel")
    q = Quantizer(tmp_path / "p.prototxt", tmp_path / "p.caffemodel", find_method("mse"))
    q.calibrate("data", images(20))
    q.finish()
    if rounding == "adaptive":
        q.round_weights("data", images(20), centred=True)
        q.correct_bias("data", images(20))
    q.save(tmp_path / "q.prototxt", tmp_path / "q.caffemodel")
    net = caffe.Net(str(tmp_path / "q.prototxt"), str(tmp_path / "q.caffemodel"), caffe.TEST, precision="int8")
    for name in ("a", "b", "c", "f", "g"):
        zero = p.open().params[name][0].data == 0
        assert zero.mean() > 0.45 and not net.params[name][0].data[zero].any()
    layers = {layer.name: layer for layer in q.message.layer}
    assert layers["a"].convolution_param.sparse_mode and layers["a"].sparsity == 0.5
    assert np.isfinite(outputs(net, images(4))).all()


def test_quantized_first(tmp_path):
    """Types stay in the prototxt; ranges of weights that reach further now are widened, and INT8 is close to floats."""
    files(tmp_path)
    q = Quantizer(tmp_path / "net.prototxt", tmp_path / "net.caffemodel", find_method("mse"))
    q.calibrate("data", images(40))
    q.finish()
    q.save(tmp_path / "q.prototxt", tmp_path / "q.caffemodel")
    p = Pruner(tmp_path / "q.prototxt", tmp_path / "q.caffemodel", PruneOptions(sparsity=0.5, compensate=True))
    p.apply(p.shares(), "data", images(40))
    p.save(tmp_path / "p.prototxt", tmp_path / "p.caffemodel")
    net = caffe.Net(str(tmp_path / "p.prototxt"), str(tmp_path / "p.caffemodel"), caffe.TEST, precision="int8")
    layers = {layer.name: layer for layer in read_net(tmp_path / "p.prototxt").message.layer}
    assert layers["a"].blobs_dtype and layers["a"].convolution_param.sparse_mode
    coded, exact = outputs(net, images(20)), outputs(p.open(), images(20))
    assert np.square(coded - exact).sum() < 0.02 * np.square(exact).sum()


@pytest.mark.parametrize(("options", "rule"), [
    ({"sparsity": 1.0}, "at least 0 and less than 1"), ({"sparsity": -0.1}, "at least 0 and less than 1"),
    ({"method": "best"}, "known methods: vendor, magnitude"), ({"keep": ("nosuch",)}, "--keep: the net has no layer 'nosuch'"),
    ({"method": "vendor", "compensate": True}, "knows magnitudes only"), ({"keep": ("regex:.*",)}, r"no layer would be pruned: first \(kept\)"),
])
def test_refusals(tmp_path, options, rule):
    """A sentence each."""
    with pytest.raises(CheckError, match=rule):
        Pruner(*files(tmp_path), PruneOptions(**options))


def test_images_that_are_no_use(tmp_path):
    """None, NaN, or batches of several sizes."""
    options = PruneOptions(sparsity=0.5, compensate=True)
    for given, rule in (([], "no calibration images"), ([np.full((2, 3, 10, 10), np.nan, np.float32)], "layer 'a' .*NaN"),
                        ([*images(2), *images(20)], "all but the last must be of one size")):
        p = Pruner(*files(tmp_path), options)
        with pytest.raises(CheckError, match=rule):
            p.apply(p.shares(), "data", given)


def test_too_many_images(tmp_path, monkeypatch):
    """What they need is known before the first one is run."""
    p = Pruner(*files(tmp_path), PruneOptions(sparsity=0.5, compensate=True))
    monkeypatch.setenv("PYCAFFE_ACC_MAX_BYTES", "1500000")
    with pytest.raises(CheckError, match="200 images need .* Take fewer images"):
        p.apply(p.shares(), "data", images(200))


def test_weights_of_another_net(tmp_path):
    """Missing layers, and layers of one name."""
    model, weights = files(tmp_path)
    (tmp_path / "other.prototxt").write_text(TEXT.replace('name: "b"', 'name: "other"'))
    with pytest.raises(CheckError, match="cannot be pruned; give the weights"):
        Pruner(tmp_path / "other.prototxt", weights, PruneOptions())
    (tmp_path / "twice.prototxt").write_text(TEXT.replace('name: "rf"', 'name: "ra"'))
    p = Pruner(tmp_path / "twice.prototxt", weights, PruneOptions(sparsity=0.5, compensate=True))
    with pytest.raises(CheckError, match="several layers are called ra"):
        p.apply(p.shares(), "data", images(4))
