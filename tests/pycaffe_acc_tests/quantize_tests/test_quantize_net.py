"""A net quantized by our own command's machinery."""
from __future__ import annotations

import numpy as np
import pytest
from pycaffe_acc_tests.quantize_tests.small_nets import INPUT, convolution, small_net

import pycaffe_acc as caffe
from cnml.quantization import QuantParam, position_of, scale_of
from pycaffe_acc.errors import CheckError
from pycaffe_acc.quantize.dtype_fields import DT_INT16, read_param
from pycaffe_acc.quantize.method import find_method
from pycaffe_acc.quantize.quantize_net import Quantizer
from pycaffe_acc.text_format import read_net

WEIGHTS = np.float32([[1, 2], [0.5, -0.25]])
TEXT = ('name: "small"\n' + INPUT + convolution("c", "data", "c") + 'layer { name: "r" type: "ReLU" bottom: "c" top: "c" }\n'
        + convolution("d", "c", "d") + 'layer { name: "s" type: "Eltwise" bottom: "c" bottom: "d" top: "s" }\n'
        'layer { name: "up" type: "Deconvolution" bottom: "s" top: "up" convolution_param { num_output: 4 group: 2 kernel_size: 1 bias_term: false '
        '} }\n'
        'layer { name: "f" type: "InnerProduct" bottom: "up" top: "f" inner_product_param { num_output: 3 transpose: true bias_term: false } }\n'
        'layer { name: "train" type: "Silence" bottom: "f" include { phase: TRAIN } }\n')
BLOBS = {"c": [WEIGHTS], "d": [WEIGHTS], "up": [np.ones(4)], "f": [np.linspace(1, 3, 108)]}


def batches(rng, sizes=(1, 3, 2)):
    """Inputs of several batch sizes."""
    return [rng.normal(size=(n, 2, 3, 3)).astype(np.float32) for n in sizes]


def quantized(tmp_path, rng, method="absmax", text=TEXT, blobs=BLOBS, **options):
    """The quantizer after calibration, its rows by name, and the batches."""
    model, weights = small_net(tmp_path, text, blobs)
    q = Quantizer(model, weights, find_method(method), **options)
    given = batches(rng)
    assert q.calibrate("data", given) == 6
    return q, {row.name: row for row in q.finish()}, given


def test_ranges_of_all_batches(tmp_path, rng):
    """The input's largest magnitude, per layer; layers of other phases stay in the net and untouched."""
    q, rows, given = quantized(tmp_path, rng)
    largest = max(float(np.abs(b).max()) for b in given)
    position = position_of(largest)
    assert rows["c"].bottoms == (QuantParam(position, pytest.approx(scale_of(largest, position))),)
    assert list(rows) == ["c", "d", "s", "up", "f"] and rows["s"].weights is None and len(rows["s"].bottoms) == 2
    assert [layer.name for layer in q.message.layer][-1] == "train" and q.message.layer[-1].include[0].phase == caffe.TRAIN
    assert q.message.name == "small"


def test_channels_of_weights(tmp_path, rng):
    """Convolution: axis 0; a transposed InnerProduct: axis 1; a grouped Deconvolution: as a whole."""
    _, rows, _ = quantized(tmp_path, rng)
    assert rows["c"].weights == QuantParam((position_of(2), position_of(0.5)), (scale_of(2, position_of(2)), scale_of(0.5, position_of(0.5))))
    assert len(rows["f"].weights.position) == 3 and not rows["up"].weights.per_channel


def test_saved_nets_load(tmp_path, rng):
    """And their weights with them; older fields are replaced."""
    text = TEXT.replace('name: "c" type: "Convolution"', 'name: "c" type: "Convolution"' + 2 * " bottom_mlu_dtype { position: 7 }")
    q, rows, given = quantized(tmp_path, rng, text=text)
    q.save(tmp_path / "q.prototxt", tmp_path / "q.caffemodel")
    layers = {layer.name: layer for layer in read_net(tmp_path / "q.prototxt").message.layer}
    assert len(layers["c"].bottom_mlu_dtype) == 1
    assert read_param(layers["c"].bottom_mlu_dtype[0], "c") == rows["c"].bottoms[0]
    outputs = []
    for model, weights in (("net.prototxt", "net.caffemodel"), ("q.prototxt", "q.caffemodel")):
        net = caffe.Net(str(tmp_path / model), caffe.TEST, weights=str(tmp_path / weights))
        outputs.append(net.forward(data=given[0])["f"].copy())
    np.testing.assert_array_equal(*outputs)


def test_the_vendors_method(tmp_path, rng):
    """Positions only, and of the layers that the vendor's tool marks."""
    _, rows, given = quantized(tmp_path, rng, "vendor")
    assert list(rows) == ["c", "d", "up", "f"]
    assert rows["c"].bottoms == (QuantParam(position_of(max(float(np.abs(b).max()) for b in given))),)
    assert rows["c"].weights == QuantParam(position_of(2))


def test_sixteen_bits(tmp_path, rng):
    """The type and the limit."""
    q, rows, _ = quantized(tmp_path, rng, dtype=DT_INT16)
    assert q.message.layer[1].blobs_dtype[0].type == DT_INT16
    assert rows["c"].weights.position == (position_of(2, 32767), position_of(0.5, 32767))


def test_mean_and_factor_inside(tmp_path, rng):
    """The range of the first bottom is that of normalised values."""
    q, rows, given = quantized(tmp_path, rng, mean=(1.0, 2.0), factor=0.5, first_convolution=True)
    largest = max(float(np.abs((b - np.float32([1, 2]).reshape(1, 2, 1, 1)) * np.float32(0.5)).max()) for b in given)
    assert rows["c"].bottoms[0].scale == pytest.approx(scale_of(largest, position_of(largest)))
    assert list(q.message.layer[1].convolution_param.mean_value) == [1, 2] and q.message.layer[1].convolution_param.std == 0.5


def test_nothing_seen(tmp_path):
    """No images, no ranges."""
    model, weights = small_net(tmp_path, TEXT, BLOBS)
    q = Quantizer(model, weights, find_method("absmax"))
    assert q.calibrate("data", []) == 0
    with pytest.raises(CheckError, match="no calibration images were seen"):
        q.finish()


@pytest.mark.parametrize(("value", "rule"), [(0.0, "layer 'c' .Convolution.: bottom 'data' cannot be quantized: all values were 0"),
                                             (np.nan, "layer 'c' .Convolution.: bottom 'data' holds NaN"),
                                             (np.inf, "layer 'c' .Convolution.: bottom 'data' holds an infinity")])
def test_useless_ranges(tmp_path, value, rule):
    """Named by layer and blob."""
    model, weights = small_net(tmp_path, TEXT, BLOBS)
    q = Quantizer(model, weights, find_method("absmax"))
    with pytest.raises(CheckError, match=rule):
        q.calibrate("data", [np.full((1, 2, 3, 3), value, np.float32)])
        q.finish()


def test_weights_of_zeros(tmp_path, rng):
    """No range either."""
    with pytest.raises(CheckError, match="layer 'c' .Convolution.: blob 0 cannot be quantized: all values are 0"):
        quantized(tmp_path, rng, text=INPUT + convolution("c", "data", "c"), blobs={"c": [np.zeros((2, 2))]})


def test_weights_of_another_net(tmp_path):
    """A layer without weights would be quantized as its filler left it."""
    small_net(tmp_path, INPUT + convolution("c", "data", "c"), {"c": [WEIGHTS]})
    (tmp_path / "other.prototxt").write_text(INPUT + convolution("other", "data", "c"))
    with pytest.raises(CheckError, match="other.*A net with initial values cannot be quantized"):
        Quantizer(tmp_path / "other.prototxt", tmp_path / "net.caffemodel", find_method("absmax"))


def test_nothing_to_quantize(tmp_path, rng):
    """A net of other layers."""
    text = INPUT + 'layer { name: "r" type: "ReLU" bottom: "data" top: "r" }'
    with pytest.raises(CheckError, match="no layer would be quantized"):
        quantized(tmp_path, rng, text=text + convolution("c", "r", "c").replace("Convolution", "Tile").split("convolution_param")[0]
                  + "tile_param { tiles: 2 } }", blobs={})
