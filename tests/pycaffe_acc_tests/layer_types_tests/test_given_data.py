"""MemoryData and DummyData: what a script or a filler gives."""
from __future__ import annotations

import numpy as np
import pytest

import pycaffe_acc as caffe


def net(tmp_path, text):
    path = tmp_path / "net.prototxt"
    path.write_text(text)
    return caffe.Net(str(path), caffe.TEST)


MEMORY = """layer { name: 'm' type: 'MemoryData' top: 'data' top: 'label' memory_data_param { batch_size: 2 channels: 1 height: 2 width: 2 } }
layer { name: 'p' type: 'Power' bottom: 'data' top: 'out' power_param { scale: 2 } }"""


def test_memory_data_walks_through_the_arrays(tmp_path):
    n = net(tmp_path, MEMORY)
    assert n.blobs["label"].shape == (2,)
    data, labels = np.arange(16, dtype=np.float32).reshape(4, 1, 2, 2), np.arange(4, dtype=np.float32)
    n.set_input_arrays(data, labels)
    for first in (0, 2, 0):
        out = n.forward()
        assert n.blobs["label"].shape == (2, 1, 1, 1)
        np.testing.assert_array_equal(n.blobs["label"].data.ravel(), [first, first + 1])
        np.testing.assert_array_equal(out["out"], 2 * data[first:first + 2])
    n.reshape()
    assert n.blobs["label"].shape == (2, 1, 1, 1)


def test_memory_data_refused(tmp_path):
    n = net(tmp_path, MEMORY)
    with pytest.raises(caffe.CheckError, match="set_input_arrays"):
        n.forward()
    good, labels = np.zeros((2, 1, 2, 2), np.float32), np.zeros(2, np.float32)
    cases = ((good.astype(float), labels, "is float64"), (good[:, :, :1], labels, "has the shape"), (good[:1], labels[:1], "multiple"),
             (good, np.zeros(4, np.float32), "numbers must be equal"), (good.transpose(0, 1, 3, 2), labels, "C order"))
    for data, marks, words in cases:
        with pytest.raises(caffe.CheckError, match=words):
            n.set_input_arrays(data, marks)
    with pytest.raises(caffe.CheckError, match="must be given and positive"):
        net(tmp_path, "layer { name: 'm' type: 'MemoryData' top: 'a' top: 'b' memory_data_param { batch_size: 2 channels: 1 height: 2 } }")


def dummy(body, tops=("a", "b")):
    names = " ".join(f"top: '{t}'" for t in tops)
    return f"layer {{ name: 'd' type: 'DummyData' {names} dummy_data_param {{ {body} }} }}"


def test_dummy_data_draws_anew(tmp_path):
    n = net(tmp_path, dummy("shape { dim: 100 } data_filler { type: 'constant' value: 3 } data_filler { type: 'gaussian' }"))
    first = {k: v.copy() for k, v in n.forward().items()}
    second = n.forward()
    assert (first["a"] == 3).all() and (second["a"] == 3).all() and not np.array_equal(first["b"], second["b"])


@pytest.mark.parametrize("body,words", [
    ("shape { dim: 1 } shape { dim: 1 } shape { dim: 1 }", "3 shapes for 2 tops"),
    ("shape { dim: 1 } num: 1", "both `shape`"),
    ("shape { dim: -1 }", "must not be negative"),
    ("num: 1 num: 2 num: 3 channels: 1 height: 1 width: 1", "times for 2 tops"),
    ("shape { dim: 1 } data_filler {} data_filler {} data_filler {}", "3 data_filler"),
    ("", "0 shapes"),
])
def test_dummy_data_refused(tmp_path, body, words):
    with pytest.raises(caffe.CheckError, match=words):
        net(tmp_path, dummy(body))
