"""Layers of the forks with their default semantics (the vendor's are tested against its stored outputs), and what they refuse."""
from __future__ import annotations

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc.text_format import parse_net


def make(layer: str, *shapes: tuple[int, ...], tops: str = 'top: "y"', **options) -> caffe.Net:
    """A net of inputs x0, x1, … and one layer named l."""
    text = ""
    for i, shape in enumerate(shapes):
        dims = " ".join(f"dim: {d}" for d in shape)
        text += f'layer {{ name: "x{i}" type: "Input" top: "x{i}" input_param {{ shape {{ {dims} }} }} }}\n'
    bottoms = " ".join(f'bottom: "x{i}"' for i in range(len(shapes)))
    return caffe.Net(parse_net(f'{text} layer {{ name: "l" {bottoms} {tops} {layer} }}').message, caffe.TEST, **options)


def run(layer: str, *values: np.ndarray, **options) -> np.ndarray:
    """Its first top for these inputs."""
    net = make(layer, *(np.shape(v) for v in values), **options)
    for i, v in enumerate(values):
        net.blobs[f"x{i}"].data[...] = v
    net.forward()
    return np.array(net.blobs["y"].data)


def test_permute_appends_the_axes_that_are_not_named(rng):
    x = rng.standard_normal((2, 3, 4, 5)).astype(np.float32)
    np.testing.assert_array_equal(run('type: "Permute" permute_param { order: 0 order: 2 }', x), x.transpose(0, 2, 1, 3))
    np.testing.assert_array_equal(run('type: "Permute" permute_param { order: 0 order: 1 }', x), x)


def test_normalize_begins_with_scale_one(rng):
    x = rng.standard_normal((2, 3, 4, 5)).astype(np.float32)
    y = run('type: "Normalize" norm_param { across_spatial: false channel_shared: false }', x)
    np.testing.assert_allclose((y * y).sum(axis=1), 1, rtol=1e-5)
    y = run('type: "Normalize" norm_param { scale_filler { type: "constant" value: 20 } }', x)
    np.testing.assert_allclose((y * y).sum(axis=(1, 2, 3)), 400, rtol=1e-5)


def test_prior_boxes_keep_fractions_and_are_not_clipped_by_default():
    x = np.zeros((1, 1, 1, 1)), np.zeros((1, 3, 10, 10))
    np.testing.assert_allclose(run('type: "PriorBox" prior_box_param { min_size: 12.5 }', *x)[0, 0], [-0.125, -0.125, 1.125, 1.125], rtol=1e-6)
    np.testing.assert_allclose(run('type: "PriorBox" prior_box_param { min_size: 12.5 }', *x, vendor_exact=True)[0, 0], [0, 0, 1, 1])
    dense = run('type: "PriorBox" prior_box_param { min_size: 2 max_size: 4 p_type: DENSE inner_scale: 2 img_h: 10 img_w: 10 }', *x)[0, 0]
    dense = dense.reshape(-1, 4)
    np.testing.assert_allclose(dense[:, 2] - dense[:, 0], [0.2, 0.2 * 4 ** 0.25], rtol=1e-5)


def test_detection_output_has_as_many_rows_as_detections():
    prior = np.array([[[0.1, 0.1, 0.3, 0.3, 0.6, 0.6, 0.9, 0.9], [0.1] * 8]])
    conf = np.array([[0.1, 0.9, 0.8, 0.2], [0.6, 0.4, 0.9, 0.1]])
    layer = ('type: "DetectionOutput" detection_output_param { num_classes: 2 confidence_threshold: %s '
             "nms_param { nms_threshold: 0.45 top_k: 10 } keep_top_k: 5 }")
    y = run(layer % 0.3, np.zeros((2, 8)), conf, prior)
    np.testing.assert_allclose(y, [[[[0, 1, 0.9, 0.1, 0.1, 0.3, 0.3], [1, 1, 0.4, 0.1, 0.1, 0.3, 0.3]]]], rtol=1e-6)
    assert run(layer % 0.95, np.zeros((2, 8)), conf, prior).tolist() == [[[[0] + [-1] * 6, [1] + [-1] * 6]]]


def test_interp_takes_its_size_from_a_second_bottom(rng):
    x = rng.standard_normal((1, 2, 3, 4)).astype(np.float32)
    assert run('type: "Interp"', x, np.zeros((1, 1, 6, 9))).shape == (1, 2, 6, 9)
    aligned, centred = (run(f'type: "Interp" interp_param {{ height: 6 width: 8 align_corners: {a} }}', x) for a in ("true", "false"))
    assert np.abs(aligned - centred).max() > 0.01
    np.testing.assert_allclose(aligned[..., ::5, ::7], x[..., ::2, ::3], rtol=1e-6)


@pytest.mark.parametrize("layer", ['type: "Upsample" upsample_param { scale: 2 }', 'type: "Upsample" upsample_param { stride: 2 }',
                                   'type: "UpsampleDarknet" upsample_darknet_param { stride: 2 }',
                                   'type: "Upsample" upsample_param { upsample_h: 4 upsample_w: 6 }'])
def test_nearest_upsampling_repeats(layer, rng):
    x = rng.standard_normal((1, 2, 2, 3)).astype(np.float32)
    np.testing.assert_array_equal(run(layer, x), x.repeat(2, axis=2).repeat(2, axis=3))


def test_upsampling_by_mask():
    y = run('type: "Upsample" upsample_param { scale: 2 pad_out_h: 1 }', np.full((1, 1, 2, 2), 3.0), np.array([[[[0, 3], [9, 11]]]]))
    np.testing.assert_array_equal(y[0, 0], [[3, 0, 0, 3], [0, 0, 0, 0], [0, 3, 0, 3]])


def test_unpooling_takes_its_window_from_a_second_bottom():
    y = run('type: "UnPooling" unpooling_param { unpool: REP out_kernel_size: 9 }', np.arange(4.0).reshape(1, 1, 2, 2), np.zeros((1, 1, 4, 4)))
    np.testing.assert_array_equal(y[0, 0], np.arange(4).reshape(2, 2).repeat(2, axis=0).repeat(2, axis=1))


def test_bn_of_segnet_is_scale_and_shift(rng):
    x = rng.standard_normal((2, 3, 4, 5)).astype(np.float32)
    fillers = 'scale_filler { type: "constant" value: 2 } shift_filler { type: "constant" value: 1 }'
    net = make(f'type: "BN" bn_param {{ bn_mode: INFERENCE {fillers} }}', x.shape)
    assert [b.data.shape for b in net.params["l"]] == [(1, 3, 1, 1)] * 2
    np.testing.assert_allclose(run(f'type: "BN" bn_param {{ bn_mode: INFERENCE {fillers} }}', x), 2 * x + 1, rtol=1e-6)
    y = run(f'type: "BN" bn_param {{ {fillers} }}', x)
    np.testing.assert_allclose(y.mean(axis=(0, 2, 3)), 1, atol=1e-5)
    np.testing.assert_allclose(y.std(axis=(0, 2, 3)), 2, rtol=1e-4)


def test_bn_with_four_blobs_begins_as_the_identity(rng):
    x = rng.standard_normal((2, 3, 4, 5)).astype(np.float32)
    np.testing.assert_allclose(run('type: "BN" bn_param { eps: 0 }', x), x, rtol=1e-6)


def test_first_convolution_normalizes_its_input(rng):
    x = 100 * rng.random((1, 3, 4, 4)).astype(np.float32)
    weights = 'num_output: 1 kernel_size: 1 bias_term: false weight_filler { type: "constant" value: 1 }'
    y = run(f'type: "Convolution" convolution_param {{ {weights} mean_value: 10 mean_value: 20 mean_value: 30 std: 0.5 scale: 9 }}', x)
    np.testing.assert_allclose(y[:, 0], 0.5 * (x.sum(axis=1) - 60), rtol=1e-4, atol=1e-3)
    y = run(f'type: "Convolution" convolution_param {{ {weights} mean_value: 10 scale: 2 }}', x)
    np.testing.assert_allclose(y[:, 0], 2 * (x.sum(axis=1) - 30), rtol=1e-4, atol=1e-3)
    with pytest.raises(caffe.CaffeError, match="mean values"):
        make(f'type: "Convolution" convolution_param {{ {weights} mean_value: 1 mean_value: 2 }}', x.shape)


def test_first_convolution_reads_a_mean_file(tmp_path, rng):
    mean = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    np.save(tmp_path / "mean.npy", mean)
    layer = ('type: "Convolution" convolution_param { num_output: 1 kernel_size: 1 weight_filler { type: "constant" value: 1 } '
             f'mean_file: "{tmp_path}/mean.npy" }}')
    np.testing.assert_allclose(run(layer, np.zeros((1, 3, 2, 2)))[0, 0], -mean.mean(axis=(1, 2)).sum(), rtol=1e-6)


@pytest.mark.parametrize("name", ["ConvolutionDepthwise", "DepthwiseConvolution"])
def test_depthwise_spellings(name):
    net = make(f'type: "{name}" convolution_param {{ num_output: 6 kernel_size: 3 group: 2 }}', (1, 3, 5, 5))
    assert net.params["l"][0].data.shape == (6, 1, 3, 3)


@pytest.mark.parametrize("reverse", [False, True])
def test_reorg_matches_darknets_indices(reverse, rng):
    b, c, h, w, s = 2, 8, 4, 6, 2
    x = rng.standard_normal((b, c, h, w)).astype(np.float32)
    y = run(f'type: "Reorg" reorg_param {{ stride: {s} reverse: {str(reverse).lower()} }}', x)
    assert y.shape == ((b, c // 4, h * 2, w * 2) if reverse else (b, c * 4, h // 2, w // 2))
    flat, want, channels = x.reshape(-1), np.empty(x.size, np.float32), c // (s * s)
    for here, (n, k, j, i) in enumerate(np.ndindex(b, c, h, w)):
        part, row, column = k // channels, j * s + k // channels // s, i * s + k // channels % s
        assert part < s * s
        there = column + w * s * (row + h * s * (k % channels + channels * n))
        if reverse:
            want[there] = flat[here]
        else:
            want[here] = flat[there]
    np.testing.assert_array_equal(y.reshape(-1), want)


def test_small_layers(rng):
    x = rng.standard_normal((2, 4, 3, 5)).astype(np.float32)
    np.testing.assert_array_equal(run('type: "Reverse"', x), x[::-1])
    np.testing.assert_array_equal(run('type: "Reverse"', x, vendor_exact=True), x[:, ::-1])
    np.testing.assert_allclose(run('type: "Sqrt"', x * x), np.abs(x), rtol=1e-6)
    np.testing.assert_allclose(run('type: "HardSwish"', x), x * np.clip(x + 3, 0, 6) / 6, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(run('type: "ShuffleChannel" shuffle_channel_param { group: 2 }', x), x[:, [0, 2, 1, 3]])
    np.testing.assert_array_equal(run('type: "CReLU"', x), np.maximum(np.concatenate([x, -x], axis=1), 0))
    np.testing.assert_array_equal(run('type: "AddPad" addpad_param { pad_h: 1 pad_w: 2 }', x), np.pad(x, [(0, 0), (0, 0), (1, 1), (2, 2)]))
    np.testing.assert_array_equal(run('type: "AddPad" addpad_param { pad: 1 }', x), np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)]))
    paddings = " ".join(f"paddings: {p}" for p in (0, 0, 1, 0, 2, 3, 0, 1))
    np.testing.assert_array_equal(run(f'type: "Pad" pad_param {{ {paddings} }}', x), np.pad(x, [(0, 0), (1, 0), (2, 3), (0, 1)]))
    crop = " ".join(f"crop_size: {c}" for c in (0, 0, 1, 2))
    np.testing.assert_array_equal(run(f'type: "CropCenter" crop_center_param {{ {crop} }}', x), x[:, :, 1:-1, 2:-2])
    assert run('type: "Squeeze" squeeze_param { axis: 2 axis: -1 }', np.zeros((1, 3, 1, 1))).shape == (1, 3)
    assert run('type: "Squeeze"', np.zeros((1, 3, 1, 2))).shape == (3, 2)


def test_products_broadcast(rng):
    x, channel, row = rng.standard_normal((2, 4, 3, 5)), rng.standard_normal((2, 4, 1, 1)), rng.standard_normal((2, 1, 3, 5))
    for other in (x, channel, row):
        np.testing.assert_allclose(run('type: "Mul"', x, other), x * other, rtol=1e-5, atol=1e-6)


def test_proposals_and_their_scores(rng):
    scores, deltas = rng.random((1, 18, 4, 5)), 0.1 * rng.standard_normal((1, 36, 4, 5))
    net = make('type: "Proposal" proposal_param { feat_stride: 16 post_nms_topn: 7 }', scores.shape, deltas.shape, (1, 3), tops='top: "y" top: "s"')
    for name, value in (("x0", scores), ("x1", deltas), ("x2", [[64, 80, 1]])):
        net.blobs[name].data[...] = value
    net.forward()
    rois = np.array(net.blobs["y"].data)
    assert 0 < len(rois) <= 7 and net.blobs["s"].data.shape == (len(rois), 1)
    vendor = run('type: "Proposal" proposal_param { stride: 16 nms_num: 9 }', scores, deltas, np.array([[64, 80, 1]]))
    assert vendor.shape == (9, 5)


def test_regions_after_proposals_follow_their_number(rng):
    """ROI pooling reads a blob whose shape is known only after the layer before it ran."""
    text = "".join(f'layer {{ name: "{n}" type: "Input" top: "{n}" input_param {{ shape {{ {" ".join(f"dim: {d}" for d in s)} }} }} }}\n'
                   for n, s in (("p", (1, 18, 4, 5)), ("d", (1, 36, 4, 5)), ("i", (1, 3)), ("f", (1, 2, 4, 5))))
    text += 'layer { name: "rois" type: "Proposal" bottom: "p" bottom: "d" bottom: "i" top: "rois" proposal_param { post_nms_topn: 6 } }'
    text += ('layer { name: "y" type: "ROIPooling" bottom: "f" bottom: "rois" top: "y" '
             "roi_pooling_param { pooled_h: 2 pooled_w: 2 spatial_scale: 0.0625 } }")
    net = caffe.Net(parse_net(text).message, caffe.TEST)
    for name in ("p", "d", "f"):
        net.blobs[name].data[...] = 0.1 * rng.random(net.blobs[name].data.shape)
    net.blobs["i"].data[...] = [[64, 80, 1]]
    y = net.forward()["y"]
    assert y.shape == (len(net.blobs["rois"].data), 2, 2, 2) and y.max() > 0


def test_smooth_l1_loss_is_a_loss():
    net = make('type: "SmoothL1Loss" smooth_l1_loss_param { sigma: 2 }', (2, 2), (2, 2))
    net.blobs["x0"].data[...] = [[0, 1], [2, 0]]
    assert net.forward()["y"] == pytest.approx((1 - 0.125 + 2 - 0.125) / 2)


@pytest.mark.parametrize(("layer", "shapes", "words"), [
    ('type: "Permute" permute_param { order: 4 }', [(1, 2, 3, 4)], "axis 4"),
    ('type: "Permute" permute_param { order: 1 order: 1 }', [(1, 2, 3, 4)], "twice"),
    ('type: "Normalize"', [(4,)], "two axes"),
    ('type: "PriorBox"', [(1, 1, 1, 1), (1, 1, 9, 9)], "min_size is missing"),
    ('type: "PriorBox" prior_box_param { min_size: 2 min_size: 3 max_size: 4 }', [(1, 1, 1, 1), (1, 1, 9, 9)], "as many"),
    ('type: "PriorBox" prior_box_param { min_size: 2 aspect_ratio: 0 }', [(1, 1, 1, 1), (1, 1, 9, 9)], "aspect_ratio"),
    ('type: "PriorBox" prior_box_param { min_size: 2 img_h: 4 }', [(1, 1, 1, 1), (1, 1, 9, 9)], "img_w"),
    ('type: "PriorBox" prior_box_param { min_size: 2 img_h: 4 img_w: 4 img_size: 4 }', [(1, 1, 1, 1), (1, 1, 9, 9)], "both img_size"),
    ('type: "PriorBox" prior_box_param { min_size: 2 variance: -1 }', [(1, 1, 1, 1), (1, 1, 9, 9)], "variance"),
    ('type: "DetectionOutput"', [(1, 8), (1, 4), (1, 2, 8)], "num_classes"),
    ('type: "DetectionOutput" detection_output_param { num_classes: 2 nms_param { eta: 2 } }', [(1, 8), (1, 4), (1, 2, 8)], "eta"),
    ('type: "Interp" interp_param { height: 3 }', [(1, 1, 4, 4)], "give both"),
    ('type: "Upsample"', [(1, 1, 4, 4)], "neither"),
    ('type: "Upsample" upsample_param { scale: 2 }', [(4, 4)], "N, C, H, W"),
    ('type: "UpsampleDarknet" upsample_darknet_param { stride: 0 }', [(1, 1, 4, 4)], "positive"),
    ('type: "UnPooling" unpooling_param { out_kernel_size: 2 out_kernel_h: 2 out_kernel_w: 2 }', [(1, 1, 4, 4)], "not both"),
    ('type: "UnPooling" unpooling_param { out_kernel_size: 2 out_pad_h: 1 }', [(1, 1, 4, 4)], "out_pad"),
    ('type: "BN"', [(4,)], "channel axis"),
    ('type: "Reorg"', [(1, 4, 4, 4)], "stride is missing"),
    ('type: "Reorg" reorg_param { stride: 2 }', [(1, 3, 4, 4)], "channels"),
    ('type: "AddPad"', [(1, 3, 4, 4)], "give pad once"),
    ('type: "AddPad" addpad_param { pad: 1 pad: 2 }', [(1, 3, 4, 4)], "given 2 times"),
    ('type: "Pad" pad_param { paddings: 1 }', [(1, 3, 4, 4)], "two each"),
    ('type: "CropCenter" crop_center_param { crop_size: 1 }', [(1, 3, 4, 4)], "once for each"),
    ('type: "CropCenter" crop_center_param { crop_size: 1 crop_size: 1 }', [(2, 3)], "leaves nothing"),
    ('type: "Squeeze" squeeze_param { axis: 1 }', [(1, 3)], "extent 3"),
    ('type: "CycleAdd"', [(2, 3, 4, 4), (2, 3, 1, 1)], "channels of bottom 0"),
    ('type: "Sub"', [(2, 3), (2, 4)], "elements"),
    ('type: "Proposal" proposal_param { stride: 16 scale: 1 scale: 2 }', [(1, 18, 2, 2), (1, 36, 2, 2), (1, 3)], "takes it once"),
    ('type: "Proposal"', [(1, 18, 2, 2), (1, 36, 2, 2)], "three bottoms"),
    ('type: "ROIPooling" roi_pooling_param { pooled_h: 2 }', [(1, 2, 4, 4), (1, 5)], "positive"),
    ('type: "ROIAlign"', [(1, 2, 4, 4), (1, 5)], "positive"),
    ('type: "PSROIPooling"', [(1, 8, 4, 4), (1, 5)], "spatial_scale"),
    ('type: "Convolution3D" convolution3d_param { num_output: 2 }', [(1, 2, 3, 3, 3)], "positive"),
    ('type: "Convolution3D" convolution3d_param { num_output: 2 kernel_size: 1 kernel_depth: 1 }', [(1, 2, 3, 3)], "five axes"),
    ('type: "Convolution3D" convolution3d_param { num_output: 3 kernel_size: 1 kernel_depth: 1 filter_group: 2 }', [(1, 2, 3, 3, 3)], "filter_group"),
    ('type: "Pooling3D" pooling3d_param { kernel_size: 2 kernel_depth: 2 pad: 1 }', [(1, 2, 3, 3, 3)], "AVE only"),
    ('type: "DetectionOut"', [(1, 16, 4, 4)], "num_classes"),
])
def test_refusals_name_the_layer_and_the_rule(layer, shapes, words):
    with pytest.raises(RuntimeError, match=words) as caught:
        make(layer, *shapes)
    assert "'l'" in str(caught.value)
