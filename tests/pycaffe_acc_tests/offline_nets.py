"""Small nets for offline models, filled with seeded values."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.offline import OfflineModel, compile_offline
from pycaffe_acc.offline_net import OfflineNet


def data(*shape: int, name: str = "data") -> str:
    """An Input layer."""
    dims = " ".join(f"dim: {d}" for d in shape)
    return f"layer {{ name: '{name}' type: 'Input' top: '{name}' input_param {{ shape {{ {dims} }} }} }}\n"


def layer(kind: str, name: str, bottoms: str, tops: str = "", text: str = "") -> str:
    """A layer; bottoms and tops are words, the top is the name unless given."""
    ends = "".join(f" bottom: '{b}'" for b in bottoms.split()) + "".join(f" top: '{t}'" for t in (tops or name).split())
    return f"layer {{ name: '{name}' type: '{kind}'{ends} {text} }}\n"


def conv(name: str, bottom: str, outputs: int = 16, kernel: int = 3) -> str:
    """A convolution that keeps the size."""
    return layer("Convolution", name, bottom, "", f"convolution_param {{ num_output: {outputs} kernel_size: {kernel} pad: {kernel // 2} "
                                                  "weight_filler { type: 'xavier' } bias_filler { type: 'uniform' min: -1 max: 1 } }")


def inner(name: str, bottom: str, outputs: int = 7) -> str:
    """An inner product."""
    return layer("InnerProduct", name, bottom, "", f"inner_product_param {{ num_output: {outputs} weight_filler {{ type: 'xavier' }} }}")


#: pooling in its expectation has no kernel, so it cuts a net
STOCHASTIC = "pooling_param { pool: STOCHASTIC kernel_size: 2 stride: 2 }"
AVERAGE = "pooling_param { pool: AVE global_pooling: true }"
MAXIMUM = "pooling_param { pool: MAX kernel_size: 2 stride: 2 }"
BLOCK = (data(2, 3, 12, 12) + conv("c1", "data", 32) + layer("BatchNorm", "bn", "c1")
         + layer("Scale", "scale", "bn", "", "scale_param { bias_term: true }") + layer("ReLU", "r1", "scale", "scale")
         + conv("c2", "scale", 32) + conv("c3", "scale", 32, 1) + layer("Eltwise", "sum", "c2 c3") + layer("ReLU", "r2", "sum", "sum")
         + layer("Concat", "both", "sum c2") + layer("Pooling", "pool", "both", "", AVERAGE) + inner("ip", "pool") + layer("Softmax", "prob", "ip"))
#: what the vendor's tools write into layers that are to compute in INT8
CODES = "bottom_mlu_dtype { type: DT_INT8 position: -5 scale: 1.3 } blobs_dtype { type: DT_INT8 position: -8 scale: 1.1 }"


def quantized(text: str) -> str:
    """The net with every convolution behind the first, and every inner product, in INT8."""
    lines = text.splitlines()
    return "\n".join(f"{line[:-2]} {CODES} }}" if "'Convolution'" in line and "'c1'" not in line or "'InnerProduct'" in line else line
                     for line in lines)


#: device, CPU, device, CPU; a value goes around the first CPU segment
MIXED = (data(2, 3, 12, 12) + data(2, name="label") + conv("c1", "data") + layer("ReLU", "r1", "c1", "c1")
         + layer("Pooling", "p1", "c1", "", STOCHASTIC) + layer("Pooling", "p2", "c1", "", MAXIMUM) + layer("Eltwise", "sum", "p1 p2")
         + conv("c2", "sum") + inner("ip", "c2") + layer("Softmax", "prob", "ip") + layer("Accuracy", "acc", "prob label"))


def net_of(tmp_path: Path, text: str, precision: str = "fp32", **kwargs: object) -> Net:
    """A net with statistics and shifts that are not those of a fresh one."""
    path = tmp_path / "net.prototxt"
    path.write_text("name: 'small'\n" + text)
    net = Net(str(path), TEST, precision=precision, **kwargs)
    rng = np.random.default_rng(7)
    for item in net.layers:
        if item.type in ("BatchNorm", "Scale"):
            for blob in item.blobs:
                blob.data[...] = rng.random(blob.shape) + 0.5
    return net


def values_for(net: Net, seed: int = 1) -> dict[str, np.ndarray]:
    """Inputs; labels for one-dimensional ones."""
    rng = np.random.default_rng(seed)
    shapes = {n: net.blobs[n].shape for n in net.inputs}
    return {n: (rng.standard_normal(s) if len(s) > 1 else rng.integers(0, 7, s)).astype(np.float32) for n, s in shapes.items()}


def saved(tmp_path: Path, net: Net, **kwargs: object) -> tuple[OfflineModel, Path]:
    """Compiled and written."""
    made = compile_offline(net, **kwargs)
    return made, made.save(tmp_path / "model")[0]


def same_as_online(tmp_path: Path, net: Net, **kwargs: object) -> OfflineNet:
    """The file gives the net's outputs, bit for bit, on two inputs."""
    offline = OfflineNet(saved(tmp_path, net, **kwargs)[1])
    assert offline.outputs == net.outputs and offline.inputs == net.inputs
    for seed in (1, 2):
        values = values_for(net, seed)
        want = {k: np.array(v) for k, v in net.forward(**values).items()}
        got = offline.forward(**values)
        assert list(got) == list(want)
        for name in want:
            np.testing.assert_array_equal(got[name], want[name], err_msg=name)
    return offline
