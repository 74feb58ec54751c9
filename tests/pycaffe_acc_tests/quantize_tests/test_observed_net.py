"""What a layer's bottoms hold after a forward: as the vendor sees them, and as the layer read them."""
from __future__ import annotations

import numpy as np
import pytest
from pycaffe_acc_tests.quantize_tests.small_nets import INPUT, convolution, small_net

import pycaffe_acc as caffe
from pycaffe_acc.quantize.observed_net import ObservedNet
from pycaffe_acc.text_format import read_net

EYE = np.eye(2)
X = np.arange(-9, 9, dtype=np.float32).reshape(1, 2, 3, 3)


def observed(tmp_path, text, weights, **options):
    """The net after one forward over X."""
    model, file = small_net(tmp_path, text, weights)
    net = ObservedNet(read_net(model).message, file, **options)
    net.net.blobs["data"].data[...] = X
    net.forward()
    return net


IN_PLACE = (INPUT + convolution("c", "data", "c") + convolution("before", "c", "b")
            + 'layer { name: "r" type: "ReLU" bottom: "c" top: "c" }\n' + convolution("after", "c", "a"))


@pytest.mark.parametrize("vendor_exact", [True, False])
@pytest.mark.parametrize("settled", [True, False])
def test_a_blob_changed_in_place(tmp_path, settled, vendor_exact):
    """Its earlier reader is shown the later values only where the vendor's way is asked for."""
    net = observed(tmp_path, IN_PLACE, {"c": [EYE], "before": [EYE], "after": [EYE]}, settled=settled, vendor_exact=vendor_exact)
    names = [layer.name for layer in net.layers]
    changed = np.maximum(X, 0)
    np.testing.assert_array_equal(net.bottoms(names.index("before"))[0], changed if settled else X)
    np.testing.assert_array_equal(net.bottoms(names.index("after"))[0], changed)
    np.testing.assert_array_equal(net.net.blobs["b"].data, X)  # computed from what it read, either way


@pytest.mark.parametrize("settled", [True, False])
def test_a_blob_changed_through_a_flattened_view(tmp_path, settled):
    """A Flatten is the same bytes."""
    text = (INPUT + convolution("c", "data", "c") + 'layer { name: "f" type: "Flatten" bottom: "c" top: "f" }\n'
            'layer { name: "r" type: "ReLU" bottom: "f" top: "f" }\n' + convolution("reader", "c", "y"))
    net = observed(tmp_path, text, {"c": [EYE], "reader": [EYE]}, settled=settled)
    assert bool(net.bottoms(4)[0].min() == 0) is settled


FIRST = (INPUT + convolution("early", "data", "e") + convolution("c", "data", "c", "mean_value: 1 mean_value: 2 std: 0.5")
         + convolution("late", "data", "l"))


@pytest.mark.parametrize("settled", [True, False])
def test_a_first_convolution_changes_the_input(tmp_path, settled):
    """For its own bottom and for later readers; for an earlier one only the vendor's way."""
    net = observed(tmp_path, FIRST, {"early": [EYE], "c": [EYE], "late": [EYE]}, settled=settled)
    normal = (X - np.float32([1, 2]).reshape(1, 2, 1, 1)) * np.float32(0.5)
    assert [layer.name for layer in net.layers] == ["data", "early", "c", "late"]
    for index, values in ((1, normal if settled else X), (2, normal), (3, normal)):
        np.testing.assert_array_equal(net.bottoms(index)[0], values)
    np.testing.assert_allclose(net.net.blobs["c"].data, normal, rtol=1e-6)
    assert net.coverage.complete and len(net.weights(2)) == 1


def test_weights_belong_to_their_layers(tmp_path):
    """Also with Splits and normalisation in between."""
    weights = {"early": [EYE], "c": [2 * EYE], "late": [3 * EYE]}
    for options in ({}, {"settled": False, "vendor_exact": False}):
        net = observed(tmp_path, FIRST, weights, **options)
        assert [net.weights(i)[0].max() for i in (1, 2, 3)] == [1, 2, 3]


def test_a_quantized_net_is_observed_in_floating_point(tmp_path):
    """Whatever its fields say."""
    fields = "bottom_mlu_dtype { type: DT_INT8 position: 5 } blobs_dtype { type: DT_INT8 position: 5 } convolution_param"
    text = INPUT + convolution("c", "data", "c").replace("convolution_param", fields) + convolution("d", "c", "d")
    net = observed(tmp_path, text, {"c": [EYE], "d": [EYE]})
    np.testing.assert_array_equal(net.bottoms(2)[0], X)
    assert net.layers[1].blobs_dtype and not net.net._source.layers[1].blobs_dtype


def test_rules_of_the_net(tmp_path):
    """Layers of the other phase are not there."""
    text = IN_PLACE + ('layer { name: "t" type: "ReLU" bottom: "a" top: "t" include { phase: TRAIN } }\n'
                       'layer { name: "u" type: "ReLU" bottom: "a" top: "u" include { phase: TEST } }\n')
    net = observed(tmp_path, text, {"c": [EYE], "before": [EYE], "after": [EYE]})
    assert [layer.name for layer in net.layers][-1] == "u"


CODED = (INPUT + 'layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 2 kernel_size: 1 bias_term: false } '
         'bottom_mlu_dtype { type: DT_INT8 position: 3 } blobs_dtype { type: DT_INT8 position: 0 } top_mlu_dtype: DT_FLOAT32 }\n')
UNEVEN = np.array([[0.3, 0.2], [-0.7, 0.11]])  # in INT8 by those positions: 0, 0, -1 and 0


@pytest.mark.parametrize("mode", ["cpu", "mlu", "mfus"])
@pytest.mark.parametrize("vendor_exact", [True, False])
def test_the_mode_of_the_process_does_not_count(tmp_path, mode, vendor_exact):
    """Nor what the prototxt says."""
    want = np.einsum("oc,nchw->nohw", UNEVEN.astype(np.float32), X)
    try:
        getattr(caffe, f"set_mode_{mode}")()
        net = observed(tmp_path, CODED, {"c": [UNEVEN]}, vendor_exact=vendor_exact)
        np.testing.assert_allclose(net.net.blobs["c"].data, want, rtol=1e-6)
        coded = observed(tmp_path, CODED, {"c": [UNEVEN]}, vendor_exact=vendor_exact, precision="int8")
        assert not np.allclose(coded.net.blobs["c"].data, want, atol=0.5), "with the precision int8 it is watched as it computes"
    finally:
        caffe.set_mode_cpu()
