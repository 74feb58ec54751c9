"""Layers over rows and items against NumPy: what a prototxt's fields mean."""
from __future__ import annotations

import numpy as np
import pytest

import pycaffe_acc as caffe


def run(tmp_path, layers, blobs, out="out"):
    """Outputs of `layers` fed with arrays."""
    text = ""
    for name, value in blobs.items():
        dims = " ".join(f"dim: {d}" for d in value.shape)
        text += f"layer {{ name: 'in_{name}' type: 'Input' top: '{name}' input_param {{ shape {{ {dims} }} }} }}\n"
    path = tmp_path / "net.prototxt"
    path.write_text(text + layers)
    net = caffe.Net(str(path), caffe.TEST)
    for name, value in blobs.items():
        net.blobs[name].data[...] = value
    net.forward()
    return net, net.blobs[out].data.copy()


def one(tmp_path, kind, x, param="", bottoms="bottom: 'x'", tops="top: 'out'", **more):
    return run(tmp_path, f"layer {{ name: 'l' type: '{kind}' {bottoms} {tops} {param} }}", {"x": x, **more})


@pytest.fixture
def x(rng):
    return rng.standard_normal((2, 3, 4, 5)).astype(np.float32)


@pytest.mark.parametrize("param,want", [
    ("", lambda x: x.sum()),
    ("reduction_param { operation: ASUM axis: 1 coeff: 2 }", lambda x: 2 * np.abs(x).sum(axis=(1, 2, 3))),
    ("reduction_param { operation: SUMSQ axis: -1 }", lambda x: (x * x).sum(axis=3)),
    ("reduction_param { operation: MEAN axis: 2 }", lambda x: x.mean(axis=(2, 3))),
])
def test_reduction(tmp_path, x, param, want):
    got = one(tmp_path, "Reduction", x, param)[1]
    assert got.shape == np.shape(want(x))
    np.testing.assert_allclose(got, want(x), rtol=1e-5, atol=1e-5)


def test_argmax(tmp_path, x):
    np.testing.assert_array_equal(one(tmp_path, "ArgMax", x)[1].ravel(), x.reshape(2, -1).argmax(axis=1))
    np.testing.assert_array_equal(one(tmp_path, "ArgMax", x, "argmax_param { axis: 1 }")[1][:, 0], x.argmax(axis=1))
    np.testing.assert_array_equal(one(tmp_path, "ArgMax", x, "argmax_param { axis: -1 top_k: 2 out_max_val: true }")[1], np.sort(x, 3)[..., :-3:-1])
    with pytest.raises(caffe.CheckError, match="top_k 6"):
        one(tmp_path, "ArgMax", x, "argmax_param { axis: 3 top_k: 6 }")


def test_tile_and_embed(tmp_path, x):
    np.testing.assert_array_equal(one(tmp_path, "Tile", x, "tile_param { axis: -3 tiles: 2 }")[1], np.concatenate([x, x], 1))
    index = np.array([[0, 3], [2, 2]], np.float32)
    net, out = one(tmp_path, "Embed", index, "embed_param { input_dim: 4 num_output: 3 weight_filler { type: 'gaussian' } bias_filler { value: 2 } }")
    np.testing.assert_allclose(out, net.params["l"][0].data[index.astype(int)] + 2, rtol=1e-6)


def test_mvn_makes_four_axes(tmp_path, x):
    got = one(tmp_path, "MVN", x[:, :, 0], "mvn_param { normalize_variance: false }")[1]
    np.testing.assert_allclose(got[..., 0], x[:, :, 0] - x[:, :, 0].mean(axis=2, keepdims=True), rtol=1e-4, atol=1e-6)
    across = one(tmp_path, "MVN", x, "mvn_param { across_channels: true }")[1]
    np.testing.assert_allclose(across.reshape(2, -1).std(axis=1), 1, rtol=1e-4)


def test_selection(tmp_path, x):
    both = "bottom: 'x' bottom: 'y'"
    np.testing.assert_array_equal(one(tmp_path, "BatchReindex", x, bottoms=both, y=np.array([1, 1, 0], np.float32))[1], x[[1, 1, 0]])
    np.testing.assert_array_equal(one(tmp_path, "Filter", x, bottoms=both, y=np.array([0, 1], np.float32))[1], x[1:])


def test_losses(tmp_path, rng):
    a, b = rng.standard_normal((4, 3)).astype(np.float32), rng.random((4, 3)).astype(np.float32)
    label = np.array([0, 2, 1, 1], np.float32)
    both = "bottom: 'x' bottom: 'y'"
    s = 1 / (1 + np.exp(-a.astype(np.float64)))
    entropy = -(b * np.log(s) + (1 - b) * np.log(1 - s)).sum()
    p = np.exp(a) / np.exp(a).sum(axis=1, keepdims=True)
    picked = -np.log(p[np.arange(4), label.astype(int)])
    signed = a.copy()
    signed[np.arange(4), label.astype(int)] *= -1
    hinge = np.maximum(0, 1 + signed)
    cases = [
        ("EuclideanLoss", b, "", ((a - b) ** 2).sum() / 8),
        ("SigmoidCrossEntropyLoss", b, "", entropy / 4),
        ("SigmoidCrossEntropyLoss", b, "loss_param { normalize: true }", entropy / 12),
        ("SigmoidCrossEntropyLoss", b, "loss_param { normalization: NONE }", entropy),
        ("SoftmaxWithLoss", label, "", picked.mean()),
        ("SoftmaxWithLoss", label, "loss_param { ignore_label: 1 normalize: false }", picked[:2].sum() / 4),
        ("HingeLoss", label, "", hinge.sum() / 4),
        ("HingeLoss", label, "hinge_loss_param { norm: L2 }", (hinge ** 2).sum() / 4),
        ("MultinomialLogisticLoss", label, "", -np.log(np.maximum(a[np.arange(4), label.astype(int)], 1e-20)).mean()),
    ]
    for kind, second, param, want in cases:
        got = one(tmp_path, kind, a, param, both, y=second)[1]
        assert got.shape == ()
        np.testing.assert_allclose(got, want, rtol=1e-5, err_msg=f"{kind} {param}")
    far = one(tmp_path, "ContrastiveLoss", a, "contrastive_loss_param { margin: 9 }",
              f"{both} bottom: 'z'", y=b, z=np.array([1, 1, 0, 0], np.float32))[1]
    d = np.sqrt(((a - b) ** 2).sum(axis=1))
    np.testing.assert_allclose(far, ((d[:2] ** 2).sum() + ((9 - d[2:]) ** 2).sum()) / 8, rtol=1e-5)


def test_lstm_unit_parameter_and_silence(tmp_path, rng):
    c, gates, cont = rng.standard_normal((1, 2, 3)), rng.standard_normal((1, 2, 12)), np.ones((1, 2))
    net, h = one(tmp_path, "LSTMUnit", c, "", "bottom: 'x' bottom: 'g' bottom: 'k'", "top: 'c' top: 'out'", g=gates, k=cont)

    def s(v):
        return 1 / (1 + np.exp(-v))

    i, f, o, g = np.split(gates, 4, 2)
    want = s(f) * c + s(i) * np.tanh(g)
    np.testing.assert_allclose(net.blobs["c"].data, want, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(h, s(o) * np.tanh(want), rtol=1e-4, atol=1e-6)
    net, w = run(tmp_path, "layer { name: 'p' type: 'Parameter' top: 'w' parameter_param { shape { dim: 2 dim: 3 } } }\n"
                 "layer { name: 's' type: 'Silence' bottom: 'x' }", {"x": cont}, "w")
    assert net.outputs == ["w"] and w.shape == (2, 3)
    net.params["p"][0].data[...] = 4
    assert (net.forward()["w"] == 4).all()


def test_legacy_dummy_shapes(tmp_path):
    net, _ = run(tmp_path,
                 "layer { name: 'd' type: 'DummyData' top: 'a' top: 'b' dummy_data_param { num: 1 num: 2 channels: 3 height: 4 width: 5 } }", {}, "a")
    assert net.blobs["a"].shape == (1, 3, 4, 5) and net.blobs["b"].shape == (2, 3, 4, 5)


def test_static_input_and_exposed_states(tmp_path, rng):
    """x_static W adds to every step as a wider x would."""
    x, xs = rng.standard_normal((3, 2, 4)).astype(np.float32), rng.standard_normal((2, 5)).astype(np.float32)
    h0 = np.zeros((1, 2, 3), np.float32)
    filler = "num_output: 3 weight_filler { type: 'uniform' min: -1 max: 1 }"
    for kind in ("LSTM", "RNN"):
        states = ["h0", "c0"][:2 if kind == "LSTM" else 1]
        bottoms = " ".join(f"bottom: '{b}'" for b in ["x", "cont", "xs", *states])
        tops = " ".join(f"top: '{t}'" for t in ["out", *(f"{s}_end" for s in states)])
        layer = f"layer {{ name: 'l' type: '{kind}' {bottoms} {tops} recurrent_param {{ {filler} expose_hidden: true }} }}"
        net, out = run(tmp_path, layer, {"x": x, "cont": np.ones((3, 2)), "xs": xs, **dict.fromkeys(states, h0)})
        wide = f"layer {{ name: 'l' type: '{kind}' bottom: 'x' bottom: 'cont' top: 'out' recurrent_param {{ {filler} }} }}"
        other, _ = run(tmp_path, wide, {"x": np.concatenate([x, np.broadcast_to(xs, (3, 2, 5))], 2), "cont": np.zeros((3, 2))})
        w = [b.data for b in net.params["l"]]
        for blob, value in zip(other.params["l"], [np.concatenate([w[0], w[2]], 1), w[1], *w[3:]], strict=True):
            blob.data[...] = value
        other.blobs["cont"].data[...] = np.array([[0, 0], [1, 1], [1, 1]])
        np.testing.assert_allclose(other.forward()["out"], out, rtol=1e-4, atol=1e-5)
        if kind == "LSTM":
            np.testing.assert_array_equal(net.blobs["h0_end"].data[0], out[-1])
