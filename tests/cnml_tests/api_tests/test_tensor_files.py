from __future__ import annotations

import logging

import numpy as np
from cnml_tests.api_tests.refusal import refused
from cnml_tests.api_tests.small_nets import constant, host, tensor

from cnml import api
from cnml.api.enums import DataOrder, DataType
from cnml.errors import Status


def test_what_was_written_is_read(library, tmp_path, rng):
    x, path = rng.standard_normal((1, 2, 3, 4)).astype(np.float32), tmp_path / "x.txt"
    api.cnmlDumpTensor2File(path, host(x.shape), 0, x, False)
    assert len(path.read_text().splitlines()) == 24
    back = np.zeros_like(x)
    api.cnmlLoadTensorFromFile(path, host(x.shape), back)
    np.testing.assert_array_equal(back, x)
    api.cnmlDumpTensor2File(path, host(x.shape), 0, x, True)
    assert len(path.read_text().splitlines()) == 48
    api.cnmlDumpTensor2File(path, host(x.shape), 0, x, False)
    assert len(path.read_text().splitlines()) == 24


def test_quantized_numbers_are_written_as_real_ones(library, tmp_path):
    t = api.cnmlCreateCpuTensor(0, DataType.INT8, DataOrder.NCHW, 1, 1, 1, 2)
    api.cnmlSetCpuTensorPosition(t, -1)
    api.cnmlDumpTensor2File(tmp_path / "q", t, 0, np.array([3, -4], np.int8), False)
    assert (tmp_path / "q").read_text() == "1.5\n-2\n"
    back = np.zeros(2, np.int8)
    api.cnmlLoadTensorFromFile(tmp_path / "q", t, back)
    np.testing.assert_array_equal(back, [3, -4])


def test_constants_of_the_device(library, tmp_path, rng):
    w = constant(np.arange(6.0).reshape(1, 2, 1, 3))
    api.cnmlDumpTensorFromDevice(w, tmp_path / "w", 0)
    assert (tmp_path / "w").read_text().split() == ["0", "3", "1", "4", "2", "5"]
    refused(Status.INVALIDARG, "it has no data", api.cnmlDumpTensorFromDevice, tensor((1, 1, 1, 1)), tmp_path / "t")


def test_descriptions_are_logged(library, caplog):
    with caplog.at_level(logging.INFO, logger="cnml.api.tensor_files"):
        api.cnmlPrintTensor(tensor((1, 2, 3, 4)), 0)
        api.cnmlPrintCpuTensor(host((1, 2, 3, 4)), 0)
    assert "DeviceTensor(TENSOR, FLOAT32, (1, 2, 3, 4)), position None" in caplog.text and "CpuTensor(TENSOR, FLOAT32, NCHW" in caplog.text


def test_refusals(library, tmp_path):
    x = np.zeros(6, np.float32)
    refused(Status.LENGTHERR, "must have 24", api.cnmlDumpTensor2File, tmp_path / "x", host((1, 1, 1, 6)), 0, x[:5], False)
    refused(Status.INVALIDARG, "failed to write", api.cnmlDumpTensor2File, tmp_path / "no" / "x", host((1, 1, 1, 6)), 0, x, False)
    refused(Status.INVALIDARG, "failed to read", api.cnmlLoadTensorFromFile, tmp_path / "none", host((1, 1, 1, 6)), x)
    (tmp_path / "words").write_text("1 2 three")
    refused(Status.INVALIDARG, "three", api.cnmlLoadTensorFromFile, tmp_path / "words", host((1, 1, 1, 6)), x)
    (tmp_path / "few").write_text("1\n2\n")
    refused(Status.LENGTHERR, "has 2 numbers", api.cnmlLoadTensorFromFile, tmp_path / "few", host((1, 1, 1, 6)), x)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["few", "words"]
