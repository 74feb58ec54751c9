"""Whole networks with seeded weights against stored results of BVLC Caffe."""
from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import pycaffe_acc as caffe

DATA = os.environ.get("PYCAFFE_ACC_DATA", "")
LARGE = ("1x3x224x224", "1x3x227x227")


def cases() -> list[Any]:
    """Names of the stored nets; those with full-size images are marked slow, except two."""
    folder = Path(DATA) / "golden" / "nets"
    if not DATA or not folder.is_dir():
        return ["(no data)"]
    names = sorted(p.name for p in folder.iterdir() if (p / "recipe.json").is_file())
    quick = ("squeezenet_v1.1_1x3x227x227", "resnet18_1x3x224x224")
    return [pytest.param(n, marks=pytest.mark.slow) if n.endswith(LARGE) and n not in quick else n for n in names]


def load_recipe(folder: Path) -> ModuleType:
    """The data folder's module that makes the weights."""
    spec = importlib.util.spec_from_file_location("golden_recipe", folder / "recipe.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fill(net: caffe.Net, recipe: ModuleType, meta: dict[str, Any]) -> None:
    """Weights as the recipe says."""
    for name, blobs in net.params.items():
        for j, blob in enumerate(blobs):
            gain = meta.get("classifier_gain", 1.0) if name == meta.get("classifier") else 1.0
            blob.data[...] = recipe.param_value(meta["net"], name, net.layer_dict[name].type, j, blob.data.shape, gain)


@pytest.mark.parametrize("name", cases())
def test_net(data_dir: Path, name: str) -> None:
    folder = data_dir / "golden" / "nets" / name
    meta = json.loads((folder / "recipe.json").read_text())
    recipe = load_recipe(folder.parent)
    net = caffe.Net(str(folder / "deploy.prototxt"), caffe.TEST)
    fill(net, recipe, meta)
    for blob in net.inputs:
        net.blobs[blob].data[...] = recipe.input_value(meta["net"], blob, net.blobs[blob].data.shape, meta["input_scale"])
    net.forward()
    with np.load(folder / "outputs.npz") as want:
        for blob in want.files:
            scale = np.abs(want[blob]).max()
            np.testing.assert_allclose(net.blobs[blob].data, want[blob], rtol=1e-4, atol=1e-4 * scale, err_msg=blob)
    for blob, stats in meta["blob_stats"].items():
        if "_split_" not in blob:
            data = net.blobs[blob].data
            assert list(data.shape) == stats["shape"], blob
            np.testing.assert_allclose(np.sqrt((data.astype(np.float64) ** 2).sum()), stats["l2"], rtol=1e-3, err_msg=blob)
