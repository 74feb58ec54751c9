"""On whole nets every graph pass, missing or alone, leaves BVLC Caffe's results."""
from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import pycaffe_acc as caffe
from cnml.passes import PASSES, PLACEMENTS

NAMES = (*PASSES, *PLACEMENTS)
NETS = (pytest.param("resnet50_2x3x64x64", marks=pytest.mark.slow), "mobilenet_v1_2x3x64x64", "squeezenet_v1.1_2x3x64x64")


@pytest.fixture(scope="module")
def recipe_of():
    """The data folder's module that makes the weights."""
    def load(folder: Path):
        spec = importlib.util.spec_from_file_location("golden_recipe_for_passes", folder / "recipe.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    return load


@pytest.mark.parametrize("name", NETS)
def test_net(data_dir, monkeypatch, recipe_of, name):
    folder = data_dir / "golden" / "nets" / name
    meta, recipe = json.loads((folder / "recipe.json").read_text()), recipe_of(folder.parent)
    nodes = {}
    for off in ("", "all", *NAMES, *(",".join(n for n in NAMES if n != one) for one in NAMES)):
        monkeypatch.setenv("PYCAFFE_ACC_PASSES_OFF", off)
        net = caffe.Net(str(folder / "deploy.prototxt"), caffe.TEST)
        for layer, blobs in net.params.items():
            for j, blob in enumerate(blobs):
                gain = meta.get("classifier_gain", 1.0) if layer == meta.get("classifier") else 1.0
                blob.data[...] = recipe.param_value(meta["net"], layer, net.layer_dict[layer].type, j, blob.data.shape, gain)
        for blob in net.inputs:
            net.blobs[blob].data[...] = recipe.input_value(meta["net"], blob, net.blobs[blob].data.shape, meta["input_scale"])
        nodes[off] = len(net.profile(1))
        with np.load(folder / "outputs.npz") as want:
            for blob in set(want.files) & set(net.outputs):
                tolerance = 1e-4 * np.abs(want[blob]).max()
                np.testing.assert_allclose(net.blobs[blob].data, want[blob], rtol=1e-4, atol=tolerance, err_msg=f"without {off}")
    assert nodes[""] < nodes["all"]
