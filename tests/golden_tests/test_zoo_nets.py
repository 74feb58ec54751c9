"""The zoo's networks, by name alone, against stored results of BVLC Caffe with the same seeded weights."""
from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc import zoo
from pycaffe_acc.fake_caffemodel import fill_fake

NETS = [
    pytest.param("alexnet", "bvlc_alexnet_1x3x227x227", marks=pytest.mark.slow),
    pytest.param("googlenet", "bvlc_googlenet_1x3x224x224"),
    pytest.param("mobilenet_v1", "mobilenet_v1_1x3x224x224"),
    pytest.param("resnet18", "resnet18_1x3x224x224", marks=pytest.mark.slow),
    pytest.param("squeezenet_v1.1", "squeezenet_v1.1_1x3x227x227"),
    pytest.param("vgg16", "vgg16_1x3x224x224", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("name", "stored"), NETS)
def test_net(data_dir: Path, name: str, stored: str) -> None:
    """Every blob's norm, and the outputs value by value."""
    folder = data_dir / "golden" / "nets" / stored
    meta = json.loads((folder / "recipe.json").read_text())
    net = caffe.Net(zoo.build(name), caffe.TEST)
    fill_fake(net, key=meta["net"], gains={meta["classifier"]: meta["classifier_gain"]})
    shape = net.blobs["data"].shape
    state = np.random.RandomState(zlib.crc32(f"{meta['net']}|input|data|{'x'.join(map(str, shape))}".encode()))
    net.blobs["data"].data[...] = (state.standard_normal(int(np.prod(shape))) * meta["input_scale"]).reshape(shape)
    net.forward()
    with np.load(folder / "outputs.npz") as want:
        for blob in want.files:
            np.testing.assert_allclose(net.blobs[blob].data, want[blob], rtol=1e-4, atol=1e-4 * np.abs(want[blob]).max(), err_msg=blob)
    stored_blobs = {b: s for b, s in meta["blob_stats"].items() if "_split_" not in b}
    assert set(stored_blobs) <= set(net.blobs)
    for blob, stats in stored_blobs.items():
        data = net.blobs[blob].data
        assert list(data.shape) == stats["shape"], blob
        np.testing.assert_allclose(np.sqrt((data.astype(np.float64) ** 2).sum()), stats["l2"], rtol=1e-3, err_msg=blob)
