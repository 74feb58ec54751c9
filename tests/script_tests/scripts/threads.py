"""A net for each thread: clones that share weights, nets of their own, and a lock round a single net, as web servers do."""
from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from queue import Queue

import caffe
import numpy as np

NET = """
input: "data" input_shape { dim: 1 dim: 3 dim: 24 dim: 24 }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 8 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip" inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""
open("net.prototxt", "w").write(NET)
net = caffe.Net("net.prototxt", caffe.TEST)
net.save("net.caffemodel")
x = np.random.RandomState(0).rand(40, 1, 3, 24, 24).astype(np.float32)
want = [net.forward(data=v)["prob"].copy() for v in x]

got = [None] * 40
jobs = Queue()
for i in range(40):
    jobs.put(i)


def worker(own):
    """Take jobs until there are none."""
    caffe.set_mode_gpu()
    caffe.set_device(0)
    while True:
        try:
            i = jobs.get_nowait()
        except Exception:
            return
        own.blobs["data"].data[...] = x[i]
        got[i] = own.forward()["prob"].copy()


nets = [net, net.clone(), net.clone(), caffe.Net("net.prototxt", "net.caffemodel", caffe.TEST)]
threads = [threading.Thread(target=worker, args=(n,)) for n in nets]
for t in threads:
    t.start()
for t in threads:
    t.join()
assert np.allclose(got, want, atol=1e-6)

lock = threading.Lock()


def locked(i):
    """One net for all, behind a lock."""
    with lock:
        return net.forward_all(data=x[i])["prob"]


with ThreadPoolExecutor(4) as pool:
    assert np.allclose(list(pool.map(locked, range(40))), want, atol=1e-6)

local = threading.local()


def per_thread(i):
    """A net made lazily in each thread."""
    if not hasattr(local, "net"):
        local.net = caffe.Net("net.prototxt", "net.caffemodel", caffe.TEST)
    return local.net.forward(data=x[i])["prob"].copy()


with ThreadPoolExecutor(3) as pool:
    assert np.allclose(list(pool.map(per_thread, range(40))), want, atol=1e-6)
