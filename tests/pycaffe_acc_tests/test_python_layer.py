"""Layers written in Python."""
from __future__ import annotations

import sys

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc.python_layer import LayerBlob

MODULE = '''
import numpy as np
import pycaffe_acc as caffe


class Affine(caffe.Layer):
    def setup(self, bottom, top):
        self.k = float(self.param_str or 1)
        assert self.param_str_ == self.param_str and self.phase == caffe.TEST
        self.blobs.add_blob(1)
        self.blobs[0].data[...] = 0.5

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].data.shape)

    def forward(self, bottom, top):
        top[0].data[...] = self.k * bottom[0].data + self.blobs[0].data[0]


class Grow(caffe.Layer):
    """The number of rows depends on the values, as in Faster R-CNN's proposal layer."""

    def setup(self, bottom, top):
        top[0].reshape(1, 2)

    def reshape(self, bottom, top):
        pass

    def forward(self, bottom, top):
        rows = bottom[0].data.reshape(-1)
        rows = rows[rows > 0]
        top[0].reshape(len(rows), 2)
        top[0].data[...] = rows[:, np.newaxis]


class Counter(caffe.Layer):
    """A source."""

    def setup(self, bottom, top):
        self.n = 0

    def reshape(self, bottom, top):
        top[0].reshape(2, 3)

    def forward(self, bottom, top):
        self.n += 1
        top[0].data[...] = self.n


class Fails(caffe.Layer):
    def reshape(self, bottom, top):
        top[0].reshape(1)

    def forward(self, bottom, top):
        raise KeyError("lost")


class Lazy(caffe.Layer):
    pass


class OldStyle(caffe.Layer):
    def __init__(self, p_object, *args, **kwargs):
        super(OldStyle, self).__init__(p_object, *args, **kwargs)
        self.made = True

    def reshape(self, bottom, top):
        assert self.made
        top[0].reshape(1)
        top[0].data[...] = 7

    def forward(self, bottom, top):
        pass
'''


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "layers_for_test.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("layers_for_test", None)


def net(tmp_path, layers, shape="dim: 2 dim: 3", **kwargs):
    path = tmp_path / "net.prototxt"
    path.write_text(f"layer {{ name: 'data' type: 'Input' top: 'data' input_param {{ shape {{ {shape} }} }} }}\n{layers}")
    return caffe.Net(str(path), caffe.TEST, **{"allow_python_layers": True, **kwargs})


def python(cls, bottom="data", top="py", extra="", module="layers_for_test"):
    bottoms = f"bottom: '{bottom}'" if bottom else ""
    return f"layer {{ name: 'py' type: 'Python' {bottoms} top: '{top}' python_param {{ module: '{module}' layer: '{cls}' {extra} }} }}\n"


def test_param_str_blobs_and_following_layers(tmp_path, module, rng):
    n = net(tmp_path, python("Affine", extra="param_str: '2.5'") + "layer { name: 'r' type: 'ReLU' bottom: 'py' top: 'out' }")
    x = rng.standard_normal((2, 3)).astype(np.float32)
    n.blobs["data"].data[...] = x
    np.testing.assert_allclose(n.forward()["out"], np.maximum(2.5 * x + 0.5, 0), rtol=1e-6)
    n.params["py"][0].data[...] = -1
    np.testing.assert_allclose(n.forward()["out"], np.maximum(2.5 * x - 1, 0), rtol=1e-5, atol=1e-6)
    n.blobs["data"].reshape(4, 5)
    n.blobs["data"].data[...] = 1
    assert n.forward()["out"].shape == (4, 5)


def test_in_place(tmp_path, module):
    n = net(tmp_path, python("Affine", top="data"))
    n.blobs["data"].data[...] = 3
    np.testing.assert_allclose(n.forward()["data"], 3.5)


def test_rows_that_depend_on_values(tmp_path, module):
    n = net(tmp_path, python("Grow") + "layer { name: 'p' type: 'Power' bottom: 'py' top: 'out' power_param { scale: 2 } }")
    for values, rows in (([1, -1, 2, -2, 3, -3], 3), ([1, 1, 1, 1, 1, -1], 5)):
        n.blobs["data"].data[...] = np.reshape(values, (2, 3))
        out = n.forward()["out"]
        assert out.shape == (rows, 2)
        np.testing.assert_array_equal(out[:, 0], 2 * np.array([v for v in values if v > 0]))


def test_a_source_runs_at_every_forward(tmp_path, module):
    n = net(tmp_path, python("Counter", bottom=""))
    assert [float(n.forward()["py"][0, 0]) for _ in range(3)] == [1, 2, 3]


def test_switched_off_without_permission(tmp_path, module):
    with pytest.raises(caffe.CheckError, match="layer 'py'.*allow_python_layers=True"):
        net(tmp_path, python("Affine"), allow_python_layers=False)


def test_exceptions_pass_with_a_note(tmp_path, module):
    n = net(tmp_path, python("Fails"))
    with pytest.raises(KeyError, match="lost") as caught:
        n.forward()
    if sys.version_info >= (3, 11):
        assert "'py'" in caught.value.__notes__[0] and "Fails" in caught.value.__notes__[0]


def test_missing_module_and_class(tmp_path, module):
    with pytest.raises(ModuleNotFoundError):
        net(tmp_path, python("X", module="no_such_module_at_all"))
    with pytest.raises(caffe.CheckError, match="has no class 'Missing'"):
        net(tmp_path, python("Missing"))
    with pytest.raises(caffe.CheckError, match="must name a module"):
        net(tmp_path, "layer { name: 'py' type: 'Python' bottom: 'data' top: 'o' }")
    with pytest.raises(caffe.CheckError, match="Lazy has no reshape"):
        net(tmp_path, python("Lazy"))


def test_older_constructors_and_values_written_in_reshape(tmp_path, module):
    n = net(tmp_path, python("OldStyle"))
    assert n.forward()["py"] == [7]


def test_base_class():
    layer = caffe.Layer("message", key=1)
    assert layer.setup([], []) is None and layer.backward([], [], []) is None
    with pytest.raises(caffe.CheckError, match="no forward"):
        layer.forward([], [])


def test_blob_view():
    b = LayerBlob((2, 3))
    assert (b.num, b.channels, b.height, b.width, b.count, b.shape) == (2, 3, 1, 1, 6, (2, 3))
    b.data = np.arange(6).reshape(2, 3)
    b.reshape(3, 2)
    np.testing.assert_array_equal(b.data, np.arange(6).reshape(3, 2))
    b.reshape(2)
    b.diff[...] = 1
    assert b.diff.shape == (2,) and b.data[1] == 1
    b.reshape(1, 1, 1, 1, 2)
    with pytest.raises(caffe.CheckError, match="at most four"):
        _ = b.num
    for bad in (-1, 1.5, "2"):
        with pytest.raises(caffe.CheckError, match="cannot take the shape"):
            b.reshape(bad)
    b.reshape(np.int64(3))
    assert b.shape == (3,)
