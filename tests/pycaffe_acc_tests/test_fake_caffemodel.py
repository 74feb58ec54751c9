"""Seeded weights: the recipe of the stored whole-net results, on every machine the same."""
from __future__ import annotations

import json
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc.fake_caffemodel import fill_fake, seeded_blob

DATA = os.environ.get("PYCAFFE_ACC_DATA", "")
#: tens of millions of random numbers
LARGE = ("bvlc_alexnet", "bvlc_caffenet", "bvlc_rcnn", "vgg16", "bvlc_googlenet", "resnet50", "resnet18")
NET = """
name: "small"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 8 dim: 8 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 kernel_size: 3 } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" }
layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }
layer { name: "slope" type: "PReLU" bottom: "conv" top: "conv" }
layer { name: "up" type: "Deconvolution" bottom: "conv" top: "up" convolution_param { num_output: 2 kernel_size: 2 } }
layer { name: "fc" type: "InnerProduct" bottom: "up" top: "fc" inner_product_param { num_output: 5 } }
"""


def cases() -> list[Any]:
    """Names of the stored nets; one input size of each is enough, since weights do not depend on it."""
    folder = Path(DATA) / "golden" / "nets"
    if not DATA or not folder.is_dir():
        return ["(no data)"]
    names = sorted(p.name for p in folder.iterdir() if (p / "recipe.json").is_file())
    return [pytest.param(n, marks=pytest.mark.slow) if n.startswith(LARGE) else n for n in names]


@pytest.mark.parametrize("name", cases())
def test_values_are_those_of_the_stored_nets(data_dir: Path, name: str) -> None:
    """Bit for bit: the CRC-32 of every blob."""
    folder = data_dir / "golden" / "nets" / name
    meta = json.loads((folder / "recipe.json").read_text())
    net = caffe.Net(str(folder / "deploy.prototxt"), caffe.TEST)
    fill_fake(net, key=meta["net"], gains={meta["classifier"]: meta["classifier_gain"]} if meta.get("classifier") else None)
    found = {layer: [zlib.crc32(b.data.tobytes()) for b in blobs] for layer, blobs in net.params.items()}
    assert found == meta["param_crc32"] and len(found) == len(meta["params"]) > 3


def test_a_stored_result_from_a_fake_file(data_dir: Path, tmp_path: Path) -> None:
    """From prototxt to file to outputs: what BVLC's Caffe computed with these weights."""
    folder = data_dir / "golden" / "nets" / "squeezenet_v1.1_2x3x64x64"
    meta = json.loads((folder / "recipe.json").read_text())
    file = caffe.create_fake_caffemodel(folder / "deploy.prototxt", tmp_path / "fake.caffemodel", key=meta["net"],
                                        gains={meta["classifier"]: meta["classifier_gain"]})
    net = caffe.Net(str(folder / "deploy.prototxt"), str(file), caffe.TEST)
    blob, shape = net.inputs[0], net.blobs[net.inputs[0]].shape
    state = np.random.RandomState(zlib.crc32(f"{meta['net']}|input|{blob}|{'x'.join(map(str, shape))}".encode()))
    net.blobs[blob].data[...] = (state.standard_normal(int(np.prod(shape))) * meta["input_scale"]).reshape(shape)
    net.forward()
    with np.load(folder / "outputs.npz") as want:
        for key in want.files:
            np.testing.assert_allclose(net.blobs[key].data, want[key], rtol=1e-4, atol=1e-4 * np.abs(want[key]).max())


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A net with one layer of each kind that the recipe tells apart."""
    path = tmp_path / "small.prototxt"
    path.write_text(NET)
    return path


def test_the_recipe_in_numbers(model: Path) -> None:
    net = caffe.Net(str(model), caffe.TEST)
    fill_fake(net)
    state = np.random.RandomState(zlib.crc32(b"small|conv|0"))
    np.testing.assert_array_equal(net.params["conv"][0].data, (state.standard_normal(108) * np.sqrt(2 / 27)).astype(np.float32).reshape(4, 3, 3, 3))
    mean, variance, factor = (b.data for b in net.params["bn"])
    assert factor.tolist() == [2.0] and 1 <= variance.min() and variance.max() <= 3 and np.abs(mean).max() < 2
    assert 0.5 <= net.params["scale"][0].data.min() and net.params["scale"][0].data.max() <= 1
    assert 0 <= net.params["slope"][0].data.min() and net.params["slope"][0].data.max() <= 0.5
    assert all(np.ptp(b.data) > 0 for n in ("conv", "up", "fc") for b in net.params[n])
    assert np.isfinite(net.forward()["fc"]).all()


def test_files_are_reproducible_and_seeds_differ(model: Path, tmp_path: Path) -> None:
    files = [caffe.create_fake_caffemodel(str(model), tmp_path / f"{i}.caffemodel", seed=seed) for i, seed in enumerate((0, 0, 7))]
    contents = [f.read_bytes() for f in files]
    assert contents[0] == contents[1] != contents[2] and len(contents[0]) == len(contents[2])
    assert caffe.Net(str(model), caffe.TEST).copy_from(files[2]).complete
    assert not np.array_equal(seeded_blob("a", "fc", "InnerProduct", 0, (5, 4)), seeded_blob("b", "fc", "InnerProduct", 0, (5, 4)))


def test_gains(model: Path, tmp_path: Path) -> None:
    net, plain = (caffe.Net(str(model), caffe.TEST) for _ in range(2))
    fill_fake(plain)
    fill_fake(net, gains={"fc": 0.25})
    np.testing.assert_array_equal(net.params["fc"][0].data, 0.25 * plain.params["fc"][0].data)
    np.testing.assert_array_equal(net.params["fc"][1].data, plain.params["fc"][1].data)
    with pytest.raises(caffe.CheckError, match="gain 2.0 is for a layer 'fc9', which the net 'small' does not have"):
        caffe.create_fake_caffemodel(model, tmp_path / "no.caffemodel", gains={"fc9": 2.0})
    assert not (tmp_path / "no.caffemodel").exists()


def test_shared_blobs_are_filled_once(tmp_path: Path) -> None:
    shared = 'param { name: "w" } param { name: "b" } inner_product_param { num_output: 6 } }'
    text = ('name: "twins" layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 6 } } } '
            f'layer {{ name: "one" type: "InnerProduct" bottom: "data" top: "one" {shared} '
            f'layer {{ name: "two" type: "InnerProduct" bottom: "one" top: "two" {shared}')
    path = tmp_path / "twins.prototxt"
    path.write_text(text)
    net = caffe.Net(str(path), caffe.TEST)
    fill_fake(net)
    np.testing.assert_array_equal(net.params["two"][0].data, seeded_blob("twins", "one", "InnerProduct", 0, (6, 6)))
