"""Weights that are rounded together."""
from __future__ import annotations

import numpy as np
import pytest
from pycaffe_acc_tests.quantize_tests.small_nets import small_net

from cnml.ops.convolution import ConvolutionGeometry
from cnml.quantization import dequantize, quantize
from cnml.reference.convolution import convolution
from pycaffe_acc.quantize.adaptive_rounding import patches, round_rows, units
from pycaffe_acc.quantize.method import find_method
from pycaffe_acc.quantize.quantize_net import Quantizer
from pycaffe_acc.quantize.weight_ranges import absmax_weights

TEXT = ('layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 2 dim: 8 dim: 8 } } }\n'
        'layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 6 kernel_size: 3 pad: 1 stride: 2 '
        'bias_term: false } }\n'
        'layer { name: "g" type: "Convolution" bottom: "c" top: "g" convolution_param { num_output: 6 group: 2 kernel_size: 1 } }\n'
        'layer { name: "f" type: "InnerProduct" bottom: "g" top: "f" inner_product_param { num_output: 5 transpose: true } }\n')


def correlated(rng, samples, inputs):
    """Inputs that mostly vary together."""
    return (rng.normal(size=(samples, 1)) * rng.uniform(0.5, 2, inputs) + 0.1 * rng.normal(size=(samples, inputs))).astype(np.float32)


@pytest.mark.parametrize("inputs", [1, 7, 300])
def test_smaller_errors_of_outputs(rng, inputs):
    """Multiples of the unit, and closer outputs than those of weights rounded to nearest, on inputs that were not seen."""
    x, rows = correlated(rng, 4000, inputs), rng.normal(size=(10, inputs)).astype(np.float32)
    param = absmax_weights(rows, 0, 7)  # coarse steps
    seen, fresh = x[:3000], x[3000:]
    rounded = round_rows(rows, units(param, 10), seen.T @ seen / 3000, 3000)
    codes = quantize(rounded, param)
    np.testing.assert_allclose(dequantize(codes, param), rounded, rtol=1e-6)
    nearest = dequantize(quantize(rows, param), param)

    def error(w):
        return np.square(fresh @ (w - rows).T).sum()
    assert error(rounded) <= (1.0001 if inputs == 1 else 0.2) * error(nearest)


def test_inputs_that_say_nothing_of_each_other(rng):
    """Are rounded to nearest; so are inputs that never vary."""
    rows = rng.normal(size=(4, 50)).astype(np.float32)
    param = absmax_weights(rows, 0, 127)
    for covariance in (np.eye(50, dtype=np.float32), np.zeros((50, 50), np.float32)):
        np.testing.assert_allclose(round_rows(rows, units(param, 4), covariance, 100), dequantize(quantize(rows, param), param), rtol=1e-6)


def test_patches_are_what_is_multiplied(rng):
    """With all places: the convolution itself."""
    x, w = rng.normal(size=(2, 3, 7, 9)).astype(np.float32), rng.normal(size=(4, 3, 3, 2))
    g = ConvolutionGeometry(4, (3, 2), (2, 1), (1, 0), (1, 0), (1, 2))
    expected = convolution(x.astype(np.float64), w, None, (4, 7), g.stride, g.pad, g.dilation, 1)
    rows = patches(x, g, 1000)
    assert rows.shape == (2 * 28, 18)
    np.testing.assert_allclose((rows @ w.reshape(4, -1).T).reshape(2, 4, 7, 4).transpose(0, 3, 1, 2), expected, rtol=1e-4, atol=1e-5)
    assert patches(x, g, 5).shape == (10, 18)


def test_a_net(tmp_path, rng):
    """The outputs are closer to the float net's, with corrected biases closer still; groups and transposed weights are rounded as well."""
    basis = rng.normal(size=(3, 2, 8, 8))
    batches = [(rng.normal(size=(40, 3)) @ basis.reshape(3, -1)).reshape(40, 2, 8, 8).astype(np.float32) + 1 for _ in range(3)]
    files = small_net(tmp_path, TEXT, {"c": [rng.normal(size=(6, 2, 3, 3))], "g": [rng.normal(size=(6, 3)), np.zeros(6)],
                                       "f": [rng.normal(size=(96, 5)), np.zeros(5)]})
    errors = []
    for steps in ((), ("round",), ("round", "bias")):
        q = Quantizer(*files, find_method("mse"))
        q.calibrate("data", batches)
        q.finish()
        if "round" in steps:
            assert q.round_weights("data", batches, "bias" in steps) == 3
        if "bias" in steps:
            assert q.correct_bias("data", batches) == 3
        nets = [q.open("fp32", floating=True), q.open("fp32")]  # the error of weights alone
        scores = []
        for net in nets:
            net.blobs["data"].reshape(40, 2, 8, 8)
            scores.append(net.forward(data=batches[0])["f"].copy())
        for row in q.finish():  # all of them are codes
            if steps:
                got = nets[1].params[row.name][0].data
                axis = 1 if row.type == "InnerProduct" else 0
                np.testing.assert_allclose(dequantize(quantize(got, row.weights, axis), row.weights, axis), got, rtol=1e-6)
        errors.append(q.open("int8"))
        errors[-1].blobs["data"].reshape(40, 2, 8, 8)
        errors[-1] = np.square(errors[-1].forward(data=batches[0])["f"] - scores[0]).sum()
    assert errors[1] < errors[0] and errors[2] < errors[1]
