"""MLUYUVtoRGB, and first convolutions over its four channels."""
from __future__ import annotations

import numpy as np
import pytest

import pycaffe_acc as caffe
from cnml.reference.colour import yuv_to_rgb
from pycaffe_acc.weights import WeightsError

VIDEO = """layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 1 dim: 12 dim: 6 } } }
layer { name: "colours" type: "MLUYUVtoRGB" bottom: "data" top: "rgb" PARAM }
"""
CONVOLUTION = """layer { name: "conv" type: "Convolution" bottom: "BOTTOM" top: "y" convolution_param { num_output: 5 kernel_size: 3 FIRST } }
"""
FIRST = "mean_value: 104 mean_value: 117 mean_value: 123 std: 0.5"
COLOURS = 'layer { name: "data" type: "Input" top: "bgr" input_param { shape { dim: 2 dim: 3 dim: 8 dim: 6 } } }\n'


def opened(folder, text, weights=None, **options):
    """A net from text."""
    (folder / "net.prototxt").write_text(text)
    return caffe.Net(str(folder / "net.prototxt"), caffe.TEST, weights=weights, **options)


@pytest.fixture
def frames(rng):
    """Two frames of 8 x 6 pixels."""
    return rng.integers(0, 256, (2, 1, 12, 6)).astype(np.float32)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize(("param", "swapped", "form"), [
    ("", True, "RGB0"), ("yuvtorgb_param { input_format: YUV420SP_NV12 output_format: BGR0 }", False, "BGR0"),
    ("yuvtorgb_param { output_format: ARGB }", True, "ARGB")])
def test_the_layer(tmp_path, frames, precision, param, swapped, form):
    net = opened(tmp_path, VIDEO.replace("PARAM", param), precision=precision)
    net.blobs["data"].data[...] = frames
    got = net.forward()["rgb"]
    assert got.shape == (2, 4, 8, 6)
    np.testing.assert_array_equal(got, yuv_to_rgb(frames, swapped, form))


def test_a_first_convolution_takes_weights_for_three_channels(tmp_path, frames, rng):
    """It gives what the net for B, G and R gives of the same colours."""
    plain = opened(tmp_path, COLOURS + CONVOLUTION.replace("FIRST", FIRST).replace("BOTTOM", "bgr"))
    plain.params["conv"][0].data[...] = rng.standard_normal((5, 3, 3, 3))
    plain.params["conv"][1].data[...] = rng.standard_normal(5)
    plain.save(str(tmp_path / "three.caffemodel"))
    text = VIDEO.replace("PARAM", "") + CONVOLUTION.replace("FIRST", FIRST).replace("BOTTOM", "rgb")
    net = opened(tmp_path, text, str(tmp_path / "three.caffemodel"))
    assert net.params["conv"][0].shape == (5, 4, 3, 3) and not net.params["conv"][0].data[:, 3].any()
    net.blobs["data"].data[...] = frames
    got = net.forward(["rgb"])
    plain.blobs["bgr"].data[...] = got["rgb"][:, 2::-1]
    np.testing.assert_allclose(net.blobs["y"].data, plain.forward()["y"], rtol=1e-5, atol=1e-3)


def test_other_convolutions_do_not(tmp_path):
    plain = opened(tmp_path, COLOURS + CONVOLUTION.replace("FIRST", "").replace("BOTTOM", "bgr"))
    plain.save(str(tmp_path / "three.caffemodel"))
    with pytest.raises(WeightsError, match=r"blob 0 of layer 'conv'.*\(5, 3, 3, 3\)"):
        opened(tmp_path, VIDEO.replace("PARAM", "") + CONVOLUTION.replace("FIRST", "").replace("BOTTOM", "rgb"), str(tmp_path / "three.caffemodel"))


@pytest.mark.parametrize("shape", ["dim: 1 dim: 3 dim: 12 dim: 6", "dim: 1 dim: 1 dim: 13 dim: 6", "dim: 1 dim: 1 dim: 12 dim: 5"])
def test_what_is_no_frame(tmp_path, shape):
    with pytest.raises(Exception, match="colours.*even H and W"):
        opened(tmp_path, VIDEO.replace("PARAM", "").replace("dim: 2 dim: 1 dim: 12 dim: 6", shape)).forward()
