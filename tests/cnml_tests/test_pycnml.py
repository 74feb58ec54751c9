"""The course's net class, against its layers written out in NumPy."""
from __future__ import annotations

import gzip

import numpy as np
import pytest

from cnml import pycnml
from cnml.errors import CnmlError
from cnrt.errors import CnrtError


def codes(x, param):
    """Whole numbers in -127..127."""
    units = np.asarray(x, np.float32).astype(np.float64) * np.float32(param.scale) / 2.0 ** param.position
    return np.clip(np.sign(units) * np.floor(np.abs(units) + 0.5), -127, 127)


def unit(a, b):
    return 2.0 ** (a.position + b.position) / (np.float32(a.scale) * float(np.float32(b.scale)))


def half(x):
    return np.asarray(x, np.float32).astype(np.float16).astype(np.float32)


def convolve(q, w, pad):
    q = np.pad(q, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    k = w.shape[2]
    out = np.zeros((q.shape[0], w.shape[0], q.shape[2] - k + 1, q.shape[3] - k + 1))
    for i in range(k):
        for j in range(k):
            out += np.einsum("nchw,oc->nohw", q[:, :, i:i + out.shape[2], j:j + out.shape[3]], w[:, :, i, j])
    return out


class Course:
    """conv, relu, pool, flatten, mlp, relu, mlp, softmax, with what each has to give."""

    def __init__(self, rng, cores=16):
        tool = pycnml.QuantTool()
        self.x = half(rng.uniform(-1, 1, (2, 3, 9, 9)))
        self.w, self.b = rng.standard_normal((6, 3, 3, 3)) * 0.3, half(rng.standard_normal(6))
        self.m, self.c = rng.standard_normal((8, 96)) * 0.1, half(rng.standard_normal(8))
        self.k, self.d = rng.standard_normal((5, 8)) * 0.3, half(rng.standard_normal(5))
        self.filters = [tool.getQuantParam(v.flatten(), n) for v, n in ((self.w, "w"), (self.m, "m"), (self.k, "k"))]
        self.inputs = [tool.getQuantParam(self.x.flatten().tolist(), "conv"), pycnml.QuantParam(-4, 1.25), pycnml.QuantParam(-4, 1.5)]
        net = self.net = pycnml.CnmlNet(cores)
        net.setInputShape(2, 3, 9, 9)
        net.createConvLayer("conv1", 6, 3, 1, 1, 1, self.inputs[0])
        net.createReLuLayer("relu1")
        net.createPoolingLayer("pool1", 2, 2)
        net.createFlattenLayer("flatten", [2, 96, 1, 1])
        net.createMlpLayer("fc1", 8, self.inputs[1])
        net.createReLuLayer("relu2")
        net.createMlpLayer("fc2", 5, self.inputs[2])
        net.createSoftmaxLayer("softmax", 1)
        self.load()

    def load(self):
        for i, w, b, f in ((0, self.w, self.b, self.filters[0]), (4, self.m, self.c, self.filters[1]), (6, self.k, self.d, self.filters[2])):
            self.net.loadParams(i, w.flatten().tolist(), b.tolist(), f)

    def expected(self, x):
        (p, q, r), (f, g, h) = self.inputs, self.filters
        y = half(convolve(codes(x, p), codes(self.w, f), 1) * unit(p, f) + self.b.reshape(1, 6, 1, 1))
        y = np.maximum(y, 0)[:, :, :8, :8].reshape(2, 6, 4, 2, 4, 2).max(axis=(3, 5)).reshape(2, 96)
        y = np.maximum(half(codes(y, q) @ codes(self.m, g).T * unit(q, g) + self.c), 0)
        y = half(codes(y, r) @ codes(self.k, h).T * unit(r, h) + self.d).astype(np.float64)
        e = np.exp(y - y.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)


def test_a_net_of_the_course(rng):
    course = Course(rng)
    net = course.net
    assert net.getOutputData() == ()
    net.setInputData(course.x.flatten().tolist())
    net.forward()
    result = net.getOutputData()
    assert isinstance(result, tuple) and len(result) == 10 and result.index(max(result)) >= 0
    # a value on the border between two codes may fall to either side after a different rounding in float32
    np.testing.assert_allclose(np.reshape(result, (2, 5)), course.expected(course.x), atol=5e-3)
    np.testing.assert_array_equal(half(result), result)


def test_the_result_follows_data_and_parameters(rng):
    course = Course(rng, 1)
    net = course.net
    for _ in range(2):
        course.x = half(rng.uniform(-1, 1, course.x.shape))
        net.setInputData(course.x)
        net.forward()
        np.testing.assert_allclose(np.reshape(net.getOutputData(), (2, 5)), course.expected(course.x), atol=5e-3)
    course.m, course.filters[1] = course.m * 3, pycnml.QuantTool().getQuantParam(course.m.flatten() * 3, "m")
    course.b = half(rng.standard_normal(6))
    course.load()
    net.forward()
    np.testing.assert_allclose(np.reshape(net.getOutputData(), (2, 5)), course.expected(course.x), atol=5e-3)


def test_layers_one_by_one(rng):
    """Stride, dilation, a pooled window that does not fit, a softmax over rows."""
    net = pycnml.CnmlNet(4, 3)
    net.setInputShape(1, 2, 9, 9)
    x = half(rng.uniform(-1, 1, (1, 2, 9, 9)))
    p, f = pycnml.QuantParam(-6, 1.0), pycnml.QuantParam(-5, 1.0)
    net.createConvLayer("conv", 3, 3, 2, 2, 1, p)
    w = half(rng.standard_normal((3, 2, 3, 3)))
    net.loadParams(0, w.flatten(), np.zeros(3), f)
    net.setInputData(x)
    net.forward()
    q = np.pad(codes(x, p), ((0, 0), (0, 0), (1, 1), (1, 1)))
    want = np.zeros((1, 3, 4, 4))
    for i in range(3):
        for j in range(3):
            want += np.einsum("nchw,oc->nohw", q[:, :, 2 * i:2 * i + 7:2, 2 * j:2 * j + 7:2], codes(w, f)[:, :, i, j])
    np.testing.assert_allclose(np.reshape(net.getOutputData(), want.shape), half(want * 2.0 ** -11), rtol=1e-3, atol=1e-6)
    net.createPoolingLayer("pool", 3, 2)
    net.createSoftmaxLayer("softmax", 1)
    net.forward()
    pooled = half(want * 2.0 ** -11)[:, :, :3, :3].max(axis=(2, 3)).astype(np.float64)
    np.testing.assert_allclose(np.reshape(net.getOutputData(), (1, 3)), np.exp(pooled) / np.exp(pooled).sum(), atol=1e-3)


def test_what_is_known_of_a_net(rng):
    net = Course(rng).net
    assert net.size() == 8
    assert [net.getLayerName(i) for i in (0, 3, 7)] == ["conv1", "flatten", "softmax"]
    assert [i for i in range(8) if net.needToBeQuantized(i)] == [0, 4, 6]


def test_the_tool_keeps_the_largest_value_of_a_layer():
    """Position ceil(log2(absmax / 127)), and the scale that uses the whole range."""
    tool = pycnml.QuantTool()
    one = tool.getQuantParam([1.0, -2.0], "a")
    assert one.position == -5 and one.scale == pytest.approx(127 * 2.0 ** -5 / 2)
    assert tool.getQuantParam([0.5], "a") == one and tool.getQuantParam([0.5], "b") != one
    assert tool.getQuantParam([300.0], "a").position == 2
    assert tool.getQuantParam([0.0], "zero") == pycnml.QuantParam(0, 1.0)
    assert pycnml.QuantParam() == pycnml.QuantParam(1, 1.0)
    for bad in ([], [np.inf], [np.nan]):
        with pytest.raises(CnmlError):
            tool.getQuantParam(bad, "bad")


def test_refusals(rng):
    def refused(words, call, *args):
        with pytest.raises(CnmlError, match=words):
            call(*args)
    net, p = pycnml.CnmlNet(), pycnml.QuantParam()
    refused("call setInputShape first", net.createReLuLayer, "r")
    refused("call setInputShape first", net.setInputData, [1.0])
    refused("must be positive", net.setInputShape, 1, 0, 1, 1)
    net.setInputShape(1, 2, 4, 4)
    refused("needs layers", net.forward)
    refused("32", net.setInputData, [1.0])
    refused("'c' with stride 0", net.createConvLayer, "c", 3, 3, 0, 1, 0, p)
    refused("'c' with position 1 and scale -1", net.createConvLayer, "c", 3, 3, 1, 1, 0, pycnml.QuantParam(1, -1))
    refused("spatial extents", net.createConvLayer, "c", 3, 9, 1, 1, 0, p)
    refused("four extents", net.createFlattenLayer, "f", [32])
    refused("elements", net.createFlattenLayer, "f", [1, 31, 1, 1])
    refused("axis 4", net.createSoftmaxLayer, "s", 4)
    refused("with output_num 0", net.createMlpLayer, "m", 0, p)
    assert net.size() == 0
    net.createMlpLayer("m", 3, p)
    net.createReLuLayer("r")
    refused("before the first", net.setInputShape, 1, 2, 4, 4)
    net.setInputData(np.zeros(32))
    refused("layer 'm' has no parameters", net.forward)
    refused("only convolutions and MLP layers", net.loadParams, 1, [], [], p)
    refused("95 values as weights", net.loadParams, 0, np.zeros(95), np.zeros(3), p)
    refused("2 values as bias", net.loadParams, 0, np.zeros(96), np.zeros(2), p)
    refused("the net has 2 layers", net.getLayerName, 2)
    refused("MLU100", pycnml.CnmlNet, 1, 6)
    with pytest.raises(CnrtError, match="cores"):
        pycnml.CnmlNet(64)


def mnist(data_dir, count):
    """The first test images in [0, 1), and their labels."""
    with gzip.open(data_dir / "mnist/t10k-images-idx3-ubyte.gz") as f:
        pixels = np.frombuffer(f.read(), np.uint8, count * 784, 16).reshape(count, 1, 28, 28)
    with gzip.open(data_dir / "mnist/t10k-labels-idx1-ubyte.gz") as f:
        return pixels.astype(np.float32) / 256, np.frombuffer(f.read(), np.uint8, count, 8)


def test_lenet_on_handwritten_digits(data_dir):
    """As the course has it: run on the CPU for the ranges, build the same net layer by layer, load the weights, evaluate."""
    import pycaffe_acc as caffe
    batch, model = 100, data_dir / "models/lenet_mnist"
    reference = caffe.Net(str(model / "lenet.prototxt"), str(model / "lenet_iter_10000.caffemodel"), caffe.TEST)
    reference.blobs["data"].reshape(batch, 1, 28, 28)
    images, labels = mnist(data_dir, 1000)
    tool = pycnml.QuantTool()
    inputs = {"conv1": "data", "conv2": "pool1", "ip1": "pool2", "ip2": "ip1"}
    expected = []
    for first in range(0, 1000, batch):
        reference.blobs["data"].data[...] = images[first:first + batch]
        expected.append(reference.forward()["prob"].copy())
        params = {layer: tool.getQuantParam(reference.blobs[blob].data.reshape(-1), layer) for layer, blob in inputs.items()}
    net = pycnml.CnmlNet(16)
    net.setInputShape(batch, 1, 28, 28)
    net.createConvLayer("conv1", 20, 5, 1, 1, 0, params["conv1"])
    net.createPoolingLayer("pool1", 2, 2)
    net.createConvLayer("conv2", 50, 5, 1, 1, 0, params["conv2"])
    net.createPoolingLayer("pool2", 2, 2)
    net.createFlattenLayer("flatten", [batch, 800, 1, 1])
    net.createMlpLayer("ip1", 500, params["ip1"])
    net.createReLuLayer("relu1")
    net.createMlpLayer("ip2", 10, params["ip2"])
    net.createSoftmaxLayer("prob", 1)
    for i in range(net.size()):
        if net.needToBeQuantized(i):
            weights, bias = (p.data for p in reference.params[net.getLayerName(i)])
            net.loadParams(i, weights.flatten(), bias.flatten(), tool.getQuantParam(weights.flatten(), f"{net.getLayerName(i)} weights"))
    got = []
    for first in range(0, 1000, batch):
        net.setInputData(images[first:first + batch])
        net.forward()
        got.append(np.reshape(net.getOutputData(), (batch, 10)))
    right = [np.mean(np.concatenate(p).argmax(1) == labels) for p in (expected, got)]
    assert right[0] > 0.985 and abs(right[0] - right[1]) <= 0.003
    assert np.abs(np.concatenate(got) - np.concatenate(expected)).mean() < 2e-3
