"""The sixteen networks: what lies in models/ is what the builders make, and every net can be set up."""
from __future__ import annotations

import argparse
import math
import re
import shlex
from pathlib import Path

import pytest

from pycaffe_acc import zoo
from pycaffe_acc.errors import CheckError
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.tools.preprocess_arguments import add_preprocess, open_preprocess
from pycaffe_acc.zoo.networks.cifar_resnet import cifar_resnet
from pycaffe_acc.zoo.networks.resnet import resnet
from pycaffe_acc.zoo.readme import readme

MODELS = Path(__file__).resolve().parents[3] / "models"
NAMES = ["alexnet", "googlenet", "inception_v3", "mobilenet_v1", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "squeezenet_v1.0",
         "squeezenet_v1.1", "vgg16", "vgg19", "cifar_resnet20", "cifar_resnet50", "cifar_resnet56"]
#: extent of the input; million weight values
SIZES = {"alexnet": (227, 60.965), "googlenet": (224, 6.999), "inception_v3": (299, 23.869), "mobilenet_v1": (224, 4.254), "resnet18": (224, 11.703),
         "resnet34": (224, 21.819), "resnet50": (224, 25.610), "resnet101": (224, 44.655), "resnet152": (224, 60.344),
         "squeezenet_v1.0": (227, 1.248), "squeezenet_v1.1": (227, 1.235), "vgg16": (224, 138.358), "vgg19": (224, 143.667),
         "cifar_resnet20": (32, 0.275), "cifar_resnet50": (32, 0.764), "cifar_resnet56": (32, 0.862)}


def front_matter(text: str) -> dict[str, str]:
    """The fields that Caffe's download script reads from a readme."""
    lines = text.splitlines()
    assert lines[0] == "---"
    end = lines.index("---", 1)
    return dict(line.split(": ", 1) for line in lines[1:end])


def listed_shapes(text: str) -> dict[str, list[tuple[int, ...]]]:
    """The table of weight blobs of a readme."""
    rows = re.findall(r"^\| `([^`]+)` \| ([\dx, ]+) \|$", text, re.MULTILINE)
    return {layer: [tuple(map(int, shape.split("x"))) for shape in shapes.split(", ")] for layer, shapes in rows}


def test_the_catalogue_and_the_folders():
    assert zoo.names() == NAMES
    assert {p.name for p in MODELS.iterdir() if (p / "deploy.prototxt").exists()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_files_are_what_the_builder_makes(name):
    folder = MODELS / name
    assert (folder / "deploy.prototxt").read_text(encoding="utf-8") == zoo.deploy_prototxt(name), f"run python models/{name}/build.py"
    assert (folder / "README.md").read_text(encoding="utf-8") == readme(zoo.entry(name)), f"run python models/{name}/build.py"
    assert f'write_model_folder("{name}", ' in (folder / "build.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_net_of_the_folder(name):
    """Inputs, outputs, and the readme's list of weight blobs, from the prototxt on disk alone."""
    size, millions = SIZES[name]
    net = Net(str(MODELS / name / "deploy.prototxt"), TEST)
    assert [net.blobs[i].shape for i in net.inputs] == [(1, 3, size, size)]
    classes = 10 if name.startswith("cifar") else 1000
    assert net.outputs == ["prob"] and math.prod(net.blobs["prob"].shape) == classes and net.blobs["prob"].shape[:2] == (1, classes)
    shapes = {layer: [b.shape for b in blobs] for layer, blobs in net.params.items()}
    assert listed_shapes((MODELS / name / "README.md").read_text(encoding="utf-8")) == shapes == zoo.weight_shapes(name)
    assert sum(math.prod(s) for blobs in shapes.values() for s in blobs) / 1e6 == pytest.approx(millions, abs=6e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_follows_the_convention(name):
    found, fields = zoo.entry(name), front_matter((MODELS / name / "README.md").read_text(encoding="utf-8"))
    assert {"name", "caffemodel", "license"} <= set(fields)
    assert fields.get("caffemodel_url") == (found.urls[0] if found.urls else None)
    assert {k: fields[k] for k in fields if k.startswith("sha")} == dict(found.checksums)


@pytest.mark.parametrize("name", NAMES)
def test_what_an_entry_says_is_well_formed(name):
    found = zoo.entry(name)
    lengths = {"sha1": 40, "sha256": 64, "sha384": 96}
    assert all(re.fullmatch(f"[0-9a-f]{{{lengths[k]}}}", v) for k, v in found.checksums.items())
    assert all(url.startswith(("http://", "https://")) for url in found.urls) and len(set(found.urls)) == len(found.urls)
    assert bool(found.urls) == bool(found.checksums), "a file that can be fetched can be checked"
    if found.size_bytes:
        values = sum(math.prod(s) for blobs in zoo.weight_shapes(name).values() for s in blobs)
        assert found.size_bytes > 4 * values, "the file must hold at least the net's values"
    parser = argparse.ArgumentParser()
    add_preprocess(parser)
    options = parser.parse_args(shlex.split(found.options.replace("MEAN_FILE", "0")))
    assert open_preprocess(options).order == ("RGB" if name.startswith("cifar") else "BGR")


def test_batches():
    assert Net(zoo.build("squeezenet_v1.1", batch=3), TEST).blobs["prob"].shape == (3, 1000, 1, 1)


def test_the_stride_of_bottlenecks():
    """Same names, same weights, other strides; and only where it means something."""
    ours, other = zoo.build("resnet50"), zoo.build("resnet50", stride_in_3x3=True)
    assert [(m.name, m.type) for m in ours.layer] == [(m.name, m.type) for m in other.layer]
    strides = {m.name: (list(m.convolution_param.stride), list(o.convolution_param.stride)) for m, o in zip(ours.layer, other.layer, strict=True)
               if m != o}
    assert strides == {f"res{stage}a_branch2{c}": s for stage in (3, 4, 5) for c, s in (("a", ([2], [])), ("b", ([], [2])))}
    shapes = {layer: [b.shape for b in blobs] for layer, blobs in Net(other, TEST).params.items()}
    assert shapes == zoo.weight_shapes("resnet50")
    with pytest.raises(zoo.UnknownNetworkError, match="network 'resnet18' has no variant 'stride_in_3x3'; it has none"):
        zoo.build("resnet18", stride_in_3x3=True)


def test_names_that_the_zoo_does_not_have():
    with pytest.raises(zoo.UnknownNetworkError, match=r"no network 'ResNet-50' \(closest: 'resnet50'\); it has alexnet, "):
        zoo.build("ResNet-50")
    with pytest.raises(CheckError, match="depth is 36; it must be one of 18, 34"):
        resnet(36)
    with pytest.raises(CheckError, match="depth is 21; it must be 6 k"):
        cifar_resnet(21)
