"""LSTM and RNN layers: what the stored cases do not show."""
from __future__ import annotations

import numpy as np
import pytest

import pycaffe_acc as caffe


def inputs(**shapes):
    lines = ""
    for name, shape in shapes.items():
        dims = " ".join(f"dim: {d}" for d in shape)
        lines += f"layer {{ name: '{name}' type: 'Input' top: '{name}' input_param {{ shape {{ {dims} }} }} }}\n"
    return lines


def recurrent(kind, bottoms=("x", "cont"), tops=("h",), extra="num_output: 4"):
    names = " ".join([f"bottom: '{b}'" for b in bottoms] + [f"top: '{t}'" for t in tops])
    return f"layer {{ name: 'rec' type: '{kind}' {names} recurrent_param {{ {extra} weight_filler {{ type: 'uniform' min: -0.5 max: 0.5 }} }} }}"


def net(tmp_path, text):
    path = tmp_path / "net.prototxt"
    path.write_text(text)
    return caffe.Net(str(path), caffe.TEST)


@pytest.mark.parametrize("kind,blobs", [
    ("LSTM", [(16, 6), (16,), (16, 4)]),
    ("RNN", [(4, 6), (4,), (4, 4), (4, 4), (4,)]),
])
def test_two_halves_are_one_whole(tmp_path, kind, blobs, rng):
    """Running 3 + 3 steps with the state carried equals running 6 steps."""
    x = rng.standard_normal((6, 2, 6)).astype(np.float32)
    caffe.set_random_seed(1)
    whole = net(tmp_path, inputs(x=(6, 2, 6), cont=(6, 2)) + recurrent(kind))
    half = net(tmp_path, inputs(x=(3, 2, 6), cont=(3, 2)) + recurrent(kind))
    assert [b.data.shape for b in whole.params["rec"]] == blobs
    for a, b in zip(whole.params["rec"], half.params["rec"], strict=True):
        b.data[...] = a.data
    whole.blobs["x"].data[...] = x
    whole.blobs["cont"].data[...] = 1
    want = whole.forward()["h"].copy()
    got = []
    for part in (x[:3], x[3:]):
        half.blobs["x"].data[...] = part
        half.blobs["cont"].data[...] = 1
        got.append(half.forward()["h"].copy())
    np.testing.assert_allclose(np.concatenate(got), want, rtol=1e-5, atol=1e-6)
    half.blobs["cont"].data[0] = 0
    half.blobs["x"].data[...] = x[:3]
    np.testing.assert_allclose(half.forward()["h"], want[:3], rtol=1e-5, atol=1e-6)


def test_streams_are_independent(tmp_path, rng):
    """Another number of streams has a state of its own, and a stream's result does not depend on its neighbours."""
    n = net(tmp_path, inputs(x=(3, 2, 6), cont=(3, 2)) + recurrent("LSTM"))
    x = rng.standard_normal((3, 2, 6)).astype(np.float32)
    n.blobs["x"].data[...] = x
    two = n.forward()["h"].copy()
    n.blobs["x"].reshape(3, 1, 6)
    n.blobs["cont"].reshape(3, 1)
    n.blobs["x"].data[...] = x[:, 1:]
    n.blobs["cont"].data[...] = 0
    np.testing.assert_allclose(n.forward()["h"][:, 0], two[:, 1], rtol=1e-5, atol=1e-6)


def test_weights_written_later_are_used(tmp_path):
    n = net(tmp_path, inputs(x=(2, 1, 3), cont=(2, 1)) + recurrent("RNN"))
    n.blobs["x"].data[...] = 1
    first = n.forward()["h"].copy()
    for b in n.params["rec"]:
        b.data[...] = 0
    np.testing.assert_array_equal(n.forward()["h"], np.zeros_like(first))
    assert np.abs(first).max() > 0


@pytest.mark.parametrize("text,words", [
    (inputs(x=(3, 2, 4), cont=(3, 1)) + recurrent("LSTM"), "cont.*must be .3, 2."),
    (inputs(x=(3, 2), cont=(3, 2)) + recurrent("RNN"), "time steps, streams, values"),
    (inputs(x=(3, 2, 4), cont=(3, 2)) + recurrent("RNN", extra=""), "num_output is 0"),
    (inputs(x=(3, 2, 4)) + recurrent("LSTM", bottoms=("x",)), "has 1 bottoms"),
    (inputs(x=(3, 2, 4), cont=(3, 2)) + recurrent("LSTM", extra="num_output: 4 expose_hidden: true"), "first state"),
    (inputs(x=(3, 2, 4), cont=(3, 2)) + recurrent("LSTM", tops=("h", "g")), "makes 1"),
    (inputs(x=(3, 2, 4), cont=(3, 2), s=(3, 5)) + recurrent("LSTM", bottoms=("x", "cont", "s")), "x_static"),
    (inputs(x=(3, 2, 4), cont=(3, 2), h0=(1, 2, 5)) + recurrent("RNN", ("x", "cont", "h0"), ("h", "hT"), "num_output: 4 expose_hidden: true"),
     "first state 0"),
])
def test_refused(tmp_path, text, words):
    with pytest.raises(caffe.CheckError, match=words):
        net(tmp_path, text)


def test_number_of_steps_is_fixed(tmp_path):
    n = net(tmp_path, inputs(x=(3, 2, 4), cont=(3, 2)) + recurrent("LSTM"))
    n.blobs["x"].reshape(5, 2, 4)
    n.blobs["cont"].reshape(5, 2)
    with pytest.raises(caffe.CheckError, match="5 time steps.*set up with 3"):
        n.forward()
