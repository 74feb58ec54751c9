"""What a net, a forward or a program refuses, and that it is as it was afterwards."""
from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import pycaffe_acc as caffe

COMMAND = [sys.executable, "-m", "pycaffe_acc.tools.main"]
TEXT = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 8 dim: 8 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "conv" top: "prob" }
"""


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "net.prototxt"
    file.write_text(TEXT)
    return str(file)


@pytest.mark.parametrize("threads", [0, -1, 2.5, "two", "2", True])
def test_threads_that_are_no_count(path, threads):
    with pytest.raises(caffe.CheckError, match=f"threads is {threads!r}; it must be a whole number of at least 1"):
        caffe.Net(path, caffe.TEST, threads=threads)


def test_more_threads_than_cores_use_the_cores(path):
    one, many = caffe.Net(path, caffe.TEST, threads=1), caffe.Net(path, caffe.TEST, threads=np.int64(1000))
    many.share_with(one)
    x = np.random.default_rng(0).standard_normal((2, 3, 8, 8))
    np.testing.assert_allclose(many.forward(data=x)["prob"], one.forward(data=x)["prob"], rtol=1e-6)


def test_a_forward_over_the_budget_leaves_the_net_usable(path, monkeypatch):
    net = caffe.Net(path, caffe.TEST)
    before = net.forward()["prob"].copy()
    monkeypatch.setenv("PYCAFFE_ACC_MAX_BYTES", "100000")
    net.blobs["data"].reshape(200, 3, 8, 8)
    with pytest.raises(caffe.CheckError, match=r"blobs need \d+ bytes, the largest is 'data' with shape \(200, 3, 8, 8\); the budget is 100000"):
        net.forward()
    assert net.blobs["prob"].shape == (2, 4, 6, 6)
    net.blobs["data"].reshape(2, 3, 8, 8)
    np.testing.assert_array_equal(net.forward()["prob"], before)


@pytest.mark.parametrize("value", ["x", "0", "-3", "1.5", "\u00b2", ""])
def test_a_budget_that_is_no_number(path, monkeypatch, value):
    monkeypatch.setenv("PYCAFFE_ACC_MAX_BYTES", value)
    with pytest.raises(caffe.CheckError, match=f"PYCAFFE_ACC_MAX_BYTES is '{value}'; it must be a whole number of bytes"):
        caffe.Net(path, caffe.TEST)


def test_an_empty_batch_is_refused_and_the_net_stays_usable(path):
    net = caffe.Net(path, caffe.TEST)
    before = net.forward()["prob"].copy()
    net.blobs["data"].reshape(0, 3, 8, 8)
    with pytest.raises(caffe.CheckError, match=r"input blob 'data' has the shape \(0, 3, 8, 8\), which holds nothing to run on"):
        net.forward()
    net.blobs["data"].reshape(2, 3, 8, 8)
    np.testing.assert_array_equal(net.forward()["prob"], before)


def test_a_program_is_not_run_on_a_shape_it_was_not_compiled_for(path):
    """A new shape gets a program of its own; the old one is found again."""
    net = caffe.Net(path, caffe.TEST)
    x = np.random.default_rng(0).standard_normal((3, 3, 8, 8)).astype(np.float32)
    net.blobs["data"].reshape(*x.shape)
    three = net.forward(data=x)["prob"].copy()
    for i in range(3):
        net.blobs["data"].reshape(1, 3, 8, 8)
        np.testing.assert_allclose(net.forward(data=x[i:i + 1])["prob"][0], three[i], rtol=1e-4, atol=1e-5)
    with pytest.raises(caffe.CheckError, match="data"):
        net.forward(data=x)


@pytest.mark.parametrize(("verb", "option", "value"), [("time", "--batch", "0"), ("time", "--threads", "0"), ("time", "--threads", "many"),
                                                       ("warmup", "--threads", "-1"), ("warmup", "--batch", "0")])
def test_commands_refuse_counts_below_one(path, verb, option, value):
    done = subprocess.run([*COMMAND, verb, "--model", path, f"{option}={value}"], capture_output=True, text=True)
    assert done.returncode == 2 and f"'{value}' is not a whole number of at least 1" in done.stderr


@pytest.mark.parametrize(("name", "value", "sentence"), [
    ("PYCAFFE_ACC_ISA", "avx512", "PYCAFFE_ACC_ISA is 'avx512' but this CPU lacks"),
    ("PYCAFFE_ACC_ISA", "mmx", "PYCAFFE_ACC_ISA is 'mmx'; it must be one of"),
    ("PYCAFFE_ACC_CORES", "none", "PYCAFFE_ACC_CORES is 'none'; it must be a positive integer"),
    ("PYCAFFE_ACC_PIN", "all", "PYCAFFE_ACC_PIN is 'all'; it must be 0, 1 or a list of processors"),
    ("PYCAFFE_ACC_COMPILERS", "0", "PYCAFFE_ACC_COMPILERS is '0'; it must be a whole number of at least 1"),
])
def test_overrides_that_cannot_be_had(path, name, value, sentence, tmp_path):
    """Through the command, on what counts as an AVX2 processor: one sentence and no traceback."""
    environment = {**os.environ, "NUMBA_CPU_NAME": "haswell", "PYCAFFE_ACC_CACHE": str(tmp_path / "kept"), name: value}
    environment.pop("PYCAFFE_ACC_CORES" if name != "PYCAFFE_ACC_CORES" else "", None)
    done = subprocess.run([*COMMAND, "warmup", "--model", path], capture_output=True, text=True, env=environment)
    assert done.returncode != 0 and sentence in done.stderr and "Traceback" not in done.stderr, done.stderr
