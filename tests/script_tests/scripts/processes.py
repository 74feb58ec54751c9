"""multiprocessing: fork after a forward with the parent's net, and spawn; a Queue between a loader and the net."""
from __future__ import annotations

import multiprocessing

import caffe
import numpy as np

NET = """
input: "data" input_shape { dim: 1 dim: 3 dim: 24 dim: 24 }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 8 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip" inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
"""
net = None


def picture(seed):
    """An input."""
    return np.random.RandomState(seed).rand(1, 3, 24, 24).astype(np.float32)


def use_own(seed):
    """A net of this process."""
    own = caffe.Net("net.prototxt", "net.caffemodel", caffe.TEST)
    return own.forward(data=picture(seed))["ip"].tolist()


def use_inherited(seed):
    """The net that was in memory at the fork."""
    return net.forward(data=picture(seed))["ip"].tolist()


def load(queue):
    """A child that only prepares images."""
    for seed in range(4):
        queue.put(picture(seed))


if __name__ == "__main__":
    open("net.prototxt", "w").write(NET)
    net = caffe.Net("net.prototxt", caffe.TEST)
    net.save("net.caffemodel")
    want = [use_inherited(s) for s in range(4)]
    fork = multiprocessing.get_context("fork")
    with fork.Pool(2) as pool:
        assert np.allclose(pool.map(use_inherited, range(4)), want, atol=1e-6)
        assert np.allclose(pool.map(use_own, range(4)), want, atol=1e-6)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert np.allclose(pool.map(use_own, range(4)), want, atol=1e-6)
    queue = fork.Queue(2)
    child = fork.Process(target=load, args=(queue,))
    child.start()
    for s in range(4):
        assert np.allclose(net.forward(data=queue.get(timeout=30))["ip"], want[s], atol=1e-6)
    child.join(30)
    assert child.exitcode == 0
