"""Mean errors that go into biases, and layers alone."""
from __future__ import annotations

import numpy as np
import pytest
from pycaffe_acc_tests.quantize_tests.small_nets import INPUT, convolution, small_net

import pycaffe_acc as caffe
from pycaffe_acc.errors import CheckError
from pycaffe_acc.quantize.bias_correction import BiasCorrection
from pycaffe_acc.quantize.dtype_fields import DT_INT8, DT_INT16, nth_field, write_param
from pycaffe_acc.quantize.isolated_layers import IsolatedLayers
from pycaffe_acc.quantize.method import find_method
from pycaffe_acc.quantize.observed_net import ObservedNet
from pycaffe_acc.quantize.quantize_net import Quantizer
from pycaffe_acc.quantize.value_range import param_of
from pycaffe_acc.text_format import parse_net

TEXT = (INPUT + convolution("c", "data", "c", outputs=4) + 'layer { name: "r" type: "ReLU" bottom: "c" top: "c" }\n'
        'layer { name: "f" type: "InnerProduct" bottom: "c" top: "f" inner_product_param { num_output: 3 } }\n')


def files(tmp_path, rng):
    """Random weights; the convolution has no bias."""
    return small_net(tmp_path, TEXT, {"c": [rng.normal(size=(4, 2))], "f": [rng.normal(size=(3, 36)), [1, 2, 3]]})


def coarse(net):
    """The layers with steps of a quarter of the right ones' range."""
    layers = {}
    for index in (1, 3):
        layer = type(net.layers[index])()
        layer.CopyFrom(net.layers[index])
        write_param(nth_field(layer.bottom_mlu_dtype, 0), param_of(100.0, 127), DT_INT8)
        write_param(nth_field(layer.blobs_dtype, 0), param_of(3.0, 127), DT_INT8)
        layers[index] = layer
    return layers


def test_layers_alone(tmp_path, rng):
    """Each on the float net's values: the second one's error holds nothing of the first one's."""
    model, weights = files(tmp_path, rng)
    net = ObservedNet(parse_net(TEXT).message, weights, False, False)
    isolated = IsolatedLayers(net, coarse(net))
    for batch in (1, 3):
        net.net.blobs["data"].reshape(batch, 2, 3, 3)
        net.net.blobs["data"].data[...] = rng.normal(size=(batch, 2, 3, 3))
        net.forward()
        found = {out.place: (out.float_values.copy(), out.int8_values.copy()) for out in isolated.outputs()}
        assert list(found) == [1, 3]
        x = net.bottoms(3)[0].reshape(batch, -1)
        step = 100 / 127
        w = np.rint(net.weights(3)[0] * 127 / 3) * 3 / 127
        np.testing.assert_allclose(found[3][1], np.rint(x / step) * step @ w.T + net.weights(3)[1], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(found[3][0], x @ net.weights(3)[0].T + net.weights(3)[1], rtol=1e-4, atol=1e-4)
        assert np.abs(found[1][0] - found[1][1]).max() > 0.05


def test_the_mean_error(tmp_path, rng):
    """Per channel over all forwards, whatever their sizes."""
    model, weights = files(tmp_path, rng)
    net = ObservedNet(parse_net(TEXT).message, weights, False, False)
    correction, isolated, errors = BiasCorrection(net, coarse(net)), IsolatedLayers(net, coarse(net)), []
    for batch in (1, 3):
        net.net.blobs["data"].reshape(batch, 2, 3, 3)
        net.net.blobs["data"].data[...] = rng.normal(size=(batch, 2, 3, 3))
        net.forward()
        correction.see()
        errors.append(next(o.float_values - o.int8_values for o in isolated.outputs() if o.place == 1))
    np.testing.assert_allclose(correction.result()[1], np.concatenate(errors).mean((0, 2, 3)), rtol=1e-4, atol=1e-6)
    assert correction.result()[3].shape == (3,)


def quantizer(tmp_path, rng, **options):
    """After calibration."""
    q = Quantizer(*files(tmp_path, rng), find_method("absmax"), **options)
    given = [rng.uniform(0, 1, size=(4, 2, 3, 3)).astype(np.float32) for _ in range(3)]
    q.calibrate("data", given)
    return q, given


def test_corrected_nets(tmp_path, rng):
    """The mean error of the outputs is smaller; a convolution without a bias gets one; both files are needed."""
    q, given = quantizer(tmp_path, rng)
    q.finish()
    x = np.concatenate(given)

    def mean_error():
        nets = [q.open("fp32", floating=True), q.open("int8")]
        scores = []
        for net in nets:
            net.blobs["data"].reshape(*x.shape)
            scores.append(net.forward(data=x)["f"].copy())
        return np.abs((scores[0] - scores[1]).mean(0)).max()
    before = mean_error()
    with pytest.raises(CheckError, match="give a file for them"):
        assert q.correct_bias("data", given) == 2
        q.save(tmp_path / "q.prototxt")
    assert mean_error() < 0.3 * before
    q.save(tmp_path / "q.prototxt", tmp_path / "q.caffemodel")
    net = caffe.Net(str(tmp_path / "q.prototxt"), caffe.TEST, weights=str(tmp_path / "q.caffemodel"), precision="int8")
    assert [len(net.params[n]) for n in "cf"] == [2, 2]
    assert not np.array_equal(net.params["f"][1].data, [1, 2, 3])


def test_layers_that_go_back_to_floats(tmp_path, rng):
    """Lose their correction: it would be an error now."""
    q, given = quantizer(tmp_path, rng)
    q.finish()
    q.correct_bias("data", given)
    q.finish(keep={1})
    assert not q.message.layer[1].convolution_param.bias_term and len(q.message.layer[1].blobs_dtype) == 0
    names = {layer.name: layer for layer in q.weights().layers}
    assert len(names["c"].blobs) == 1 and not np.array_equal(names["f"].blobs[1].array(), [1, 2, 3])


def test_nothing_to_correct(tmp_path, rng):
    """Sixteen bits are not run."""
    q, given = quantizer(tmp_path, rng, dtype=DT_INT16)
    q.finish()
    with pytest.raises(CheckError, match="compute in INT8"):
        q.correct_bias("data", given)


def test_layers_that_come_back(tmp_path, rng):
    """Get their correction again."""
    q, given = quantizer(tmp_path, rng)
    q.finish()
    q.correct_bias("data", given)
    before = {layer.name: [b.array().copy() for b in layer.blobs] for layer in q.weights().layers}
    q.finish(keep={1})
    q.finish()
    assert q.message.layer[1].convolution_param.bias_term
    for layer in q.weights().layers:
        for a, b in zip(before[layer.name], layer.blobs, strict=True):
            np.testing.assert_array_equal(a, b.array())
