"""The net as pycaffe scripts use it."""
from __future__ import annotations

import os
import threading
import warnings

import numpy as np
import pytest

import pycaffe_acc as caffe

SMALL = """
name: 'small'
layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 2 dim: 3 dim: 8 dim: 8 } } }
layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv'
        convolution_param { num_output: 16 kernel_size: 3 pad: 1 weight_filler { type: 'xavier' } bias_filler { type: 'constant' value: 0.1 } } }
layer { name: 'relu' type: 'ReLU' bottom: 'conv' top: 'conv' }
layer { name: 'pool' type: 'Pooling' bottom: 'conv' top: 'pool' pooling_param { kernel_size: 2 stride: 2 } }
layer { name: 'ip' type: 'InnerProduct' bottom: 'pool' top: 'ip' inner_product_param { num_output: 5 weight_filler { type: 'xavier' } } }
layer { name: 'prob' type: 'Softmax' bottom: 'ip' top: 'prob' }
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.prototxt"
    path.write_text(SMALL)
    return str(path)


@pytest.fixture
def net(small):
    return caffe.Net(small, caffe.TEST)


def test_names_and_shapes(net):
    assert net.inputs == ["data"] and net.outputs == ["prob"]
    assert list(net.blobs) == ["data", "conv", "pool", "ip", "prob"]
    assert list(net.params) == ["conv", "ip"] and [b.data.shape for b in net.params["conv"]] == [(16, 3, 3, 3), (16,)]
    assert net.top_names["relu"] == ["conv"] and net.bottom_names["relu"] == ["conv"]
    assert [layer.type for layer in net.layers][:3] == ["Input", "Convolution", "ReLU"]
    assert net.layer_dict["conv"].type == "Convolution" and len(net.layer_dict["conv"].blobs) == 2
    assert net.blobs["conv"].data.shape == (2, 16, 8, 8)
    b = net.blobs["data"]
    assert (b.num, b.channels, b.height, b.width, b.count, tuple(b.shape)) == (2, 3, 8, 8, 384, (2, 3, 8, 8))


def test_arrays_are_live(net, rng):
    held_out, held_in, held_mid = net.blobs["prob"].data, net.blobs["data"].data, net.blobs["conv"].data[1]
    x = rng.standard_normal((2, 3, 8, 8)).astype(np.float32)
    held_in[...] = x
    first = net.forward()["prob"].copy()
    np.testing.assert_array_equal(held_out, first)
    np.testing.assert_array_equal(held_mid, net.blobs["conv"].data[1])
    held_in[...] = -x
    net.forward()
    assert not np.array_equal(held_out, first)
    np.testing.assert_array_equal(held_mid, net.blobs["conv"].data[1])


def test_partial_forward_sees_values_before_and_after_in_place(net, rng):
    x = rng.standard_normal((2, 3, 8, 8)).astype(np.float32)
    net.blobs["data"].data[...] = x
    before = net.forward(end="conv")["conv"].copy()
    after = net.forward(start="relu", end="relu")["conv"].copy()
    assert before.min() < 0
    np.testing.assert_array_equal(after, np.maximum(before, 0))
    full = net.forward()["prob"].copy()
    np.testing.assert_allclose(net.blobs["conv"].data, after, rtol=1e-5, atol=1e-6)
    net.blobs["ip"].data[...] = 0
    np.testing.assert_allclose(net.forward(start="prob")["prob"], 0.2)
    assert not np.allclose(full, 0.2)


def test_forward_with_blobs_and_inputs(net, rng):
    x = rng.standard_normal((2, 3, 8, 8)).astype(np.float32)
    out = net.forward(blobs=["ip"], data=x)
    assert set(out) == {"ip", "prob"}
    with pytest.raises(caffe.CheckError, match="do not match"):
        net.forward(image=x)
    with pytest.raises(caffe.CheckError, match="batch sized"):
        net.forward(data=x[:1])
    with pytest.raises(caffe.CheckError, match="no layer 'nope'"):
        net.forward(end="nope")
    with pytest.raises(caffe.CheckError, match="no blob 'nope'"):
        net.forward(blobs=["nope"])


def test_weights_written_by_a_script_are_used(net, rng):
    net.blobs["data"].data[...] = rng.standard_normal((2, 3, 8, 8))
    first = net.forward()["ip"] if "ip" in net.outputs else net.forward(blobs=["ip"])["ip"].copy()
    net.params["ip"][0].data[...] = 0
    net.params["ip"][1].data[...] = [1, 2, 3, 4, 5]
    second = net.forward(blobs=["ip"])["ip"]
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(second, [[1, 2, 3, 4, 5]] * 2)


def test_reshape_goes_through_the_net(net, rng):
    net.blobs["data"].reshape(1, 3, 8, 8)
    net.reshape()
    assert net.blobs["prob"].data.shape == (1, 5)
    x = rng.standard_normal((5, 3, 8, 8)).astype(np.float32)
    net.blobs["data"].reshape(5, 3, 8, 8)
    net.blobs["data"].data[...] = x
    big = net.forward()["prob"].copy()
    assert big.shape == (5, 5)
    net.blobs["data"].reshape(1, 3, 8, 8)
    for i in range(5):
        net.blobs["data"].data[...] = x[i]
        np.testing.assert_allclose(net.forward()["prob"], big[i:i + 1], rtol=1e-6)
    net.blobs["data"].reshape(1, 3, 12, 12)
    with pytest.raises(caffe.CheckError, match="'ip'"):
        net.forward()


def test_forward_all_pads_the_last_batch(net, rng):
    x = rng.standard_normal((5, 3, 8, 8)).astype(np.float32)
    out = net.forward_all(blobs=["ip"], data=x)
    assert out["prob"].shape == (5, 5) and out["ip"].shape == (5, 5)
    np.testing.assert_allclose(out["prob"][4], net.forward(data=np.stack([x[4], x[4]]))["prob"][0], rtol=1e-6)


def test_save_and_load(net, small, tmp_path, rng):
    x = rng.standard_normal((2, 3, 8, 8)).astype(np.float32)
    want = net.forward(data=x)["prob"].copy()
    for name, save in (("a.caffemodel", net.save), ("a.h5", net.save_hdf5)):
        path = str(tmp_path / name)
        save(path)
        for other in (caffe.Net(small, path, caffe.TEST), caffe.Net(small, caffe.TEST, weights=path),
                      caffe.Net(network_file=small, phase=caffe.TEST, weights=path)):
            np.testing.assert_array_equal(other.forward(data=x)["prob"], want)
            assert not other.coverage.never_initialised


def test_share_with_and_clone(net, small, rng):
    x = rng.standard_normal((2, 3, 8, 8)).astype(np.float32)
    want = net.forward(data=x)["prob"].copy()
    other = caffe.Net(small, caffe.TEST)
    assert not np.allclose(other.forward(data=x)["prob"], want)
    other.share_with(net)
    np.testing.assert_array_equal(other.forward(data=x)["prob"], want)
    twin = net.clone()
    net.params["ip"][1].data[...] += 1
    np.testing.assert_array_equal(twin.forward(blobs=["ip"], data=x)["ip"], net.forward(blobs=["ip"], data=x)["ip"])


def test_hooks(net):
    seen = []
    net.before_forward(lambda i: seen.append(("before", i)))
    net.after_forward(lambda i: seen.append(("after", i)))
    net.forward()
    assert seen == [(k, i) for i in range(6) for k in ("before", "after")]


def test_concurrent_use_is_refused(net):
    inside, leave = threading.Event(), threading.Event()

    def hold(layer):
        if layer == 0:
            inside.set()
            leave.wait(10)
    net.before_forward(hold)
    worker = threading.Thread(target=net.forward)
    worker.start()
    inside.wait(10)
    with pytest.raises(caffe.ConcurrentUseError, match="clone"):
        net.forward()
    leave.set()
    worker.join()


def test_clones_run_in_parallel(net, rng):
    x = rng.standard_normal((2, 3, 8, 8)).astype(np.float32)
    want = net.forward(data=x)["prob"].copy()
    failures = []

    def work(twin):
        for _ in range(50):
            if not np.array_equal(twin.forward(data=x)["prob"], want):
                failures.append(1)
    threads = [threading.Thread(target=work, args=(net.clone(),)) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_fork_after_forward(net, rng):
    x = rng.standard_normal((2, 3, 8, 8)).astype(np.float32)
    want = net.forward(data=x)["prob"].copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(net.forward(data=x)["prob"], want) else 3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_arguments(small, tmp_path):
    with pytest.raises(caffe.CheckError, match="phase is missing"):
        caffe.Net(small)
    with pytest.raises(caffe.CheckError, match="unknown arguments"):
        caffe.Net(small, caffe.TEST, weight="x")
    with pytest.raises(RuntimeError):
        caffe.Net(str(tmp_path / "absent.prototxt"), caffe.TEST)
    with pytest.raises(RuntimeError):
        caffe.Net(small, caffe.TEST, weights=str(tmp_path / "absent.caffemodel"))
    with pytest.raises(caffe.CheckError, match="list of strings"):
        caffe.Net(small, caffe.TEST, stages="a")


def test_backward_is_refused(net):
    with pytest.raises(caffe.CaffeError, match="training"):
        net.backward()


def test_unknown_types_are_reported_together(tmp_path):
    path = tmp_path / "x.prototxt"
    path.write_text("".join(f"layer {{ name: 'l{i}' type: '{t}' top: 't{i}' }}\n" for i, t in enumerate(["Convolutoin", "Foo", "Bar"])))
    with pytest.raises(caffe.UnsupportedLayerError, match=r"(?s)l0.*Convolution.*l1.*l2"):
        caffe.Net(str(path), caffe.TEST)


def test_memory_budget(tmp_path, monkeypatch):
    path = tmp_path / "x.prototxt"
    path.write_text("layer { name: 'd' type: 'Input' top: 'd' input_param { shape { dim: 100000 dim: 100000 dim: 1000 } } }")
    with pytest.raises(caffe.CheckError, match="budget"):
        caffe.Net(str(path), caffe.TEST)


def test_profile_and_memory(net):
    rows = net.profile(iterations=1)
    assert any("conv" in r.name and "relu" in r.name for r in rows)
    assert {"conv", "relu"} <= {r.name for r in net.profile(iterations=1, fusion=False)}
    assert net.memory()["weights"] == sum(4 * b.data.size for blobs in net.params.values() for b in blobs)


def test_nothing_on_stderr(small, capfd):
    caffe.Net(small, caffe.TEST).forward()
    assert capfd.readouterr() == ("", "")


def test_a_layer_name_gives_its_top(net):
    assert net.blobs["relu"] is net.blobs["conv"] and "relu" not in net.blobs
    with pytest.raises(KeyError):
        net.blobs["nothing"]
    assert net.blobs.keys()[0] == "data"


def test_reshaped_weights_are_checked_again(net):
    net.forward()
    net.params["ip"][0].reshape(7, 256)
    with pytest.raises(caffe.CheckError, match="'ip'.*weights must have the shape"):
        net.forward()
    net.params["ip"][0].reshape(5, 256)
    net.params["ip"][0].data[...] = 0
    np.testing.assert_allclose(net.forward()["prob"], 0.2)
