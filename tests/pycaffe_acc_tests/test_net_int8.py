"""Whole nets in INT8: the same bits from the definitions, every instruction set, every batch and number of threads."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc.evaluation.dataset import open_dataset
from pycaffe_acc.preprocess import preprocess_profile
from pycaffe_acc.quantize.method import find_method
from pycaffe_acc.quantize.quantize_net import Quantizer

BATCH = 8


def _layer(name: str, kind: str, bottoms: str, fields: str = "", top: str = "") -> str:
    return f"layer {{ name: '{name}' type: '{kind}' {''.join(f'bottom: {b!r} ' for b in bottoms.split())} top: '{top or name}' {fields} }}\n"


def _conv(name: str, bottom: str, fields: str, relu: bool = True) -> str:
    more = _layer(f"{name}_relu", "ReLU", name, top=name) if relu else ""
    filler = "weight_filler { type: 'msra' } bias_filler { type: 'gaussian' std: 0.2 }"
    return _layer(name, "Convolution", bottom, f"convolution_param {{ {fields} {filler} }}") + more


#: every operator that computes in INT8, or passes codes on: pixels into a first convolution with mean and scale, groups, depthwise, a join and a
#: maximum of codes, residual sums with and without a convolution before them, averages, inner products of images and of rows
EVERYTHING = (
    f"name: 'everything'\nlayer {{ name: 'data' type: 'Input' top: 'data' input_param {{ shape {{ dim: {BATCH} dim: 3 dim: 33 dim: 29 }} }} }}\n"
    + _conv("first", "data", "num_output: 24 kernel_size: 3 stride: 2 pad: 1 mean_value: 104 mean_value: 117 mean_value: 123 std: 0.017")
    + _layer("max", "Pooling", "first", "pooling_param { pool: MAX kernel_size: 3 stride: 2 }")
    + _conv("left", "max", "num_output: 20 kernel_size: 1") + _conv("right", "max", "num_output: 12 kernel_size: 3 pad: 1")
    + _layer("both", "Concat", "left right")
    + _conv("groups", "both", "num_output: 32 kernel_size: 3 pad: 1 group: 2")
    + _conv("depthwise", "groups", "num_output: 32 kernel_size: 3 pad: 1 group: 32")
    + _conv("body", "depthwise", "num_output: 32 kernel_size: 3 pad: 1", relu=False)
    + _layer("bn", "BatchNorm", "body", "batch_norm_param { use_global_stats: true }")
    + _layer("scale", "Scale", "bn", "scale_param { bias_term: true filler { type: 'uniform' min: 0.5 max: 1.5 } bias_filler { value: 0.1 } }")
    + _layer("sum", "Eltwise", "depthwise scale", "eltwise_param { operation: SUM }") + _layer("sum_relu", "ReLU", "sum", top="sum")
    + _conv("a", "sum", "num_output: 16 kernel_size: 1") + _conv("b", "a", "num_output: 16 kernel_size: 3 pad: 1")
    + _conv("aside", "b", "num_output: 6 kernel_size: 1")
    + _layer("other", "Eltwise", "a b", "eltwise_param { operation: SUM coeff: 0.5 coeff: 1.25 }")
    + _conv("last", "other", "num_output: 18 kernel_size: 3")
    + _layer("mean", "Pooling", "other", "pooling_param { pool: AVE kernel_size: 2 stride: 2 }")
    + _layer("image", "InnerProduct", "mean", "inner_product_param { num_output: 40 weight_filler { type: 'msra' } }")
    + _layer("image_relu", "ReLU", "image", top="image")
    + _layer("rows", "InnerProduct", "image", "inner_product_param { num_output: 10 weight_filler { type: 'msra' } }"))
#: blobs that are compared; "mean" is float32 in the precision "mlu"
WATCHED = {"int8": ("rows", "mean", "sum", "both", "aside", "last"), "mlu": ("rows", "aside", "last")}

#: opens a net with the files and the precision of its arguments, runs the batch of its input file, and stores blobs
PROGRAM = """
import sys
import numpy as np
import pycaffe_acc as caffe
from cnml.cpu import dot_kind, isa
model, weights, values, out, precision, blobs, want = sys.argv[1:]
assert [isa().name, dot_kind()] == want.split("/"), (isa().name, dot_kind())
net = caffe.Net(model, weights, caffe.TEST, precision=precision, threads=2)
x = np.load(values)
net.blobs[net.inputs[0]].reshape(*x.shape)
net.reshape()
net.blobs[net.inputs[0]].data[...] = x
names = blobs.split(",")
made = net.forward(blobs=names)
np.savez(out, **{name.replace("/", "|"): made[name] for name in names})
"""


def results(files: tuple[Path, Path], x: np.ndarray, precision: str, blobs: tuple[str, ...], threads: int = 2) -> dict[str, np.ndarray]:
    """What blobs hold after a forward of a fresh net over `x`."""
    net = caffe.Net(str(files[0]), str(files[1]), caffe.TEST, precision=precision, threads=threads)
    source = net.inputs[0]
    net.blobs[source].reshape(*x.shape)
    net.reshape()
    net.blobs[source].data[...] = x
    made = net.forward(blobs=list(blobs))
    return {name: np.array(made[name]) for name in blobs}


def elsewhere(files: tuple[Path, Path], x: np.ndarray, precision: str, blobs: tuple[str, ...], folder: Path, cpu: str,
              want: str) -> dict[str, np.ndarray]:
    """The same, in a process that compiles for another processor."""
    np.save(folder / "x.npy", x)
    words = [*map(str, files), str(folder / "x.npy"), str(folder / "out.npz"), precision, ",".join(blobs), want]
    environment = {**os.environ, "NUMBA_CPU_NAME": cpu, "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", PROGRAM, *words], env=environment, check=True, timeout=600)
    with np.load(folder / "out.npz") as stored:
        return {name: stored[name.replace("/", "|")] for name in blobs}


def same(got: dict[str, np.ndarray], want: dict[str, np.ndarray]) -> None:
    """Bit for bit, and not all zeros."""
    assert got.keys() == want.keys()
    for name, values in want.items():
        assert np.count_nonzero(values) > values.size // 10, name
        np.testing.assert_array_equal(got[name].view(np.uint32), values.view(np.uint32), err_msg=name)


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """The quantized net of every operator, its weights, and images."""
    folder = tmp_path_factory.mktemp("int8")
    rng = np.random.default_rng(7)
    np.random.seed(7)
    model, weights = folder / "float.prototxt", folder / "float.caffemodel"
    model.write_text(EVERYTHING)
    net = caffe.Net(str(model), caffe.TEST)
    for blob, values in zip(net.params["bn"], (rng.normal(0, 0.3, 32), rng.uniform(0.5, 2, 32), [1.0]), strict=True):
        blob.data[...] = values
    net.save(str(weights))
    quantizer = Quantizer(model, weights, find_method("absmax"))
    x = rng.integers(0, 256, (BATCH, 3, 33, 29)).astype(np.float32)
    quantizer.calibrate("data", [x])
    quantizer.finish()
    quantizer.save(folder / "int8.prototxt")
    return (folder / "int8.prototxt", weights), x


@pytest.fixture(scope="module")
def squeezenet(data_dir, tmp_path_factory):
    """SqueezeNet v1.1, quantized with eight images, which are its input, too."""
    folder, source = tmp_path_factory.mktemp("squeezenet"), data_dir / "models" / "squeezenet_v1.1"
    model, weights = source / "deploy.prototxt", source / "squeezenet_v1.1.caffemodel"
    images = open_dataset(f"list:{data_dir / 'ilsvrc_val' / 'val.txt'}", str(data_dir / "ilsvrc_val" / "img"))
    prepare = preprocess_profile("caffe-tool")
    x = np.stack([prepare.apply(images.read(80 * i, 3), (1, 3, 227, 227)) for i in range(BATCH)])
    quantizer = Quantizer(model, weights, find_method("mse"))
    quantizer.calibrate("data", [x])
    quantizer.finish()
    quantizer.save(folder / "int8.prototxt")
    return (folder / "int8.prototxt", weights), x


def test_the_net_has_every_operator(everything):
    (model, weights), _ = everything
    net = caffe.Net(str(model), str(weights), caffe.TEST, precision="int8")
    net.forward()
    kinds = [row.kind for row in net.profile(iterations=1)]
    assert {"PixelCodes", "ConvolutionInt8", "PoolInt8", "ConcatInt8", "SumInt8"} <= set(kinds)
    floats = {"ChannelAffine", "Convolution", "InnerProduct", "Pool", "Eltwise", "Concat", "BatchNorm", "Scale", "Unary"}
    assert not floats & set(kinds), "something left INT8"
    assert kinds.count("ConvolutionInt8") == 12 and kinds.count("PoolInt8") == 2


def test_kernels_give_the_definitions_bits(everything, monkeypatch):
    files, x = everything
    got = results(files, x[:3], "int8", WATCHED["int8"])
    monkeypatch.setenv("PYCAFFE_ACC_KERNELS", "numpy")
    same(got, results(files, x[:3], "int8", WATCHED["int8"]))


@pytest.mark.parametrize("precision", WATCHED)
def test_batches_and_threads_give_the_same_bits(everything, precision):
    files, x = everything
    whole = results(files, x, precision, WATCHED[precision])
    same(results(files, x, precision, WATCHED[precision], threads=1), whole)
    for i in range(BATCH):
        same(results(files, x[i:i + 1], precision, WATCHED[precision], threads=1 + i % 2), {name: v[i:i + 1] for name, v in whole.items()})


#: what a process is told, and what it then computes with; this process has the machine's own, with the byte instruction where there is one
PROCESSORS = {"avx512": ("skylake-avx512", "avx512/pairs"), "avx2": ("haswell", "avx2/pairs"), "generic": ("x86-64", "generic/plain")}


@pytest.mark.slow
@pytest.mark.parametrize("precision", WATCHED)
@pytest.mark.parametrize("name", PROCESSORS)
def test_instruction_sets_give_the_same_bits(everything, tmp_path, precision, name):
    files, x = everything
    cpu, want = PROCESSORS[name]
    same(elsewhere(files, x, precision, WATCHED[precision], tmp_path, cpu, want), results(files, x, precision, WATCHED[precision]))


#: SqueezeNet's last convolution; what follows it is an average and a Softmax of float32 values
LAST = ("conv10",)


@pytest.mark.slow
def test_squeezenet_in_batches_and_threads(squeezenet):
    files, x = squeezenet
    names = (*LAST, "prob")
    whole = results(files, x, "int8", names)
    same(results(files, x, "int8", names, threads=1), whole)
    for i in (0, BATCH - 1):
        same(results(files, x[i:i + 1], "int8", names, threads=1), {name: v[i:i + 1] for name, v in whole.items()})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["avx2", "numpy"])
def test_squeezenet_by_other_code(squeezenet, tmp_path, name, monkeypatch):
    files, x = squeezenet
    want = results(files, x[:2], "int8", LAST)
    if name == "numpy":
        monkeypatch.setenv("PYCAFFE_ACC_KERNELS", "numpy")
        same(results(files, x[:2], "int8", LAST), want)
    else:
        same(elsewhere(files, x[:2], "int8", LAST, tmp_path, *PROCESSORS[name]), want)
