from __future__ import annotations

import inspect

import numpy as np
from cnml_tests.api_tests.refusal import refused
from cnml_tests.api_tests.small_nets import conv_param, host

from cnml import api
from cnml.api.enums import DataOrder, DataType
from cnml.errors import Status


def test_the_order_of_arguments_is_the_vendors():
    def names(function):
        return [p for p in inspect.signature(function).parameters if not p.endswith("_ptr")]
    assert names(api.cnmlCpuComputeConvOpForward) == ["param", "input", "filter", "output", "bias"]
    assert names(api.cnmlCpuComputeConvFirstOpForward) == ["param", "input", "mean", "filter", "output", "bias", "stdt"]
    assert names(api.cnmlCpuComputeMlpOpForward) == ["input", "output", "filter", "bias"]
    assert list(inspect.signature(api.cnmlCpuComputeAddOpForward).parameters) == ["input_1", "input_1_ptr", "input_2", "input_2_ptr", "output",
                                                                                  "output_ptr"]


def test_host_tensors_of_any_order_and_type(library, rng):
    x = rng.integers(-3, 4, (1, 2, 3, 4)).astype(np.float32)
    a = api.cnmlCreateCpuTensor(0, DataType.INT32, DataOrder.NHWC, 1, 2, 3, 4)
    y = api.cnmlCreateCpuTensor(0, DataType.FLOAT16, DataOrder.NCHW, 1, 2, 3, 4)
    out = np.zeros((1, 2, 3, 4), np.float16)
    api.cnmlCpuComputeAbsOpForward(a, np.ascontiguousarray(x.transpose(0, 2, 3, 1)).astype(np.int32), y, out)
    np.testing.assert_array_equal(out, np.abs(x))


def test_refusals(library):
    x, w, y = (np.zeros(s, np.float32) for s in ((1, 2, 3, 3), (4, 2, 1, 1), (1, 4, 3, 3)))
    refused(Status.LENGTHERR, "must have 72", api.cnmlCpuComputeAbsOpForward, host(x.shape), y, host(x.shape), x)
    refused(Status.LENGTHERR, "result has the shape", api.cnmlCpuComputeAbsOpForward, host(x.shape), x, host(y.shape), y)
    given = [conv_param(), host(x.shape), x]
    refused(Status.INVALIDARG, "'filter' is missing", api.cnmlCpuComputeConvOpForward, *given, None, None, host(y.shape), y, None, None)
    refused(Status.UNSUPPORT, "TransposeProOp", api.cnmlCpuComputeTransposeOpForward, host(x.shape), x, host(x.shape), x)
    read_only = y.copy()
    read_only.flags.writeable = False
    refused(Status.INVALIDARG, "writable", api.cnmlCpuComputeConvOpForward, *given, host(w.shape), w, host(y.shape), read_only, None, None)
