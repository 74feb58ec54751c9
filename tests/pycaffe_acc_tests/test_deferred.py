"""Blobs that fusion removed are computed when somebody looks, from what the forward had."""
from __future__ import annotations

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc.deferred import Deferred

NET = """
layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
layer { name: 'conv1' type: 'Convolution' bottom: 'data' top: 'conv1'
        convolution_param { num_output: 16 kernel_size: 3 pad: 1 weight_filler { type: 'xavier' } } }
layer { name: 'relu1' type: 'ReLU' bottom: 'conv1' top: 'relu1' }
layer { name: 'conv2' type: 'Convolution' bottom: 'relu1' top: 'conv2'
        convolution_param { num_output: 16 kernel_size: 3 pad: 1 weight_filler { type: 'xavier' } } }
layer { name: 'sum' type: 'Eltwise' bottom: 'relu1' bottom: 'conv2' top: 'sum' }
layer { name: 'pool' type: 'Pooling' bottom: 'sum' top: 'pool' pooling_param { pool: AVE global_pooling: true } }
"""


@pytest.fixture
def net(tmp_path, rng):
    (tmp_path / "net.prototxt").write_text(NET)
    net = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST)
    net.blobs["data"].data[...] = rng.standard_normal((1, 3, 8, 8))
    return net


def layer_by_layer(net):
    """All blobs of a clone that runs one layer after another."""
    twin = net.clone()
    twin.before_forward(lambda i: None)
    twin.blobs["data"].data[...] = net.blobs["data"].data
    twin.forward()
    return {n: b.data.copy() for n, b in twin.blobs.items()}


def deferred(net):
    return {n for n, b in net.blobs.items() if isinstance(b.place.remote, Deferred)}


def same(net, want, *names):
    for name in names or want:
        np.testing.assert_allclose(net.blobs[name].data, want[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_what_nobody_looks_at_is_left_out_and_still_there_for_who_does(net):
    net.forward()
    assert {"conv1", "relu1", "conv2", "sum"} <= deferred(net) and "pool" not in deferred(net)
    want = layer_by_layer(net)
    same(net, want)
    assert not deferred(net)


def test_a_blob_that_was_looked_at_is_kept_by_the_next_forward_and_forgotten_later(net):
    net.forward()
    assert "conv2" in deferred(net)
    same(net, layer_by_layer(net), "conv2")
    net.forward()
    assert "conv2" not in deferred(net) and "conv1" in deferred(net)
    net.forward()
    assert "conv2" in deferred(net)
    net.forward(blobs=["conv2"])
    assert "conv2" not in deferred(net)


def test_an_array_that_is_held_follows_every_forward(net):
    held = net.blobs["relu1"].data
    for _ in range(3):
        net.blobs["data"].data[...] *= -1.5
        net.forward()
        np.testing.assert_allclose(held, layer_by_layer(net)["relu1"], rtol=1e-4, atol=1e-5)


def test_values_come_from_the_input_and_the_weights_of_their_forward(net, rng):
    early = net.params["conv2"][0].data
    net.forward()
    want = layer_by_layer(net)
    net.blobs["data"].data[...] = 0
    early[...] = 0
    net.params["conv1"][0].data[...] = rng.standard_normal(net.params["conv1"][0].shape)
    net.params["conv1"][1].data[...] = 5
    same(net, want, "conv1", "relu1", "conv2", "sum")
    net.forward()
    same(net, layer_by_layer(net))


def test_a_promise_stands_for_the_next_forward_until_somebody_looks_or_changes_weights(net, rng):
    net.forward()
    net.forward()
    promise = net.blobs["conv2"].place.remote
    net.blobs["data"].data[...] = rng.standard_normal((1, 3, 8, 8))
    net.forward()
    assert net.blobs["conv2"].place.remote is promise and promise.stands()
    want = layer_by_layer(net)
    net.params["conv1"][0].data[...] *= 2
    assert not promise.stands()
    same(net, want, "conv1", "sum")
    net.forward()
    net.forward()
    net.forward()
    assert isinstance(net.blobs["conv2"].place.remote, Deferred) and net.blobs["conv2"].place.remote is not promise
    same(net, layer_by_layer(net))
    held = net.params["conv2"][0].data
    net.forward()
    net.forward()
    net.forward()
    promise = net.blobs["conv2"].place.remote
    assert not promise.stands(), "who holds the array may write to it"
    want = layer_by_layer(net)
    held[...] = 0
    same(net, want, "conv2")


def test_inputs_are_copied_again_after_anybody_could_have_changed_them(net, rng):
    def changed(write):
        write()
        net.forward()
        twin = net.clone()
        twin.blobs["data"].data[...] = net.blobs["data"].data
        twin.forward()
        np.testing.assert_array_equal(net.blobs["pool"].data, twin.blobs["pool"].data)
        net.forward()  # as it is
        np.testing.assert_array_equal(net.blobs["pool"].data, twin.blobs["pool"].data)

    def write_once():
        net.blobs["data"].data[...] = rng.standard_normal((1, 3, 8, 8))
    changed(write_once)
    held = [net.blobs["data"].data]
    for _ in range(2):
        changed(lambda: np.copyto(held[0], rng.standard_normal((1, 3, 8, 8))))
    held[0][...] = 3
    held.clear()
    changed(lambda: None)
    changed(lambda: net.forward(data=rng.standard_normal((1, 3, 8, 8))))
    net.blobs["data"].reshape(2, 3, 8, 8)
    changed(lambda: np.copyto(net.blobs["data"].data, rng.standard_normal((2, 3, 8, 8))))


def test_a_clone_that_runs_meanwhile_is_not_disturbed(net):
    twin = net.clone()
    twin.blobs["data"].data[...] = 2 * net.blobs["data"].data
    net.forward()
    want = layer_by_layer(net)
    twin.forward()
    same(twin, layer_by_layer(twin))
    same(net, want)


def test_writing_a_deferred_blob_and_going_on_from_there(net):
    net.forward()
    net.blobs["relu1"].data[0, 3] = 7
    net.forward(start="conv2")
    relu1 = net.blobs["relu1"].data.copy()
    assert (relu1[0, 3] == 7).all()
    same(net, {"sum": relu1 + net.blobs["conv2"].data})


def test_a_reshape_forgets_what_nobody_looked_at(net, rng):
    net.forward()
    net.blobs["data"].reshape(2, 3, 9, 9)
    net.reshape()
    assert not deferred(net) & {"conv1", "sum"}
    net.blobs["data"].data[...] = rng.standard_normal((2, 3, 9, 9))
    net.forward()
    twin = net.clone()
    twin.before_forward(lambda i: None)
    twin.reshape()
    twin.blobs["data"].data[...] = net.blobs["data"].data
    twin.forward()
    same(net, {n: b.data.copy() for n, b in twin.blobs.items()})


def test_dropouts_top_is_a_blob_of_its_own(tmp_path, rng):
    (tmp_path / "net.prototxt").write_text("""
layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 2 dim: 3 } } }
layer { name: 'drop' type: 'Dropout' bottom: 'data' top: 'drop' }
layer { name: 'ip' type: 'InnerProduct' bottom: 'drop' top: 'ip' inner_product_param { num_output: 4 weight_filler { type: 'xavier' } } }
""")
    net = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST)
    x = rng.standard_normal((2, 3)).astype(np.float32)
    net.blobs["data"].data[...] = x
    kept = net.blobs["drop"].data
    net.forward()
    kept[...] = 0
    np.testing.assert_array_equal(net.blobs["data"].data, x)
    net.forward(start="ip")
    np.testing.assert_array_equal(net.blobs["ip"].data, np.zeros((2, 4)))
