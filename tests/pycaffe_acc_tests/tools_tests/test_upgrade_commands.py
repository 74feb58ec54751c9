"""upgrade_net_proto_text and upgrade_net_proto_binary."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc.errors import CaffeError
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.text_format import parse_net, read_net
from pycaffe_acc.tools.main import main
from pycaffe_acc.upgrade import generation, needs_upgrade, upgrade_net
from pycaffe_acc.weights import read_caffemodel

DATA = os.environ.get("PYCAFFE_ACC_DATA", "")
V0 = """name: "old" input: "data" input_dim: 1 input_dim: 2 input_dim: 4 input_dim: 4
layers { layer { name: "pad" type: "padding" pad: 1 } bottom: "data" top: "pad" }
layers { layer { name: "c" type: "conv" num_output: 3 kernelsize: 3 } bottom: "pad" top: "c" }
layers { layer { name: "r" type: "relu" } bottom: "c" top: "c" }
"""


def old_nets() -> list[Any]:
    """Public prototxts that are not in today's form; one placeholder without data, so that the skip is reported."""
    folder = Path(DATA) / "prototxt"
    if not DATA or not folder.is_dir():
        return ["(no data)"]
    found = []
    for path in sorted(folder.rglob("*.prototxt")):
        try:
            message = read_net(path, allow_unknown_fields=True).message
        except CaffeError:
            continue  # a solver, or one of the broken ones
        if needs_upgrade(message):
            found.append(pytest.param(path, id=path.relative_to(folder).as_posix()))
    return found


@pytest.mark.parametrize("path", old_nets())
def test_public_nets(path, data_dir, tmp_path, monkeypatch):
    monkeypatch.setenv("PYCAFFE_ACC_UNKNOWN_FIELDS", "keep")
    target = tmp_path / "new.prototxt"
    assert main(["upgrade_net_proto_text", str(path), str(target)]) == 0
    written = read_net(target).message
    assert written == upgrade_net(read_net(path).message)
    assert generation(written) == "V2" and not needs_upgrade(written) and written.layer
    text = target.read_text()
    assert main(["upgrade_net_proto_text", str(target), str(target)]) == 0
    assert target.read_text() == text


def test_weights_move_along(tmp_path, rng):
    message = parse_net(V0).message
    weight, bias = rng.standard_normal((3, 2, 3, 3)).astype(np.float32), rng.standard_normal((1, 1, 1, 3)).astype(np.float32)
    for array in (weight, bias):  # old blobs have four extents
        n, c, h, w = array.shape
        message.layers[1].layer.blobs.add(num=n, channels=c, height=h, width=w, data=array.ravel().tolist())
    (tmp_path / "old.caffemodel").write_bytes(message.SerializeToString())
    (tmp_path / "old.prototxt").write_text(V0)
    assert main(["upgrade_net_proto_binary", str(tmp_path / "old.caffemodel"), str(tmp_path / "new.caffemodel")]) == 0
    assert main(["upgrade_net_proto_text", str(tmp_path / "old.prototxt"), str(tmp_path / "new.prototxt")]) == 0
    new = read_caffemodel(tmp_path / "new.caffemodel")
    assert [layer.type for layer in new.layer] == ["Input", "Convolution", "ReLU"] and new.layer[1].convolution_param.pad == [1]
    for layer in new.layer:
        del layer.blobs[:]
    assert new == read_net(tmp_path / "new.prototxt").message
    net = caffe.Net(str(tmp_path / "new.prototxt"), caffe.TEST, weights=str(tmp_path / "new.caffemodel"))
    np.testing.assert_array_equal(net.params["c"][0].data, weight)
    np.testing.assert_array_equal(net.params["c"][1].data, bias.ravel())


@pytest.mark.parametrize(("command", "contents", "message"), [
    ("upgrade_net_proto_text", b'layers { name: "a" type: RELU } layer { name: "b" type: "ReLU" }', "both 'layer' (1) and 'layers' (1)"),
    ("upgrade_net_proto_text", b"layer {", "the file ends"),
    ("upgrade_net_proto_binary", b"\xff" * 40, "no binary NetParameter"),
    ("upgrade_net_proto_binary", caffe_pb2.NetParameter(input=["a", "b"], input_dim=[1]).SerializeToString(), "input_dim"),
])
def test_what_cannot_be_upgraded_is_not_written(tmp_path, capsys, command, contents, message):
    (tmp_path / "in").write_bytes(contents)
    assert main([command, str(tmp_path / "in"), str(tmp_path / "out")]) == 3
    assert message in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_a_solver(tmp_path, capsys):
    source, target = tmp_path / "old.prototxt", tmp_path / "new.prototxt"
    source.write_text('net: "net.prototxt" base_lr: 0.01 solver_type: NESTEROV momentum: 0.9')
    assert main(["upgrade_solver_proto_text", str(source), str(target)]) == 0
    assert "upgraded, the solver's type is Nesterov" in capsys.readouterr().out
    text = target.read_text()
    assert 'type: "Nesterov"' in text and "solver_type" not in text and 'net: "net.prototxt"' in text and "momentum: 0.9" in text
    assert main(["upgrade_solver_proto_text", str(target), str(tmp_path / "same")]) == 0
    assert "in today's form already" in capsys.readouterr().out and (tmp_path / "same").read_text() == text


@pytest.mark.parametrize(("text", "said"), [('type: "SGD" solver_type: ADAM', "remove solver_type"), ("no_such_field: 1", "no_such_field")])
def test_a_bad_solver_is_status_3(tmp_path, capsys, text, said):
    (tmp_path / "bad").write_text(text)
    assert main(["upgrade_solver_proto_text", str(tmp_path / "bad"), str(tmp_path / "out")]) == 3
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()
