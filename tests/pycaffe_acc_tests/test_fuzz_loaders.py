"""Damaged files end in this package's exceptions or in a load, within bounds of time and memory."""

from __future__ import annotations

import random
import resource
import time
from types import SimpleNamespace

import numpy as np
import pytest

from pycaffe_acc.errors import CaffeError, PrototxtError, WeightsError
from pycaffe_acc.net_filter import filter_net
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.text_format import format_message, parse_net
from pycaffe_acc.upgrade import upgrade_net
from pycaffe_acc.weights import load_weights, read_caffemodel, read_weights, save_caffemodel

MEGABYTES = 1 << 20


class FakeBlob:
    """What the loader needs of a parameter."""

    def __init__(self, *shape: int):
        self.array = np.zeros(shape, np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    def assign(self, values: np.ndarray) -> None:
        assert values.shape == self.array.shape and values.dtype == np.float32
        self.array[...] = values


def layers() -> list[SimpleNamespace]:
    return [
        SimpleNamespace(name="conv1", type="Convolution", blobs=[FakeBlob(4, 3, 3, 3), FakeBlob(4)]),
        SimpleNamespace(name="bn1", type="BatchNorm", blobs=[FakeBlob(4), FakeBlob(4), FakeBlob(1)]),
        SimpleNamespace(name="ip1", type="InnerProduct", blobs=[FakeBlob(5, 16)]),
    ]


def v2_file() -> bytes:
    net = caffe_pb2.NetParameter(name="small")
    generator = np.random.default_rng(1)
    for layer in layers():
        message = net.layer.add(name=layer.name, type=layer.type, bottom=["data"], top=[layer.name])
        for blob in layer.blobs:
            message.blobs.add(data=generator.normal(size=blob.array.size)).shape.dim.extend(blob.shape)
    return net.SerializeToString()


def v1_file() -> bytes:
    net = caffe_pb2.NetParameter(name="old", input=["data"], input_dim=[1, 3, 8, 8])
    for layer, kind in zip(layers(), (4, 40, 14), strict=True):
        message = net.layers.add(name=layer.name, type=kind, blobs_lr=[1, 2])
        for blob in layer.blobs:
            n, c, h, w = (1,) * (4 - blob.array.ndim) + blob.shape
            message.blobs.add(num=n, channels=c, height=h, width=w, data=np.ones(blob.array.size))
    v0 = net.layers.add(bottom=["a"], top=["b"])
    v0.layer.name, v0.layer.type, v0.layer.kernelsize = "pool", "pool", 2
    return net.SerializeToString()


def damaged(data: bytes, generator: random.Random) -> bytes:
    result = bytearray(data)
    for _ in range(generator.choice((1, 1, 1, 2, 4, 16))):
        result[generator.randrange(len(result))] ^= 1 << generator.randrange(8)
    if generator.random() < 0.15:
        del result[generator.randrange(len(result)) :]
    return bytes(result)


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("make", [v2_file, v1_file])
def test_damaged_caffemodels(make):
    data, generator = make(), random.Random(7)
    before, started, outcomes = peak_bytes(), time.monotonic(), {"loaded": 0, "refused": 0}
    for _ in range(2500):
        net = layers()
        try:
            coverage = load_weights(net, damaged(data, generator), strict=generator.random() < 0.7)
            assert set(coverage.loaded) | set(coverage.never_initialised) | {s.split("'")[1] for s in coverage.skipped} == {"conv1", "bn1", "ip1"}
            outcomes["loaded"] += 1
        except WeightsError as e:
            assert "<bytes>" in str(e)
            outcomes["refused"] += 1
    assert outcomes["loaded"] > 250 and outcomes["refused"] > 250
    assert peak_bytes() - before < 100 * MEGABYTES
    assert time.monotonic() - started < 60


@pytest.mark.parametrize("make", [v2_file, v1_file])
def test_damaged_caffemodels_as_messages(make, tmp_path):
    data, generator, path = make(), random.Random(8), tmp_path / "net.caffemodel"
    before, loaded = peak_bytes(), 0
    for _ in range(500):
        path.write_bytes(damaged(data, generator))
        try:
            message = upgrade_net(read_caffemodel(path))
            filter_net(message, phase=1)
            format_message(message)
            loaded += 1
        except CaffeError:
            pass
    assert loaded > 50
    assert peak_bytes() - before < 100 * MEGABYTES


PIECES = (
    "{",
    "}",
    ":",
    "-",
    "[",
    "]",
    "<",
    ">",
    '"',
    "#",
    "layer",
    "1e999",
    "99999999999999999999",
    "-1",
    "true",
    "nan",
    "\\",
    "\x00",
    "ä",
    "''",
    ";",
    "0x",
    "\n",
)
PROTOTXT = """
name: "net" # comment
input: "data" input_shape { dim: [1, 3, 8, 8] }
layer { name: 'conv1' type: "Convolution" bottom: "data" top: "conv1" param { lr_mult: 1 } param: < lr_mult: 2.5f >
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "gauss" "ian" std: 1e-2 } engine: CAFFE } }
layer { name: "pool" type: "Pooling" bottom: "conv1" top: "pool" pooling_param { pool: AVE global_pooling: true } include { phase: TEST stage: "a" } }
layer { name: "clip" type: "Clip" bottom: "pool" top: "clip" clip_param { min: -1 max: inf } exclude { min_level: 2 } }
"""
OLD_PROTOTXT = """
input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
layers { layer { name: "pad" type: "padding" pad: 1 } bottom: "data" top: "pad" }
layers { layer { name: "conv" type: "conv" num_output: 3 kernelsize: 3 blobs_lr: 1. weight_filler { type: "xavier" } } bottom: "pad" top: "conv" }
layers { name: "relu" type: RELU bottom: "conv" top: "conv" relu_param { negative_slope: .1 } }
"""


def mutated(text: str, generator: random.Random) -> str:
    for _ in range(generator.choice((1, 1, 2, 5))):
        at = generator.randrange(len(text) or 1)
        kind = generator.randrange(5)
        if kind == 0:
            text = text[:at] + generator.choice(PIECES) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + generator.randrange(1, 6) :]
        elif kind == 2:
            text = text[:at] + chr(generator.choice((generator.randrange(32, 127), generator.randrange(0x3000)))) + text[at + 1 :]
        elif kind == 3:
            text = text[:at] + text[at : at + 40] * generator.randrange(1, 4) + text[at + 40 :]
        else:
            text = text[: max(at, 1)]
    return text


@pytest.mark.parametrize("text", [PROTOTXT, OLD_PROTOTXT])
def test_mutated_prototxts(text):
    generator, before, loaded, refused = random.Random(9), peak_bytes(), 0, 0
    started = time.monotonic()
    for _ in range(1000):
        changed = mutated(text, generator)
        try:
            file = parse_net(changed, "net.prototxt", allow_unknown_fields=generator.random() < 0.5)
            upgrade_net(file.message)
            filter_net(file.message, phase=1, stages=["a"])
            again = parse_net(format_message(file.message)).message
            assert again.SerializeToString(deterministic=True) == file.message.SerializeToString(deterministic=True)
            loaded += 1
        except PrototxtError as e:
            assert e.file == "net.prototxt" and 1 <= e.line <= changed.count("\n") + 1
            refused += 1
        except CaffeError:
            refused += 1
    assert loaded > 100 and refused > 100
    assert peak_bytes() - before < 100 * MEGABYTES
    assert time.monotonic() - started < 60


def test_bombs_are_refused_before_they_allocate(tmp_path):
    before = peak_bytes()
    net = caffe_pb2.NetParameter()
    net.layer.add(name="ip1", type="InnerProduct").blobs.add(data=[1.0]).shape.dim.extend([2**62, 2**62])
    path = tmp_path / "bomb.caffemodel"
    path.write_bytes(net.SerializeToString())
    with pytest.raises(WeightsError, match=r"blob 0 of layer 'ip1'"):
        load_weights(layers(), path)
    for bomb in ("layer {" * 100_000, "a {" * 100_000, "[" * 1000, "a: [" * 5000, '"' * 5000, "a < " * 5000):
        with pytest.raises(PrototxtError):
            parse_net(bomb, allow_unknown_fields=True)
    assert peak_bytes() - before < 50 * MEGABYTES


def test_a_round_trip_through_a_file_is_exact(tmp_path):
    path, net = tmp_path / "a.caffemodel", layers()
    path.write_bytes(v2_file())
    load_weights(net, path)
    save_caffemodel(tmp_path / "b.caffemodel", net, read_caffemodel(path))
    assert (tmp_path / "b.caffemodel").stat().st_size == path.stat().st_size
    again = {layer.name: layer for layer in read_weights(tmp_path / "b.caffemodel").layers}
    for layer in net:
        for stored, blob in zip(again[layer.name].blobs, layer.blobs, strict=True):
            np.testing.assert_array_equal(stored.array(), blob.array)
