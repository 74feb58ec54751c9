"""Every stored run of the vendor's quantization tools gives the vendor's prototxt, or a failure that says why there is none."""
from __future__ import annotations

import json

import numpy as np
import pytest
from pycaffe_acc_tests.quantize_tests.vendor_case import TOOLS, cases, expected, prepare

import pycaffe_acc as caffe
from pycaffe_acc.quantize.magnitude import absmax
from pycaffe_acc.quantize.observed_net import ObservedNet
from pycaffe_acc.quantize.settings import read_settings
from pycaffe_acc.quantize.source_net import calibration_net
from pycaffe_acc.text_format import read_net
from pycaffe_acc.tools.main import main

FOLDERS = {"generate_int8": "generate_int8_pt", "generate_int8_db": "generate_int8_pt", "generate_quantized_pt": "generate_quantized_pt"}
#: what the sentence must say where the vendor's tool writes nothing
FAILURES = {
    "tiny_a_noscale": "preprocess.scale is missing",
    "tiny_b_noscale_value": "preprocess.scale is '16'; it must be two numbers",
    "tiny_a_zero_iter": "0 iterations were asked for",
    "tiny_a_blobs_dtype_INT4": "-blobs_dtype is 'INT4', which is not supported",
    "tiny_a_top_dtype_INT8": "-top_dtype is 'INT8', which is not supported",
}
WITH_RANGES = ("lenet_fc1_b1", "squeezenet_fc0_b1", "squeezenet_fc1_b1", "tiny_a_fc0", "tiny_a_fc1", "tiny_b_fc0", "tiny_b_fc1")


@pytest.mark.parametrize(("folder", "case"), [(f, c) for f in FOLDERS for c in cases(f)])
def test_output_of_the_vendor(folder, case, data_dir, tmp_path, monkeypatch, capsys):
    """Same layers, fields and values, or no file and a reason."""
    meta = prepare(data_dir, folder, case, tmp_path)
    monkeypatch.chdir(tmp_path)
    status = main([FOLDERS[folder], *meta["words"]])
    wanted, output, errors = expected(data_dir, folder, case), tmp_path / "output.prototxt", capsys.readouterr().err
    if wanted is None:
        assert status != 0 and not output.exists()
        assert FAILURES[case] in errors
        return
    assert status == 0, errors
    assert read_net(output).message == wanted
    assert "Output file is output.prototxt, iteration: " in errors


def test_all_folders_were_found(data_dir):
    """The parametrization would pass on empty folders."""
    assert {f: len(cases(f)) for f in FOLDERS} == {"generate_int8": 30, "generate_int8_db": 5, "generate_quantized_pt": 17}


@pytest.mark.parametrize("case", WITH_RANGES)
def test_ranges_of_the_vendor(case, data_dir, tmp_path, monkeypatch):
    """The largest magnitudes behind the positions, forward by forward."""
    meta = prepare(data_dir, "generate_int8", case, tmp_path)
    monkeypatch.chdir(tmp_path)
    settings = read_settings(meta["words"][1], {"model": "", "weights": "", "outputmodel": ""}, 1, True)
    net = ObservedNet(calibration_net(settings.model, settings.calibration), settings.weights)
    stored = json.loads((data_dir / TOOLS / "generate_int8" / case / "absmax.json").read_text())
    index = {layer.name: i for i, layer in enumerate(net.layers)}
    for name, value in stored["weights"].items():
        assert absmax(net.weights(index[name])[0], net.layers[index[name]], name) == np.float32(value)
    for forward in stored["bottoms_per_iteration"]:
        net.forward()
        for name, values in forward.items():
            mine = [absmax(b, net.layers[index[name]], name) for b in net.bottoms(index[name])]
            np.testing.assert_allclose(mine, values, rtol=2e-5)


@pytest.mark.parametrize("case", [c for c in cases("generate_quantized_pt") if c not in FAILURES])
def test_quantized_nets_load_and_run_in_float(case, data_dir, tmp_path, monkeypatch):
    """A net with the fields gives what it gives without them."""
    prepare(data_dir, "generate_quantized_pt", case, tmp_path)
    monkeypatch.chdir(tmp_path)
    quantized = expected(data_dir, "generate_quantized_pt", case)
    bare = type(quantized)()
    bare.CopyFrom(quantized)
    for layer in bare.layer:
        for field in ("bottom_mlu_dtype", "blobs_dtype", "top_mlu_dtype"):
            layer.ClearField(field)
    assert bare != quantized
    nets = [caffe.Net(message, caffe.TEST, weights="weights.caffemodel") for message in (quantized, bare)]
    values = np.random.default_rng(0).normal(size=nets[0].blobs[nets[0].inputs[0]].shape).astype(np.float32)
    for net in nets:
        net.blobs[net.inputs[0]].data[...] = values
    first, second = (net.forward() for net in nets)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
