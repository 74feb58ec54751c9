from __future__ import annotations

from itertools import permutations

import pytest

from cnml.api import enums
from cnml.api.enums import DataOrder, DataType, member
from cnml.errors import CnmlError, Status


def test_the_orders_are_all_24():
    assert {o.name for o in DataOrder} == {"".join(p) for p in permutations("NCHW")} and sorted(DataOrder) == list(range(24))


@pytest.mark.parametrize("kind, values", [
    ("CoreVersion", {"CORE_1H8": 1, "CORE_1H16": 2, "MLU100": 3, "MLU220": 6}), ("TensorType", {"TENSOR": 0, "FILTER": 1, "CONST": 2}),
    ("DataType", {"FLOAT16": 1, "FLOAT32": 2, "DOUBLE": 3, "INT8": 4, "INT16": 6, "INT32": 7, "UINT8": 8, "QUANT8": 11, "BOOL": 13, "INT4": 14}),
    ("DataPreprocessStrategy", {"CPU_MLU_BALANCE": 0, "NO_PREPROCESS": 3}), ("SparseMode", {"NO_SPARSE": 0, "SPARSE": 1}),
    ("PoolMode", {"AVG": 0, "MAX": 1, "MAXINDEX": 2}), ("PoolStrategyMode", {"KFULL": 0, "KVALID": 1}),
    ("UnpoolMode", {"UNPOOL": 0, "ROWWISE": 1, "MAXPOOLBP": 2, "AVGPOOLBP": 3, "MIDUNPOOL": 4, "DIV": 5, "REP": 6}),
    ("SoftmaxDim", {"C": 1, "W": 2, "H": 3, "N": 4}), ("ActiveFunction", {"NONE": 0, "SIGMOID": 1, "RELU": 2, "TANH": 3, "RELU1": 4, "RELU6": 5}),
    ("ReduceMaxMode", {"BATCH": 0, "FEAT": 1, "HIGHT": 2, "WIDTH": 3}), ("ConcatMode", {"FEAT": 0, "BATCH": 1, "HIGHT": 2, "WIDTH": 3}),
    ("SplitMode", {"FEAT": 0, "BATCH": 1}), ("ReverseAxis", {"N": 0, "HW": 4}),
    ("CastType", {"FLOAT32_TO_UINT8": 0, "UINT8_TO_FLOAT32": 1, "INT8_TO_FLOAT16": 3, "FLOAT16_TO_INT8": 5, "FLOAT16_TO_INT16": 8}),
    ("YuvType", {"NV12": 0, "NV21": 1}), ("RgbType", {"RGB0": 0, "BGR0": 1, "ARGB": 2}), ("LrnType", {"V1": 0, "V2": 1, "V3": 2}),
    ("DataOrder", {"NCHW": 0, "NHWC": 3, "CHWN": 9, "HWCN": 17, "WNCH": 23})])
def test_values(kind, values):
    """The vendor's numbers."""
    for name, value in values.items():
        assert getattr(enums, kind)[name] == value


def test_fix8_is_int8():
    assert DataType.FIX8 is DataType.INT8


def test_a_number_that_is_none():
    with pytest.raises(CnmlError, match=r"failed to read 5 as DataType: the values are INVALID 0, FLOAT16 1") as e:
        member(DataType, 5)
    assert e.value.status == Status.BADTYPEID
