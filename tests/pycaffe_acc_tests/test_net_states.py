"""Whatever a script does in whatever order, blobs hold what Caffe's would: random sequences against a model of a net in plain NumPy."""
from __future__ import annotations

import gc
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pycaffe_acc as caffe

NET = """
layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 2 dim: 4 dim: 6 dim: 8 } } }
layer { name: 'conv1' type: 'Convolution' bottom: 'data' top: 'conv1'
        convolution_param { num_output: 16 kernel_size: 3 pad: 1 weight_filler { type: 'xavier' } bias_filler { type: 'constant' value: 0.1 } } }
layer { name: 'bn1' type: 'BatchNorm' bottom: 'conv1' top: 'conv1' }
layer { name: 'scale1' type: 'Scale' bottom: 'conv1' top: 'conv1' scale_param { bias_term: true } }
layer { name: 'relu1' type: 'ReLU' bottom: 'conv1' top: 'conv1' }
layer { name: 'conv2' type: 'Convolution' bottom: 'conv1' top: 'conv2'
        convolution_param { num_output: 16 kernel_size: 1 weight_filler { type: 'xavier' } } }
layer { name: 'sum' type: 'Eltwise' bottom: 'conv2' bottom: 'conv1' top: 'sum' }
layer { name: 'relu2' type: 'ReLU' bottom: 'sum' top: 'sum' relu_param { negative_slope: 0.25 } }
layer { name: 'cat' type: 'Concat' bottom: 'sum' bottom: 'conv2' top: 'cat' }
layer { name: 'pool' type: 'Pooling' bottom: 'sum' top: 'pool' pooling_param { kernel_size: 2 stride: 2 } }
layer { name: 'flat' type: 'Flatten' bottom: 'pool' top: 'flat' }
layer { name: 'shift' type: 'Power' bottom: 'flat' top: 'flat' power_param { scale: -0.5 shift: 0.25 } }
layer { name: 'ip' type: 'InnerProduct' bottom: 'flat' top: 'ip' inner_product_param { num_output: 5 weight_filler { type: 'xavier' } } }
layer { name: 'prob' type: 'Softmax' bottom: 'ip' top: 'prob' }
"""


def convolve(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Stride 1, padded to keep the size."""
    p = w.shape[2] // 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (0, 0), (p, p), (p, p))), w.shape[2:], axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, w) + b[:, None, None]


def softmax(x: np.ndarray) -> np.ndarray:
    """Along axis 1."""
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


#: layer → (bottoms, weights) ↦ top
LAYERS: dict[str, Any] = {
    "Convolution": lambda x, p: convolve(x[0], *p),
    "BatchNorm": lambda x, p: (x[0] - (p[0] / p[2])[:, None, None]) / np.sqrt((p[1] / p[2])[:, None, None] + 1e-5),
    "Scale": lambda x, p: x[0] * p[0][:, None, None] + p[1][:, None, None],
    "Eltwise": lambda x, p: x[0] + x[1],
    "Concat": lambda x, p: np.concatenate(x, 1),
    "Pooling": lambda x, p: x[0].reshape(*x[0].shape[:2], 3, 2, 4, 2).max((3, 5)),
    "Power": lambda x, p: 0.25 - 0.5 * x[0],
    "InnerProduct": lambda x, p: x[0] @ p[0].T + p[1],
    "Softmax": lambda x, p: softmax(x[0]),
}


class Model:
    """Blobs as Caffe keeps them: those of a Split, and both ends of a Flatten, are the same memory."""

    def __init__(self, net: caffe.Net):
        self.layers = [(n, layer.type, list(net.bottom_names[n]), list(net.top_names[n]))
                       for n, layer in zip(net._layer_names, net.layers, strict=True)]
        self.params = {n: [b.data.astype(float) for b in blobs] for n, blobs in net.params.items()}
        self.place = {name: name for name in net.blobs}
        for _, kind, bottoms, tops in self.layers:
            if kind in ("Split", "Flatten"):
                self.place.update(dict.fromkeys(tops, self.place[bottoms[0]]))
        self.resize(net)

    def resize(self, net: caffe.Net) -> None:
        """Take the net's shapes."""
        self.shapes = {name: tuple(b.shape) for name, b in net.blobs.items()}
        self.values = {self.place[name]: np.zeros(b.count) for name, b in net.blobs.items()}

    def __getitem__(self, name: str) -> np.ndarray:
        return self.values[self.place[name]].reshape(self.shapes[name])

    def forward(self, first: int, last: int) -> None:
        """Layers first..last."""
        for name, kind, bottoms, tops in self.layers[first:last + 1]:
            if kind == "ReLU":
                x = self[bottoms[0]]
                self[tops[0]][...] = np.maximum(x, 0) + (0.25 if name == "relu2" else 0) * np.minimum(x, 0)
            elif kind in LAYERS:
                self[tops[0]][...] = LAYERS[kind]([self[b] for b in bottoms], self.params.get(name, []))


class Session:
    """A net and its model, to which the same things are done.

    Parameters
    ----------
    path : Path
    seed : int
    hooks : bool
        Run the net layer by layer.
    """

    def __init__(self, path: Path, seed: int, hooks: bool):
        self.rng, self.draw = random.Random(seed), np.random.RandomState(seed)
        self.net = caffe.Net(str(path), caffe.TEST)
        if hooks:
            self.net.before_forward(lambda i: None)
        for b, scale in zip(self.net.params["bn1"], (0.3, 1, 0), strict=True):
            b.data[...] = self.draw.uniform(0.5, 1.5, b.shape) * scale + (scale == 0)
        self.model = Model(self.net)
        self.kept: list[tuple[str, Any, np.ndarray]] = []
        self.fill()

    def fill(self) -> None:
        """New input, whole forward."""
        self.write(self.net.blobs["data"].data, self.model["data"])
        self.forward(0, len(self.model.layers) - 1)

    def write(self, array: np.ndarray, model: np.ndarray) -> None:
        """Change both, all of it or a slice."""
        at = self.rng.choice([..., 0, (slice(None), slice(1, 3))]) if array.ndim > 1 else ...
        if self.rng.random() < 0.3:
            array[at] *= 0.5
            model[at] *= 0.5
        else:
            values = self.draw.uniform(-1, 1, array[at].shape).astype(np.float32)
            array[at] = values
            model[at] = values

    def forward(self, first: int, last: int) -> None:
        """Through the public call."""
        names, count = self.net._layer_names, len(self.model.layers)
        start = None if first == 0 and self.rng.random() < 0.5 else names[first]
        end = None if last == count - 1 and self.rng.random() < 0.5 else names[last]
        out = self.net.forward(start=start, end=end)
        self.model.forward(first, last)
        for name, values in out.items():
            self.same(values, self.model[name], name)

    def same(self, got: np.ndarray, want: np.ndarray, what: str) -> None:
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-5, err_msg=what)

    def step(self) -> None:
        """One random action."""
        action, name = self.rng.randrange(10), self.rng.choice(list(self.net.blobs))
        last = len(self.model.layers) - 1
        if action < 3:
            first = self.rng.choice([0, 0, self.rng.randrange(last + 1)])
            self.forward(first, self.rng.choice([last, last, self.rng.randrange(first, last + 1)]))
        elif action == 3:
            self.write(self.net.blobs[name].data, self.model[name])
        elif action == 4:
            self.kept.append((name, None, self.net.blobs[name].data))
        elif action == 5:
            self.kept.append((name, 0, self.net.blobs[name].data[0]))
        elif action == 6 and self.kept:
            name, at, array = self.rng.choice(self.kept)
            self.write(array, self.model[name] if at is None else self.model[name][at])
        elif action == 7:
            layer = self.rng.choice([n for n in self.net.params if n != "bn1"])
            at = self.rng.randrange(2)
            self.write(self.net.params[layer][at].data, self.model.params[layer][at])
        elif action == 8 and self.kept:
            self.kept.pop(self.rng.randrange(len(self.kept)))
            gc.collect(0)
        elif action == 9 and self.rng.random() < 0.3:
            self.kept.clear()
            self.net.blobs["data"].reshape(self.rng.randrange(1, 4), 4, 6, 8)
            self.net.reshape()
            self.model.resize(self.net)
            self.net.blobs["data"].data[...] = 0
            self.fill()
        self.same(self.net.blobs[name].data, self.model[name], name)

    def check(self) -> None:
        """Every blob and every array that was kept."""
        for name, at, array in self.kept:
            self.same(array, self.model[name] if at is None else self.model[name][at], f"kept {name}")
        for name, blob in self.net.blobs.items():
            self.same(blob.data, self.model[name], name)


def run(path: Path, seeds: range, steps: int) -> None:
    path.write_text(NET)
    for seed in seeds:
        session = Session(path, seed, hooks=seed % 4 == 3)
        for i in range(steps):
            try:
                session.step()
                if i % 7 == 6:
                    session.check()
            except AssertionError as e:
                raise AssertionError(f"seed {seed}, step {i}: {e}") from e


def test_random_sequences(tmp_path):
    run(tmp_path / "net.prototxt", range(24), 60)


@pytest.mark.slow
def test_many_random_sequences(tmp_path):
    run(tmp_path / "net.prototxt", range(24, 300), 150)
