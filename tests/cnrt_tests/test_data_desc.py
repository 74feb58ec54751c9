from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import cnrt
from cnrt.data_desc import DataDesc, TensorSpec
from cnrt.dtypes import cast
from cnrt.enums import DataType, DimOrder
from cnrt.errors import CnrtError, RetCode

AXES = {DimOrder.NCHW: (0, 1, 2, 3), DimOrder.NHWC: (0, 2, 3, 1), DimOrder.HWCN: (2, 3, 1, 0)}


@pytest.mark.parametrize("host_order", AXES)
@pytest.mark.parametrize("device_order", AXES)
@pytest.mark.parametrize("parallel", [1, 4])
def test_both_ways(host_order, device_order, parallel, rng):
    desc = DataDesc(TensorSpec("data", (2, 3, 5, 7), DataType.FLOAT16, device_order))
    desc.set_host_layout(DataType.FLOAT32, host_order)
    nchw = rng.standard_normal((parallel, 2, 3, 5, 7)).astype(np.float16)
    host = np.ascontiguousarray(np.stack([x.transpose(AXES[host_order]) for x in nchw]).astype(np.float32))
    memory = cnrt.get("host").malloc(desc.device_nbytes(parallel))
    desc.to_device(host, memory, parallel)
    stride = desc.batch_stride(parallel)
    assert stride == (420 if parallel == 1 else 448)
    for i in range(parallel):
        np.testing.assert_array_equal(memory.array(np.float16, desc.device.stored_shape, i * stride), nchw[i].transpose(AXES[device_order]))
    back = np.zeros_like(host)
    desc.to_host(memory, back, parallel)
    np.testing.assert_array_equal(back, host)


def test_wrong_sizes_and_types():
    desc = DataDesc(TensorSpec("data", (1, 3, 4, 4)))
    memory = cnrt.get("host").malloc(192)
    with pytest.raises(CnrtError, match="'data'") as e:
        desc.to_device(np.zeros(47, np.float32), memory)
    assert e.value.code == RetCode.ERR_RESHAPE
    with pytest.raises(CnrtError) as e:
        desc.to_device(np.zeros((2, 48), np.float32), memory, 2)
    assert e.value.code == RetCode.ERR_OUT_RANGE
    for data in ("text", np.zeros((48, 2), np.float32)[:, 0], [1.0]):
        with pytest.raises(CnrtError) as e:
            desc.to_device(data, memory)
        assert e.value.code == RetCode.ERR_INVALID_POINTER
    for target in (bytes(192), np.broadcast_to(np.float32(0), (48,))):
        with pytest.raises(CnrtError) as e:
            desc.to_host(memory, target)
        assert e.value.code == RetCode.ERR_INVALID_POINTER
    desc.to_host(memory, bytearray(192))
    for dtype, order in ((0x99, DimOrder.NCHW), (DataType.FLOAT32, 0x999), (DataType.QUANT8, DimOrder.NCHW)):
        with pytest.raises(CnrtError) as e:
            desc.set_host_layout(dtype, order)
        assert e.value.code == RetCode.ERR_INVALID_TYPE


@pytest.mark.parametrize("shape, order", [((1, 2, 3), DimOrder.NCHW), ((1, 0, 3, 3), DimOrder.NCHW), ((1, 1, 1, 1), DimOrder.TNC)])
def test_impossible_tensors(shape, order):
    with pytest.raises(CnrtError) as e:
        TensorSpec("x", shape, DataType.FLOAT32, order)
    assert e.value.code == RetCode.ERR_INVALID_DATADESC


@given(hnp.arrays(np.float32, 20, elements=st.floats(width=32)))
def test_casting_floats(values):
    with np.errstate(over="ignore", invalid="ignore"):
        half = cast(values, DataType.FLOAT16)
    finite = np.isfinite(values)
    assert np.isfinite(half[finite]).all() and (np.isnan(half) == np.isnan(values)).all()
    inside = np.abs(values) <= 65504
    np.testing.assert_array_equal(half[inside], values[inside].astype(np.float16))
    for dtype, kind in ((DataType.INT8, np.int8), (DataType.UINT8, np.uint8), (DataType.INT32, np.int32), (DataType.INT64, np.int64)):
        got = cast(values, dtype)
        limits = np.iinfo(kind)
        for v, g in zip(values.tolist(), got.tolist(), strict=True):
            if np.isnan(v):
                assert g == 0
            elif v >= limits.max:
                assert g >= limits.max - 1024 * (kind is np.int64)
            elif v <= limits.min:
                assert g == limits.min
            else:
                assert abs(g - v) <= 0.5 and (abs(g - v) < 0.5 or abs(g) >= abs(v))


def test_casting_others():
    assert cast(np.array([-1, 300, 7]), DataType.UINT8).tolist() == [0, 255, 7]
    assert cast(np.array([2**63 + 5], np.uint64), DataType.INT32).tolist() == [2**31 - 1]
    assert cast(np.array([0.0, -0.1]), DataType.BOOL).tolist() == [False, True]
    assert cast(np.array([0, 9], np.uint8), DataType.FLOAT32).dtype == np.float32
    x = np.zeros(3, np.float32)
    assert cast(x, DataType.FLOAT32) is x
    assert cast(np.array([np.inf, -1e9]), DataType.FLOAT16).tolist() == [np.inf, -65504.0]
    assert cast(np.array([70000], np.int32), DataType.FLOAT16).tolist() == [65504.0]
