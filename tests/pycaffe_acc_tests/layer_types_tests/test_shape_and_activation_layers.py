"""Layers of joins, shapes, activations and normalisation, where the stored cases do not look."""
from __future__ import annotations

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc.text_format import parse_net

IMAGE = "dim: 2 dim: 6 dim: 5 dim: 4"


def net(body: str, shapes: tuple[str, ...] = (IMAGE,), phase: int = caffe.TEST, tops: str = 'top: "y"', **kwargs) -> caffe.Net:
    """A net of Input layers x0, x1, … and one layer with the given text."""
    inputs = "".join(f'layer {{ name: "x{i}" type: "Input" top: "x{i}" input_param {{ shape {{ {s} }} }} }}\n' for i, s in enumerate(shapes))
    bottoms = " ".join(f'bottom: "x{i}"' for i in range(len(shapes)))
    return caffe.Net(parse_net(f'{inputs} layer {{ name: "it" {bottoms} {tops} {body} }}').message, phase, **kwargs)


def run(body: str, *xs: np.ndarray, **kwargs) -> np.ndarray:
    """Output y of the layer on arrays."""
    shapes = tuple(" ".join(f"dim: {d}" for d in x.shape) for x in xs)
    n = net(body, shapes, **kwargs)
    for i, x in enumerate(xs):
        n.blobs[f"x{i}"].data[...] = x
    return np.array(n.forward()["y"])


@pytest.fixture
def x(rng):
    return (rng.standard_normal((2, 6, 5, 4)) * 5).astype(np.float32)


def test_relu_limits(x):
    np.testing.assert_allclose(run('type: "ReLU" relu_param { upper_limit: 6 }', x), np.clip(x, 0, 6))
    np.testing.assert_allclose(run('type: "ReLU6"', x), np.clip(x, 0, 6))
    leaky = np.minimum(np.where(x > 0, x, np.float32(0.1) * x), 3)
    np.testing.assert_allclose(run('type: "ReLU" relu_param { upper_limit: 3 negative_slope: 0.1 }', x), leaky, rtol=1e-6)
    np.testing.assert_allclose(run('type: "ReLU" relu_param { upper_limit: -2 }', x), np.full_like(x, -2))


def test_dropout(x):
    np.testing.assert_array_equal(run('type: "Dropout"', x), x)
    np.testing.assert_allclose(run('type: "Dropout" dropout_param { dropout_ratio: 0.3 scale_train: false }', x), x * 0.7, rtol=1e-6)
    big = np.ones((1, 1, 100, 100), np.float32)
    y = run('type: "Dropout" dropout_param { dropout_ratio: 0.25 }', big, phase=caffe.TRAIN)
    assert set(np.unique(y)) == {np.float32(0), np.float32(4 / 3)} and abs(y.mean() - 1) < 0.05
    with pytest.raises(caffe.CaffeError, match="'it'.*dropout_ratio is 1"):
        net('type: "Dropout" dropout_param { dropout_ratio: 1 }')


@pytest.mark.parametrize("field,extent", [("ceil_mode: false", 2), ("ceil_mode: true", 3), ("round_mode: FLOOR", 2), ("", 3)])
def test_rounding_of_pooling(field, extent):
    n = net(f'type: "Pooling" pooling_param {{ kernel_size: 3 stride: 2 {field} }}', ("dim: 1 dim: 3 dim: 6 dim: 6",))
    assert n.blobs["y"].data.shape[2:] == (extent, extent)


def test_stochastic_pooling(x):
    y = run('type: "Pooling" pooling_param { pool: STOCHASTIC kernel_size: 2 stride: 2 }', abs(x))
    window = abs(x)[0, 0, :2, :2].astype(np.float64)
    assert y[0, 0, 0, 0] == pytest.approx((window ** 2).sum() / window.sum(), rel=1e-5)
    with pytest.raises(caffe.CaffeError, match="'it'.*TRAIN"):
        net('type: "Pooling" pooling_param { pool: STOCHASTIC kernel_size: 2 }', phase=caffe.TRAIN)


def test_legacy_axes(x):
    np.testing.assert_array_equal(run('type: "Concat" concat_param { concat_dim: 2 }', x, x), np.concatenate([x, x], 2))
    cut = net('type: "Slice" slice_param { slice_dim: 2 slice_point: 1 }', tops='top: "y" top: "z"')
    assert cut.blobs["y"].data.shape == (2, 6, 1, 4) and cut.blobs["z"].data.shape == (2, 6, 4, 4)
    with pytest.raises(caffe.CaffeError, match="'it'.*both axis and concat_dim"):
        net('type: "Concat" concat_param { concat_dim: 2 axis: 1 }', (IMAGE, IMAGE))
    with pytest.raises(caffe.CaffeError, match="'it'.*both axis and slice_dim"):
        net('type: "Slice" slice_param { slice_dim: 2 axis: 1 }', tops='top: "y" top: "z"')


def test_batch_norm_with_the_vendors_affine_part(x):
    n = net('type: "BatchNorm" batch_norm_param { use_alpha_beta: true }')
    assert [b.data.shape for b in n.params["it"]] == [(6,), (6,), (1,), (6,), (6,)]
    for blob, value in zip(n.params["it"], (1, 4, 2, 3, 5), strict=True):
        blob.data[...] = value
    n.blobs["x0"].data[...] = x
    np.testing.assert_allclose(n.forward()["y"], (x - 0.5) / np.sqrt(2 + 1e-5) * 3 + 5, rtol=1e-5, atol=1e-5)


def test_batch_norm_in_training(x):
    y = run('type: "BatchNorm"', x, phase=caffe.TRAIN)
    np.testing.assert_allclose(y.mean(axis=(0, 2, 3)), 0, atol=1e-5)


def test_batch_norm_refuses_learning_rates():
    with pytest.raises(caffe.CaffeError, match="'it'.*param 0 has lr_mult 1"):
        net('type: "BatchNorm" param { lr_mult: 1 }')
    net('type: "BatchNorm" param { lr_mult: 0 } param { lr_mult: 0 }')


def test_an_identical_crop_is_the_bottom(x):
    np.testing.assert_array_equal(run('type: "Crop"', x, x), x)


def test_prelu_starts_at_a_quarter(x):
    np.testing.assert_allclose(run('type: "PReLU"', x), np.where(x > 0, x, 0.25 * x), rtol=1e-6)
    shared = 'type: "PReLU" prelu_param { channel_shared: true filler { value: 0.5 } }'
    np.testing.assert_allclose(run(shared, x), np.where(x > 0, x, 0.5 * x), rtol=1e-6)


@pytest.mark.parametrize("body,shapes,rule", [
    ('type: "Log" log_param { base: 1 }', (IMAGE,), "no logarithm"),
    ('type: "Log" log_param { base: 0 }', (IMAGE,), "must be positive"),
    ('type: "Pooling" pooling_param { kernel_size: 2 kernel_h: 2 kernel_w: 2 }', (IMAGE,), "kernel_size, or as both"),
    ('type: "Pooling" pooling_param { kernel_h: 2 }', (IMAGE,), "kernel_size, or as both"),
    ('type: "Pooling" pooling_param { kernel_size: 0 }', (IMAGE,), "must be positive"),
    ('type: "Pooling" pooling_param { kernel_size: 2 stride: 0 }', (IMAGE,), "stride"),
    ('type: "Pooling" pooling_param { kernel_size: 2 stride_h: 1 }', (IMAGE,), "stride, or as both"),
    ('type: "Pooling" pooling_param { kernel_size: 2 pad: 1 pad_h: 1 pad_w: 1 }', (IMAGE,), "pad, or as both"),
    ('type: "LRN"', ("dim: 3",), "4 axes"),
    ('type: "SPP" spp_param { pyramid_height: 0 }', (IMAGE,), "at least 1"),
    ('type: "SPP" spp_param { pyramid_height: 1 }', ("dim: 3",), "4 axes"),
    ('type: "SPP" spp_param { pyramid_height: 2 pool: STOCHASTIC }', ("dim: 1 dim: 1 dim: 5 dim: 5",), "padding is for AVE"),
    ('type: "Scale" scale_param { num_axes: -2 }', (IMAGE,), "num_axes is -2"),
    ('type: "Scale" scale_param { axis: 3 num_axes: 2 }', (IMAGE,), "reach beyond"),
    ('type: "Bias" bias_param { axis: 3 }', (IMAGE, "dim: 4 dim: 1"), "beyond the first"),
    ('type: "Eltwise" eltwise_param { coeff: 1 }', (IMAGE, IMAGE), "1 coeff entries for 2"),
    ('type: "Eltwise" eltwise_param { operation: PROD coeff: 1 coeff: 2 }', (IMAGE, IMAGE), "coefficients are for SUM"),
    ('type: "Eltwise"', (IMAGE, "dim: 1"), "must be equal"),
    ('type: "Reshape" reshape_param { shape { dim: -2 } }', (IMAGE,), "below -1"),
    ('type: "Reshape" reshape_param { shape { dim: 1 } axis: 9 }', (IMAGE,), "axis 9"),
    ('type: "Reshape" reshape_param { shape { dim: 1 } num_axes: -3 }', (IMAGE,), "num_axes is -3"),
    ('type: "Reshape" reshape_param { shape { dim: 1 } axis: 2 num_axes: 4 }', (IMAGE,), "reach beyond"),
    ('type: "Reshape" reshape_param { shape { dim: 7 dim: -1 } }', (IMAGE,), "no multiple"),
    ('type: "Reshape" reshape_param { shape { dim: 7 } }', (IMAGE,), "must be equal"),
    ('type: "Flatten" flatten_param { axis: 2 end_axis: 1 }', (IMAGE,), "lies behind"),
    ('type: "Crop" crop_param { axis: 1 offset: 1 offset: 2 }', (IMAGE, IMAGE), "2 offsets"),
    ('type: "Crop"', (IMAGE, "dim: 2 dim: 2 dim: 2"), "as many axes"),
    ('type: "Im2col" convolution_param { kernel_size: 0 }', (IMAGE,), "must be positive"),
    ('type: "Clip"', (IMAGE,), "clip_param.min and"),
])
def test_refusals(body, shapes, rule):
    with pytest.raises(caffe.CaffeError, match=rule) as refused:
        net(body, shapes)
    assert "'it'" in str(refused.value)


@pytest.mark.parametrize("body,rule", [('type: "BatchNorm"', "6 channels"), ('type: "PReLU"', "keep its extent")])
def test_channels_are_fixed_by_the_weights(body, rule):
    n = net(body)
    n.blobs["x0"].reshape(2, 5, 5, 4)
    with pytest.raises(RuntimeError, match=f"'it'.*{rule}"):
        n.forward()
