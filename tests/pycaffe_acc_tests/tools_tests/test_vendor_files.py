"""The vendor's tools for prototxts and weights against what the vendor's own wrote (see the data folder's README)."""
from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc.text_format import format_message, read_net
from pycaffe_acc.tools.convert_caffemodel import output_path
from pycaffe_acc.tools.main import main
from pycaffe_acc.tools.set_sparse import leading_number
from pycaffe_acc.weights import read_caffemodel, read_weights

DATA = os.environ.get("PYCAFFE_ACC_DATA", "")
TOOLS = Path(DATA) / "vendor_golden" / "tools"
#: nets whose weights lie elsewhere in the data folder
WEIGHTS = {"lenet": "models/lenet_mnist/lenet_iter_10000.caffemodel", "squeezenet": "models/squeezenet_v1.1/squeezenet_v1.1.caffemodel"}


def cases(tool: str) -> list[Any]:
    """Rows of a tool's summary; one placeholder without data, so that the skip is reported."""
    path = TOOLS / tool / "summary.json"
    if not DATA or not path.is_file():
        return ["(no data)"]
    # set_sparse keeps a folder for each case; some of the summary's are not stored
    rows = [row for row in json.loads(path.read_text()) if tool != "set_sparse" or (path.parent / row["id"]).is_dir()]
    return [pytest.param(row, id=row["id"]) for row in rows]


def digest(array: np.ndarray) -> str:
    """SHA-256 of the float32 values."""
    return hashlib.sha256(np.ascontiguousarray(array, np.float32).tobytes()).hexdigest()


@pytest.mark.parametrize(("tool", "number"), [("set_sparse", 19), ("convert_caffemodel", 24), ("create_fake_caffemodel", 4)])
def test_all_cases_are_there(data_dir, tool, number):
    assert len(cases(tool)) == number


@pytest.mark.parametrize("case", cases("set_sparse"))
def test_set_sparse(case, data_dir, tmp_path, capsys):
    source = data_dir / "vendor_golden/tools/set_sparse" / case["id"] / f"{case['net']}.prototxt"
    shutil.copyfile(source, tmp_path / source.name)
    assert main(["set_sparse", str(tmp_path / source.name), case["sparsity"]]) == case["exit"] == 0
    expected = read_net(source.with_name(source.name + ".sparse")).message
    written = (tmp_path / (source.name + ".sparse")).read_text()
    # the same text but for C++'s way of writing floats
    assert written == format_message(expected)
    assert ("as the vendor's tool does" in capsys.readouterr().err) == (case["sparsity"] in ("1.5", "-0.2", "abc"))


@pytest.mark.parametrize("case", cases("convert_caffemodel"))
def test_convert_caffemodel(case, data_dir, tmp_path):
    folder = data_dir / "vendor_golden/tools/convert_caffemodel" / case["net"]
    weights = tmp_path / "net.caffemodel"
    shutil.copyfile(data_dir / WEIGHTS[case["net"]] if case["net"] in WEIGHTS else folder / "net.caffemodel", weights)
    model = tmp_path / "net.prototxt"
    shutil.copyfile(folder / "net.prototxt", model)
    if case["sparsity"] != "none":
        assert main(["set_sparse", str(model), case["sparsity"]]) == 0
        model = tmp_path / "net.prototxt.sparse"
    assert main(["convert_caffemodel", "proto", "-model", str(model), "-weights", str(weights)]) == case["exit"] == 0
    assert {p.name for p in tmp_path.glob("*.cnml.*")} == set(case["files"])
    written = read_caffemodel(tmp_path / "net.cnml.caffemodel")
    arrays = {layer.name: [blob.array() for blob in layer.blobs] for layer in read_weights(str(tmp_path / "net.cnml.caffemodel")).layers}
    layers = json.loads((folder / f"layers_{case['sparsity']}.json").read_text())
    assert [(x.name, x.type, x.HasField("sparsity"), x.sparsity) for x in written.layer] == [
        (x["name"], x["type"], x["has_sparsity"], pytest.approx(x["sparsity"], rel=1e-7)) for x in layers]
    for layer in layers:
        assert [(a.size, list(a.shape), int((a == 0).sum()), digest(a)) for a in arrays[layer["name"]]] == [
            (b["count"], b["shape"], b["zeros"], b["sha256"]) for b in layer["blobs"]]
    for layer in written.layer:
        del layer.blobs[:]
    assert format_message(written) == format_message(read_net(folder / f"header_{case['sparsity']}.prototxt").message)


@pytest.mark.parametrize("case", ["odd_0.5", "tiny_a_0.9"])
def test_convert_caffemodel_to_hdf5_prunes_nothing(case, data_dir, tmp_path):
    net, sparsity = case.rsplit("_", 1)
    folder = data_dir / "vendor_golden/tools/convert_caffemodel" / net
    stored = {row["id"]: row for row in json.loads((folder.parent / "hdf5.json").read_text())}[f"{case}_hdf5"]
    for name in ("net.prototxt", "net.caffemodel"):
        shutil.copyfile(folder / name, tmp_path / name)
    assert main(["set_sparse", str(tmp_path / "net.prototxt"), sparsity]) == 0
    words = ["convert_caffemodel", "hdf5", f"--model={tmp_path / 'net.prototxt.sparse'}", f"--weights={tmp_path / 'net.caffemodel'}"]
    assert main(words) == stored["exit"] == 0
    assert [p.name for p in tmp_path.glob("*.cnml.*")] == stored["files"] and stored["weights_unpruned"]
    with h5py.File(tmp_path / "net.cnml.caffemodel.h5", "r") as file:
        compared = 0
        for layer in read_weights(str(tmp_path / "net.caffemodel")).layers:
            for i, blob in enumerate(layer.blobs):
                np.testing.assert_array_equal(file[f"data/{layer.name}/{i}"][()], blob.array())
                compared += 1
        assert compared > 4


@pytest.mark.parametrize("case", cases("create_fake_caffemodel"))
def test_create_fake_caffemodel(case, data_dir, tmp_path):
    model = data_dir / "vendor_golden/tools/create_fake_caffemodel" / f"{case['id']}.prototxt"
    assert main(["create_fake_caffemodel", str(model), str(tmp_path / "fake.caffemodel")]) == case["exit"] == 0
    written = {layer.name: layer for layer in read_weights(str(tmp_path / "fake.caffemodel")).layers}
    assert [(n, x.type) for n, x in written.items()] == [(x["name"], x["type"]) for x in case["layers"]]
    stored = model.with_suffix(".npz")
    with np.load(stored, allow_pickle=False) if stored.is_file() else open(os.devnull) as arrays:
        for layer in case["layers"]:
            got = [b.array() for b in written[layer["name"]].blobs]
            assert [(list(a.shape), digest(a)) for a in got] == [(b["shape"], b["sha256"]) for b in layer["blobs"]]
            for i, (a, b) in enumerate(zip(got, layer["blobs"], strict=True)):
                np.testing.assert_array_equal(a.ravel()[:4], np.float32(b["first"]))
                if stored.is_file():
                    np.testing.assert_array_equal(a, arrays[f"{layer['name']}__{i}"])
    caffe.Net(str(model), caffe.TEST, weights=str(tmp_path / "fake.caffemodel")).forward()


def test_caffemodel2prototxt(data_dir, tmp_path, capsys):
    folder = data_dir / "vendor_golden/tools/caffemodel2prototxt"
    assert main(["caffemodel2prototxt", str(folder / "net.caffemodel"), str(tmp_path / "out.prototxt"), "--json"]) == 0
    assert (tmp_path / "out.prototxt").read_text() == (folder / "out.prototxt").read_text()
    assert json.loads(capsys.readouterr().out)["blobs"] == 4


NET = """name: "small"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 2 dim: 4 dim: 4 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 3 kernel_size: 3 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "fc" type: "InnerProduct" bottom: "conv" top: "fc" inner_product_param { num_output: 4 } }
"""


@pytest.fixture
def small(tmp_path):
    """A prototxt and its seeded weights."""
    (tmp_path / "small.prototxt").write_text(NET)
    assert main(["create_fake_caffemodel", str(tmp_path / "small.prototxt"), str(tmp_path / "small.caffemodel")]) == 0
    return tmp_path / "small.prototxt", tmp_path / "small.caffemodel"


def test_the_vendors_steps_one_after_the_other(small, tmp_path, capsys):
    model, weights = small
    capsys.readouterr()
    assert main(["set_sparse", str(model), "0.5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"source": str(model), "target": f"{model}.sparse", "sparsity": 0.5, "layers": ["conv", "fc"]}
    sparse = Path(f"{model}.sparse")
    sparse.write_text(sparse.read_text().replace("sparse_mode: true", "#sparse_mode: true", 1))
    assert main(["convert_caffemodel", "proto", "-model", str(sparse), "-weights", str(weights)]) == 0
    assert capsys.readouterr().err == f"Wrote {tmp_path / 'small.cnml.caffemodel'}\n"
    net = caffe.Net(str(sparse), caffe.TEST, weights=str(tmp_path / "small.cnml.caffemodel"))
    original = caffe.Net(str(model), caffe.TEST, weights=str(weights))
    for name, shares in (("conv", (26 / 54, 1 / 3)), ("fc", (0.5, 0.5))):
        for blob, before, share in zip(net.params[name], original.params[name], shares, strict=True):
            zero = blob.data == 0
            assert zero.mean() == pytest.approx(share)
            np.testing.assert_array_equal(blob.data[~zero], before.data[~zero])


def test_a_sparsity_out_of_range_is_refused_when_it_is_used(small, tmp_path, capsys):
    model, weights = small
    assert main(["set_sparse", str(model), "1.5"]) == 0
    capsys.readouterr()
    assert main(["convert_caffemodel", "proto", "-model", f"{model}.sparse", "-weights", str(weights)]) == 3
    assert "layer 'conv' (Convolution): the sparsity is 1.5" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.cnml.*"))


def test_layers_that_share_weights_are_pruned_each_for_itself(tmp_path):
    text = """layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 4 } } }
layer { name: "a" type: "InnerProduct" bottom: "data" top: "a" param { name: "w" } inner_product_param { num_output: 4 bias_term: false } SPARSE }
layer { name: "b" type: "InnerProduct" bottom: "a" top: "b" param { name: "w" } inner_product_param { num_output: 4 bias_term: false } }
"""
    (tmp_path / "net.prototxt").write_text(text.replace("SPARSE", "sparsity: 0.5"))
    assert main(["create_fake_caffemodel", str(tmp_path / "net.prototxt"), str(tmp_path / "w.caffemodel")]) == 0
    assert main(["convert_caffemodel", "proto", "-model", str(tmp_path / "net.prototxt"), "-weights", str(tmp_path / "w.caffemodel")]) == 0
    a, b = (layer.blobs[0].array() for layer in read_weights(str(tmp_path / "w.cnml.caffemodel")).layers[1:])
    assert (a == 0).sum() == 8 and not (b == 0).any()


@pytest.mark.parametrize(("words", "status", "message"), [
    (["set_sparse", "none.prototxt", "0.5"], 3, "none.prototxt"),
    (["create_fake_caffemodel", "none.prototxt", "out"], 3, "none.prototxt"),
    (["caffemodel2prototxt", "none.caffemodel", "out"], 3, "none.caffemodel"),
    (["convert_caffemodel", "proto", "-model", "none.prototxt", "-weights", "w"], 3, "none.prototxt"),
    (["convert_caffemodel", "proto", "-model", "none.prototxt"], 3, "none.prototxt"),
    (["convert_caffemodel", "proto"], 2, "needs -model"),
    (["convert_caffemodel", "onnx", "-model", "m"], 2, "proto and hdf5"),
    (["convert_caffemodel", "-model", "m"], 2, "proto and hdf5"),
])
def test_refusals(words, status, message, capsys):
    assert main(words) == status
    err = capsys.readouterr().err
    assert message in err and "Traceback" not in err


def test_usage(capsys):
    assert main(["convert_caffemodel"]) == 2
    assert main(["convert_caffemodel", "-help"]) == 0
    assert capsys.readouterr().out.count("usage: convert_caffemodel") == 2


@pytest.mark.parametrize(("weights", "expected"), [
    ("a/b.caffemodel", "a/b.cnml.caffemodel"),
    ("b.caffemodel.x.caffemodel", "b.cnml.caffemodel"),
    ("a.caffemodel/b.h5", "a.caffemodel/b.h5.cnml.caffemodel"),
])
def test_name_of_the_converted_file(weights, expected):
    assert str(output_path(weights, "proto")) == str(Path(expected))
    assert str(output_path(weights, "hdf5")) == str(Path(expected + ".h5"))


@pytest.mark.parametrize(("text", "number"), [
    ("0.5", 0.5), (" 1e-1x", 0.1), ("-.2", -0.2), ("3.", 3.0), ("abc", 0.0), ("", 0.0), ("e5", 0.0), ("+0.25%", 0.25),
])
def test_numbers_are_read_as_c_does(text, number):
    assert leading_number(text) == number
