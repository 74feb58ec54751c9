"""Weights scaled across layers."""
from __future__ import annotations

import numpy as np
import pytest
from pycaffe_acc_tests.quantize_tests.small_nets import INPUT, small_net

from pycaffe_acc.quantize.equalization import equalize
from pycaffe_acc.quantize.observed_net import ObservedNet
from pycaffe_acc.text_format import parse_net


def convolution(name, bottom, outputs, kernel=1, extra=""):
    """With a bias."""
    return (f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" convolution_param {{ num_output: {outputs} '
            f'kernel_size: {kernel} pad: {kernel // 2} {extra} }} }}\n')


RELU = 'layer {{ name: "r {0}" type: "ReLU" bottom: "{0}" top: "{0}" {1} }}\n'
SCALE = 'layer {{ name: "s {0}" type: "Scale" bottom: "{0}" top: "{0}" scale_param {{ bias_term: true }} }}\n'
NORM = 'layer {{ name: "n {0}" type: "BatchNorm" bottom: "{0}" top: "{0}" }}\n'
SEPARABLE = (INPUT + convolution("a", "data", 4) + NORM.format("a") + SCALE.format("a") + RELU.format("a", "relu_param { negative_slope: 0.1 }")
             + convolution("dw", "a", 4, 3, "group: 4") + RELU.format("dw", "") + convolution("b", "dw", 3))


def blobs(rng, net_text, tmp_path):
    """A net with channels that reach differently far."""
    spread = np.float32([0.01, 0.3, 5, 40])
    given = {"a": [rng.normal(size=(4, 2, 1, 1)) * spread.reshape(-1, 1, 1, 1), rng.normal(size=4)],
             "dw": [rng.normal(size=(4, 1, 3, 3)) / spread[::-1].reshape(-1, 1, 1, 1), rng.normal(size=4)], "b": [rng.normal(size=(3, 4)), [1, 2, 3]]}
    if "BatchNorm" in net_text:
        given |= {"n a": [rng.normal(size=4), rng.uniform(1, 9, 4), [2.0]], "s a": [rng.normal(size=4), rng.normal(size=4)]}
    return small_net(tmp_path, net_text, given)


def observed(files):
    """The float net."""
    return ObservedNet(parse_net(files[0].read_text()).message, files[1], False, False)


def reaches(net, index, axis):
    """Of the channels of a layer's weights."""
    w = np.abs(net.weights(index)[0])
    return w.max(axis=tuple(a for a in range(w.ndim) if a != axis))


def outputs(net, x):
    """Of the last layer."""
    net.net.blobs["data"].data[...] = x
    net.forward()
    return net.net.blobs[net.net.outputs[0]].data.copy()


def test_the_net_computes_the_same(tmp_path, rng):
    """And its channels reach equally far on both sides of what lies between, over a chain of three."""
    files = blobs(rng, SEPARABLE, tmp_path)
    net, x = observed(files), rng.normal(size=(1, 2, 3, 3))
    before = outputs(net, x)
    pairs, changed = equalize(net)
    assert [(net.layers[p.first].name, net.layers[p.second].name) for p in pairs] == [("a", "dw"), ("dw", "b")]
    assert sorted(changed) == ["b", "dw", "s a"]
    np.testing.assert_allclose(outputs(net, x), before, rtol=1e-4, atol=1e-5)
    deep, wide = reaches(net, 5, 0), reaches(net, 7, 1)
    np.testing.assert_allclose(deep, wide, rtol=0.02)
    np.testing.assert_array_equal(changed["dw"][0], net.weights(5)[0])


def test_without_a_scale(tmp_path, rng):
    """The first convolution's own weights and bias."""
    text = INPUT + convolution("a", "data", 4) + RELU.format("a", "") + convolution("dw", "a", 4, 3, "group: 4")
    net, x = observed(blobs(rng, text + convolution("b", "dw", 3), tmp_path)), rng.normal(size=(1, 2, 3, 3))
    before = outputs(net, x)
    pairs, changed = equalize(net)
    assert len(pairs) == 2 and sorted(changed) == ["a", "b", "dw"]
    np.testing.assert_allclose(outputs(net, x), before, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(reaches(net, 1, 0), reaches(net, 3, 0), rtol=0.02)


@pytest.mark.parametrize("between", [
    'layer { name: "r" type: "Clip" bottom: "a" top: "m" clip_param { min: 0 max: 6 } }', 'layer { name: "r" type: "Sigmoid" bottom: "a" top: "m" }',
    'layer { name: "r" type: "ReLU" bottom: "a" top: "m" } layer { name: "more" type: "Silence" bottom: "m" }',
    'layer { name: "r" type: "Eltwise" bottom: "a" bottom: "a" top: "m" }', 'layer { name: "r" type: "BatchNorm" bottom: "a" top: "m" }'])
def test_what_a_factor_does_not_pass_through(tmp_path, rng, between):
    """Limits, curves, two readers, sums, and a normalization without a Scale."""
    net = observed(small_net(tmp_path, INPUT + convolution("a", "data", 2) + between + convolution("b", "m", 2), {}))
    pairs, changed = equalize(net)
    assert not pairs and not changed


def test_dead_channels(tmp_path, rng):
    """Stay as they are."""
    weights = rng.normal(size=(2, 2)).astype(np.float32)
    weights[1] = 0
    files = small_net(tmp_path, INPUT + convolution("a", "data", 2) + convolution("b", "a", 2), {"a": [weights, [1, 2]], "b": [np.eye(2), [0, 0]]})
    net = observed(files)
    equalize(net)
    assert np.all(np.isfinite(net.weights(1)[0])) and net.weights(1)[1][1] == 2 and net.weights(2)[0][1, 1, 0, 0] == 1
