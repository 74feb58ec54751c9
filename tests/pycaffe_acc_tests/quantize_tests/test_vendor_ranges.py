"""The vendor's rules beyond what the stored runs show."""
from __future__ import annotations

import numpy as np
import pytest
from pycaffe_acc_tests.quantize_tests.small_nets import INPUT, convolution, small_net

from pycaffe_acc.errors import CheckError
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.quantize.dtype_fields import DT_FLOAT32, DT_INT8
from pycaffe_acc.quantize.observed_net import ObservedNet
from pycaffe_acc.quantize.vendor_ranges import VendorRanges
from pycaffe_acc.text_format import read_net

NORMALIZE = 'layer { name: "n" type: "Normalize" bottom: "c" top: "n" norm_param { across_spatial: false } }\n'


def ranges(tmp_path, text, weights, inputs, **options):
    """The collector after forwards over constant inputs."""
    model, file = small_net(tmp_path, text, weights)
    net = ObservedNet(read_net(model).message, file)
    collector = VendorRanges(net, **options)
    for value in inputs:
        net.net.blobs["data"].data[...] = value
        net.forward()
        collector.see()
    return collector


def positions(fields):
    """All positions of a layer's fields."""
    return [list(f.position) for f in fields]


def test_the_largest_range_of_all_forwards_counts(tmp_path):
    """Whichever came first."""
    for inputs in ((1, 100, 2), (100, 2, 1)):
        _, layer = ranges(tmp_path, INPUT + convolution("c", "data", "c"), {"c": [np.eye(2)]}, inputs).result()
        assert positions(layer.bottom_mlu_dtype) == [[0]] and positions(layer.blobs_dtype) == [[-6]]


def test_zeros_are_named(tmp_path):
    """Position 0, as the vendor gives it."""
    collector = ranges(tmp_path, INPUT + convolution("c", "data", "c"), {"c": [np.eye(2)]}, (0, 0))
    assert collector.silent == ["c"]
    assert positions(collector.result()[1].bottom_mlu_dtype) == [[0]]


def test_values_that_are_not_finite(tmp_path):
    """Refused with layer and blob."""
    for value, word in ((np.nan, "NaN"), (-np.inf, "an infinity")):
        with pytest.raises(CheckError, match=f"layer 'c' .Convolution.: bottom 'data' holds {word}"):
            ranges(tmp_path, INPUT + convolution("c", "data", "c"), {"c": [np.eye(2)]}, (value,))
    collector = ranges(tmp_path, INPUT + convolution("c", "data", "c"), {"c": [[[np.nan, 1], [1, 1]]]}, ())
    collector._absmax[1] = [1.0]
    with pytest.raises(CheckError, match="layer 'c' .Convolution.: blob 0 holds NaN"):
        collector.result()


def test_a_normalize_layer_of_zeros(tmp_path):
    """0 / 0 has no position."""
    text = INPUT + convolution("c", "data", "c") + NORMALIZE
    with pytest.raises(CheckError, match="layer 'n' .Normalize.: bottom 'c' is all zeros"):
        ranges(tmp_path, text, {"c": [np.eye(2)], "n": [np.ones(1)]}, (0,))


def test_the_last_forward_decides_for_normalize(tmp_path):
    """Channel norms relative to the largest value: sqrt(2) of two equal channels, where one channel alone gives 1."""
    text = INPUT + convolution("c", "data", "c") + NORMALIZE
    lone, equal = np.float32([1, 0]).reshape(1, 2, 1, 1), 1.0
    for inputs in ((equal, lone), (lone, equal)):
        layer = ranges(tmp_path, text, {"c": [np.eye(2)], "n": [np.ones(1)]}, inputs).result()[2]
        assert positions(layer.bottom_mlu_dtype) == [[-6], [-6]] and positions(layer.blobs_dtype) == [[-16]]


def test_other_modes_give_empty_entries(tmp_path):
    """Older entries are gone, too."""
    older = "bottom_mlu_dtype { type: DT_INT8 position: 3 } blobs_dtype { type: DT_INT8 position: 3 } convolution_param"
    text = INPUT + convolution("c", "data", "c").replace("convolution_param", older) + NORMALIZE
    _, c, n = ranges(tmp_path, text, {"c": [np.eye(2)], "n": [np.ones(1)]}, (1,), mode="scale", float_tops=True).result()
    assert c.blobs_dtype[0] == caffe_pb2.BlobDataType() and c.bottom_mlu_dtype[0] == caffe_pb2.BlobDataType()
    assert c.top_mlu_dtype == DT_FLOAT32 and n.top_mlu_dtype == DT_FLOAT32
    assert n.blobs_dtype[0] == caffe_pb2.BlobDataType(type=DT_INT8, position=[0], scale=[1024])


def test_what_set_up_adds(tmp_path):
    """A loss layer's weight; phase and include rules are gone, exclude rules stay."""
    text = (INPUT + convolution("c", "data", "c") + 'layer { name: "l" type: "EuclideanLoss" bottom: "c" bottom: "data" top: "l" include { phase: '
            'TEST } }\nlayer { name: "x" type: "ReLU" bottom: "c" top: "x" exclude { phase: TRAIN } }\n')
    _, _, loss, last = ranges(tmp_path, text, {"c": [np.eye(2)]}, (1,)).result()
    assert list(loss.loss_weight) == [1] and not loss.include and not loss.HasField("phase")
    assert len(last.exclude) == 1
