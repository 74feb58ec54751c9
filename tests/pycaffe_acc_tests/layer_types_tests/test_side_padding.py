"""Padding by side in convolutions and poolings of converted nets."""
from __future__ import annotations

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc.side_padding import SidePadding
from pycaffe_acc.text_format import parse_net


def net(body: str, shape: str = "dim: 1 dim: 3 dim: 7 dim: 8") -> caffe.Net:
    """A net of one input and the given layer text."""
    text = f'layer {{ name: "x" type: "Input" top: "x" input_param {{ shape {{ {shape} }} }} }} layer {{ name: "y" bottom: "x" top: "y" {body} }}'
    return caffe.Net(parse_net(text).message, caffe.TEST)


def run(body: str, x: np.ndarray) -> np.ndarray:
    """Output of the layer."""
    n = net(body)
    n.blobs["x"].data[...] = x
    return np.array(n.forward()["y"])


def test_same_padding_has_the_smaller_half_in_front():
    assert SidePadding(True).extents((7, 8), (3, 3), (2, 2)) == ((1, 0), (1, 1))
    assert SidePadding(True).extents((7, 8), (1, 1), (2, 2)) == ((0, 0), (0, 0))


@pytest.mark.parametrize("field", ["pad_type: 1", "pad_t: 1 pad_l: 0 pad_b: 1 pad_r: 1"])
def test_pooling(field, rng):
    x = rng.standard_normal((1, 3, 7, 8)).astype(np.float32) - 5
    largest = run(f'type: "Pooling" pooling_param {{ pool: MAX kernel_size: 3 stride: 2 {field} }}', x)
    mean = run(f'type: "Pooling" pooling_param {{ pool: AVE_EXC_PAD kernel_size: 3 stride: 2 {field} }}', x)
    assert largest.shape == mean.shape == (1, 3, 4, 4)
    for i in range(4):
        for j in range(4):
            part = x[..., max(2 * i - 1, 0):2 * i + 2, 2 * j:2 * j + 3]
            np.testing.assert_allclose(largest[..., i, j], part.max(axis=(2, 3)), rtol=1e-6)
            np.testing.assert_allclose(mean[..., i, j], part.mean(axis=(2, 3)), rtol=1e-5)


def test_mean_without_padding_counts_only_the_image(rng):
    x = rng.random((1, 3, 7, 8)).astype(np.float32)
    y = run('type: "Pooling" pooling_param { pool: AVE_TF kernel_size: 3 stride: 1 pad: 1 }', x)
    np.testing.assert_allclose(y[..., 0, 0], x[..., :2, :2].mean(axis=(2, 3)), rtol=1e-5)
    np.testing.assert_allclose(y[..., 3, 7], x[..., 2:5, 6:].mean(axis=(2, 3)), rtol=1e-5)


def test_convolution_sums_what_each_side_sees(rng):
    body = ('type: "Convolution" convolution_param { num_output: 1 kernel_size: 3 stride: 2 pad_type: 1 bias_term: false '
            'weight_filler { type: "constant" value: 1 } }')
    x = rng.standard_normal((1, 3, 7, 8)).astype(np.float32)
    y = run(body, x)
    assert y.shape == (1, 1, 4, 4)
    assert y[0, 0, 0, 0] == pytest.approx(x[0, :, :2, :3].sum(), abs=1e-4)
    assert y[0, 0, 3, 3] == pytest.approx(x[0, :, 5:, 6:].sum(), abs=1e-4)


def test_masks_need_symmetric_padding():
    with pytest.raises(caffe.CaffeError, match="indices"):
        net('type: "Pooling" top: "mask" pooling_param { kernel_size: 2 pad_type: 1 }')
