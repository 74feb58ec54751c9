"""The networks against the prototxts that publish their layer names, and the real weights of the data folder in our nets."""
from __future__ import annotations

import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pycaffe_acc import zoo
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.text_format import read_net
from pycaffe_acc.upgrade import upgrade_net
from pycaffe_acc.zoo.verification import verify

#: name, what is not the default, public prototxt
PUBLIC = [
    ("alexnet", {}, "prototxt/alexnet/deploy.prototxt"),
    ("googlenet", {}, "prototxt/googlenet/deploy.prototxt"),
    ("inception_v3", {}, "prototxt/inception_soeaver/deploy_inception-v3.prototxt"),
    ("mobilenet_v1", {}, "prototxt/mobilenet_shicai/mobilenet_deploy.prototxt"),
    ("resnet18", {}, "prototxt/resnet18/deploy.prototxt"),
    *((f"resnet{n}", {}, f"prototxt/resnet50_101_152/ResNet-{n}-deploy.prototxt") for n in (50, 101, 152)),
    ("resnet50", {"stride_in_3x3": True}, "models/resnet50/ResNet-50-stride3x3-deploy.prototxt"),
    ("squeezenet_v1.0", {}, "prototxt/squeezenet/v1.0_deploy.prototxt"),
    ("squeezenet_v1.1", {}, "prototxt/squeezenet/v1.1_deploy.prototxt"),
    ("vgg16", {}, "prototxt/vgg16/VGG_ILSVRC_16_layers_deploy.prototxt"),
    ("vgg19", {}, "prototxt/vgg19/VGG_ILSVRC_19_layers_deploy.prototxt"),
    ("cifar_resnet20", {}, "models/cifar10_resnet/res20_cifar_deploy.prototxt"),
    ("cifar_resnet56", {}, "models/cifar10_resnet/res56_cifar_deploy.prototxt"),
]
#: the public VGG-19 prototxt at hand ends before the dense layers
CUT = {"vgg19": "pool5"}
#: name, what is not the default, weights
REAL = [
    ("googlenet", {}, "googlenet/bvlc_googlenet.caffemodel"),
    ("resnet18", {}, "resnet18/resnet-18.caffemodel.xz"),
    ("resnet50", {"stride_in_3x3": True}, "resnet50/resnet-50.caffemodel.xz"),
    ("squeezenet_v1.0", {}, "squeezenet_v1.0/squeezenet_v1.0_decompressed_forresti_names.caffemodel"),
    ("squeezenet_v1.1", {}, "squeezenet_v1.1/squeezenet_v1.1.caffemodel"),
    ("cifar_resnet20", {}, "cifar10_resnet/ResNet_20.caffemodel"),
    ("cifar_resnet20", {}, "cifar10_resnet/cifar10_res20_iter_64000.caffemodel"),
    ("cifar_resnet56", {}, "cifar10_resnet/ResNet_56.caffemodel"),
]


def pair(p: Any, name: str, default: int) -> tuple[int, int]:
    """(height, width) of a kernel, stride or padding, however it is written."""
    h, w = f"{name}_h", f"{name}_w"
    if p.HasField(h) or p.HasField(w):
        return getattr(p, h), getattr(p, w)
    given = getattr(p, "kernel_size" if name == "kernel" else name)
    values = list(given) if hasattr(given, "__len__") else [given] if p.HasField("kernel_size" if name == "kernel" else name) else []
    return tuple((values * 2)[:2]) if values else (default, default)


def meaning(m: Any) -> tuple[Any, ...]:
    """All of a layer that has an effect when a trained net runs."""
    facts: tuple[Any, ...] = ()
    if m.type == "Convolution":
        p = m.convolution_param
        facts = (p.num_output, p.bias_term, p.group, pair(p, "kernel", 0), pair(p, "stride", 1), pair(p, "pad", 0), list(p.dilation))
    elif m.type == "Pooling":
        p = m.pooling_param
        facts = (p.pool, p.global_pooling, pair(p, "kernel", 0), pair(p, "stride", 1), pair(p, "pad", 0))
    elif m.type == "InnerProduct":
        facts = (m.inner_product_param.num_output, m.inner_product_param.bias_term, m.inner_product_param.axis)
    elif m.type == "LRN":
        p = m.lrn_param
        facts = (p.local_size, p.alpha, p.beta, p.k, p.norm_region)
    elif m.type == "BatchNorm":
        facts = (m.batch_norm_param.eps,)
        assert m.batch_norm_param.use_global_stats or not m.batch_norm_param.HasField("use_global_stats")
    elif m.type == "Scale":
        facts = (m.scale_param.bias_term, m.scale_param.axis, m.scale_param.num_axes)
    elif m.type == "Eltwise":
        facts = (m.eltwise_param.operation, list(m.eltwise_param.coeff))
    elif m.type in ("Concat", "Softmax"):
        facts = (m.concat_param.axis if m.type == "Concat" else m.softmax_param.axis,)
    else:
        assert m.type in ("ReLU", "Dropout") and not m.relu_param.negative_slope
    return (m.name, m.type, list(m.bottom), list(m.top), *facts)


def described(layers: Any, end: str | None) -> list[tuple[Any, ...]]:
    """Meanings of all layers but the input, up to the one named `end`."""
    found = [meaning(m) for m in layers if m.type != "Input"]
    return found[:[m[0] for m in found].index(end) + 1] if end else found


@pytest.mark.parametrize(("name", "variants", "public"), PUBLIC, ids=lambda v: v if isinstance(v, str) else "")
def test_layers_are_the_public_ones(data_dir, name, variants, public):
    """Names, types, wiring and parameters, in the same order."""
    theirs = upgrade_net(read_net(data_dir / public, allow_unknown_fields=True).message)
    assert described(zoo.build(name, **variants).layer, CUT.get(name)) == described(theirs.layer, CUT.get(name))


@pytest.mark.parametrize(("name", "variants", "public"), [c for c in PUBLIC if c[0] not in ("alexnet", "vgg16", "vgg19")],
                         ids=lambda v: v if isinstance(v, str) else "")
def test_shapes_are_the_public_ones(data_dir, name, variants, public):
    """Weights, inputs and every blob."""
    theirs = Net(str(data_dir / public), TEST, allow_unknown_fields=True)
    ours = Net(zoo.build(name, batch=theirs.blobs[theirs.inputs[0]].shape[0], **variants), TEST)
    assert {k: [b.shape for b in v] for k, v in ours.params.items()} == {k: [b.shape for b in v] for k, v in theirs.params.items()}
    assert {k: b.shape for k, b in ours.blobs.items()} == {k: b.shape for k, b in theirs.blobs.items()}
    assert (ours.inputs, ours.outputs) == (theirs.inputs, theirs.outputs)


def unpacked(path: Path, tmp_path: Path) -> Path:
    """The weights as a plain file."""
    if path.suffix != ".xz":
        return path
    plain = tmp_path / path.stem
    plain.write_bytes(lzma.decompress(path.read_bytes()))
    return plain


@pytest.mark.parametrize(("name", "variants", "weights"), REAL, ids=lambda v: v if isinstance(v, str) else "")
def test_real_weights_fill_our_nets(data_dir, tmp_path, name, variants, weights):
    """Every layer with weights gets them, and every layer of the file is used, except auxiliary classifiers."""
    path = unpacked(data_dir / "models" / weights, tmp_path)
    coverage = Net(zoo.build(name, **variants), TEST).copy_from(path)
    assert coverage.complete and not [layer for layer in coverage.unused if not layer.startswith("loss")], str(coverage)
    found = verify(zoo.entry(name), path, checksum=False)
    assert found.ok and found.layers == len(zoo.weight_shapes(name))


@pytest.mark.parametrize(("name", "weights"), [("cifar_resnet20", "ResNet_20.caffemodel"), ("cifar_resnet56", "ResNet_56.caffemodel")])
def test_files_with_a_published_digest(data_dir, name, weights):
    """The digests of the catalogue, against the files themselves."""
    found = verify(zoo.entry(name), data_dir / "models/cifar10_resnet" / weights)
    assert found.ok and found.checksums == {"sha256": "same"} and found.size_bytes == zoo.entry(name).size_bytes


@pytest.mark.parametrize(("name", "public", "weights"), [
    ("cifar_resnet20", "cifar10_resnet/res20_cifar_deploy.prototxt", "cifar10_resnet/ResNet_20.caffemodel"),
    ("squeezenet_v1.1", "squeezenet_v1.1/deploy.prototxt", "squeezenet_v1.1/squeezenet_v1.1.caffemodel"),
])
def test_results_are_those_of_the_public_net(data_dir, rng, name, public, weights):
    """The same weights and input through the public prototxt and through ours: the same bits."""
    path = data_dir / "models" / weights
    theirs = Net(str(data_dir / "models" / public), TEST, weights=str(path))
    blob = theirs.inputs[0]
    ours = Net(zoo.build(name, batch=theirs.blobs[blob].shape[0]), TEST, weights=str(path))
    x = 60 * rng.standard_normal(theirs.blobs[blob].shape, dtype=np.float32)
    for net in (ours, theirs):
        net.blobs[blob].data[...] = x
        net.forward()
    np.testing.assert_array_equal(ours.blobs["prob"].data, theirs.blobs["prob"].data)
