from __future__ import annotations

import pytest

from cnrt.device import PARALLELISM
from cnrt.dtypes import numpy_of, size_of
from cnrt.enums import FUNCTION_CORES, DataType, DimOrder, FunctionType, FunctionType270, MemTransDir, MemTransDir270
from cnrt.errors import CnrtError, RetCode


def test_values_are_the_vendors():
    assert (FunctionType.UNION2, FunctionType270.UNION2) == (5, 8)
    assert (MemTransDir.NODIR, MemTransDir270.NODIR) == (4, 5)
    assert (DataType.FLOAT16, DataType.UINT8, DataType.BOOL) == (0x12, 0x31, 0x61)
    assert (DimOrder.NHWC, DimOrder.DHWCN) == (0x0231, 0x52310)
    assert all(c in PARALLELISM for c in FUNCTION_CORES.values())


def test_the_low_nibble_is_the_size():
    assert [size_of(d) for d in (DataType.INT4, DataType.INT8, DataType.FLOAT16, DataType.UINT32, DataType.FLOAT64)] == [0.5, 1, 2, 4, 8]
    for d in (DataType.FLOAT16, DataType.FLOAT32, DataType.FLOAT64, DataType.INT64, DataType.UINT16, DataType.BOOL):
        assert numpy_of(d).itemsize == size_of(d)
    for bad in (lambda: size_of(DataType.INVALID), lambda: numpy_of(DataType.QUANT8), lambda: numpy_of(7)):
        with pytest.raises(CnrtError) as e:
            bad()
        assert e.value.code == RetCode.ERR_INVALID_TYPE
