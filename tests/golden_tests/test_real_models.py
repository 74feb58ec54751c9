"""The real networks of the data folder against their stored outputs."""
from __future__ import annotations

import lzma
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pycaffe_acc as caffe

DATA = os.environ.get("PYCAFFE_ACC_DATA", "")


def names() -> list[str]:
    """Names of the stored references."""
    folder = Path(DATA) / "reference"
    return sorted(p.stem for p in folder.glob("*.npz")) if DATA and folder.is_dir() else ["(no data)"]


def weights_file(path: Path, tmp_path: Path) -> Path:
    """The weights, unpacked if they are stored compressed."""
    if path.exists():
        return path
    unpacked = tmp_path / path.name
    unpacked.write_bytes(lzma.open(f"{path}.xz").read())
    return unpacked


def assign(net: caffe.Net, stored: Any) -> None:
    """The stored inputs: floats, or bytes with mean and scale."""
    for key in stored.files:
        kind, _, blob = key.partition(":")
        if kind == "in":
            x = stored[key]
        elif kind == "u8":
            x = (stored[key].astype(np.float32) - np.float32(stored["mean:" + blob]).reshape(1, -1, 1, 1)) * np.float32(stored["scale:" + blob])
        else:
            continue
        net.blobs[blob].reshape(*x.shape)
        net.blobs[blob].data[...] = x


@pytest.mark.parametrize("name", names())
def test_outputs(data_dir: Path, tmp_path: Path, name: str) -> None:
    with np.load(data_dir / "reference" / f"{name}.npz") as stored:
        models = data_dir / "models"
        net = caffe.Net(str(models / str(stored["prototxt"])), caffe.TEST, weights=str(weights_file(models / str(stored["caffemodel"]), tmp_path)))
        assert not net.coverage.never_initialised
        assign(net, stored)
        net.reshape()
        net.forward()
        for key in stored.files:
            kind, _, blob = key.partition(":")
            if kind != "out":
                continue
            want, got = stored[key], np.array(net.blobs[blob].data)
            if "detection" in blob:  # rows behind the last detection are padding
                want = want.reshape(-1, 7)
                want = want[want[:, 2] > 0]
                got = got.reshape(-1, 7)[:len(want)]
            assert np.abs(got.reshape(want.shape) - want).max() < 2e-3 * np.abs(want).max() + 1e-12
