"""Whole networks: the real models of the data folder, and the zoo's with seeded weights."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden_tests.test_real_models import assign, weights_file

import pycaffe_acc as caffe
from pycaffe_acc import zoo
from pycaffe_acc.onnx_export import NotExpressibleError, export
from pycaffe_acc.onnx_export.self_check import session
from pycaffe_acc.seeded_weights import fill_seeded

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

DATA = os.environ.get("PYCAFFE_ACC_DATA", "")
QUICK = ("cifar10_quick", "cifar_res20", "hyperlpr_fine", "lenet", "lstm64", "mtcnn_det2", "squeezenet_v1.1")
#: nets with a layer that ONNX cannot express, their last
REFUSED = ("hyperlpr_ssd", "wechat_detect")


def references() -> list[Any]:
    """The stored references; all but a few are slow."""
    folder = Path(DATA) / "reference"
    names = sorted(p.stem for p in folder.glob("*.npz")) if DATA and folder.is_dir() else ["(no data)"]
    return [n if n in QUICK or not DATA else pytest.param(n, marks=pytest.mark.slow) for n in names]


def real_net(data_dir: Path, tmp_path: Path, stored: Any) -> caffe.Net:
    """The net with its stored weights and inputs."""
    models = data_dir / "models"
    weights = weights_file(models / str(stored["caffemodel"]), tmp_path)
    net = caffe.Net(str(models / str(stored["prototxt"])), caffe.TEST, weights=str(weights))
    assign(net, stored)
    net.reshape()
    return net


@pytest.mark.parametrize("name", references())
def test_real_model(data_dir: Path, tmp_path: Path, name: str) -> None:
    """onnxruntime agrees with the net (the export checks it) and with the stored outputs, which are not ours."""
    with np.load(data_dir / "reference" / f"{name}.npz") as stored:
        net = real_net(data_dir, tmp_path, stored)
        if name in REFUSED:
            last = list(net.bottom_names)[-1]
            with pytest.raises(NotExpressibleError, match=rf"layer '{last}' \(DetectionOutput\)"):
                export(net, tmp_path / "net.onnx")
            assert len(export(net, tmp_path / "net.onnx", outputs=net.bottom_names[last][:3]).differences) == 6
            return
        names = [key.partition(":")[2] for key in stored.files if key.startswith("out:")]
        blobs = {name: name if name in net.blobs else net.top_names[name][0] for name in names}  # some are named by their layer
        report = export(net, tmp_path / "net.onnx", outputs=list(dict.fromkeys([*net.outputs, *blobs.values()])))
        assert len(report.differences) >= len(net.outputs)
        feed = {n: np.array(net.blobs[n].data) for n in report.graph.inputs if n not in report.graph.states}
        got = dict(zip(report.graph.outputs, session(tmp_path / "net.onnx", onnxruntime).run(None, feed), strict=True))
        for name_there, blob in blobs.items():
            want = stored["out:" + name_there]
            assert np.abs(got[blob].reshape(want.shape) - want).max() < 2e-3 * np.abs(want).max(), blob


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.names())
def test_zoo_network(tmp_path: Path, name: str) -> None:
    """Also in front of the softmax, which would hide differences of saturated scores."""
    path = tmp_path / "deploy.prototxt"
    path.write_text(zoo.deploy_prototxt(name))
    net = caffe.Net(str(path), caffe.TEST)
    fill_seeded(net)
    for blob in net.inputs:
        net.blobs[blob].reshape(1, *net.blobs[blob].shape[1:])
    net.reshape()
    scores = net.bottom_names[list(net.bottom_names)[-1]]
    report = export(net, tmp_path / "net.onnx", outputs=[*scores, *net.outputs])
    assert {d.output for d in report.differences} == {*scores, *net.outputs}
    assert all(d.relative < 1e-4 for d in report.differences)
    (tmp_path / "net.onnx").unlink()
