"""The vendor's enumerations: values of the MLU100 generation, and what the MLU270 generation added."""
from __future__ import annotations

from enum import IntEnum

from cnml.errors import CnmlError, Status


class CoreVersion(IntEnum):
    """`cnmlCoreVersion_t`; from CORE_1H8MINI on since the MLU270 generation."""

    CORE_1H8 = 1
    CORE_1H16 = 2
    MLU100 = 3
    CORE_1H8MINI = 4
    MLU270 = 5
    MLU220 = 6


#: the older name of the MLU100
C10 = CoreVersion.MLU100


class DataOrder(IntEnum):
    """`cnmlDataOrder_t`: all orders of the four axes, outermost first."""

    NCHW = 0
    NCWH = 1
    NHCW = 2
    NHWC = 3
    NWHC = 4
    NWCH = 5
    CNHW = 6
    CNWH = 7
    CHNW = 8
    CHWN = 9
    CWHN = 10
    CWNH = 11
    HCNW = 12
    HCWN = 13
    HNCW = 14
    HNWC = 15
    HWNC = 16
    HWCN = 17
    WCHN = 18
    WCNH = 19
    WHCN = 20
    WHNC = 21
    WNHC = 22
    WNCH = 23


class DataType(IntEnum):
    """`cnmlDataType_t`. INT4 exists since the MLU270."""

    INVALID = 0
    FLOAT16 = 1
    FLOAT32 = 2
    DOUBLE = 3
    INT8 = 4
    FIX8 = 4
    INT16 = 6
    INT32 = 7
    UINT8 = 8
    UINT16 = 9
    UINT32 = 10
    QUANT8 = 11
    BINARY = 12
    BOOL = 13
    INT4 = 14


class TensorType(IntEnum):
    """`cnmlTensorType_t`. VARIABLE exists since the MLU270."""

    TENSOR = 0
    FILTER = 1
    CONST = 2
    VARIABLE = 3


class DataPreprocessStrategy(IntEnum):
    """`cnmlDataPreprocessStrategy_t`: who reorders and casts what enters and leaves."""

    CPU_MLU_BALANCE = 0
    CPU_PRIORITY = 1
    MLU_PRIORITY = 2
    NO_PREPROCESS = 3


class SparseMode(IntEnum):
    """`cnmlSparseMode_t` (MLU100 only)."""

    NO_SPARSE = 0
    SPARSE = 1


class PoolMode(IntEnum):
    """`cnmlPoolMode_t`."""

    AVG = 0
    MAX = 1
    MAXINDEX = 2


class PoolStrategyMode(IntEnum):
    """`cnmlPoolStrategyMode_t`: whether a window may run past the edge (the number of windows is rounded up) or must fit (down)."""

    KFULL = 0
    KVALID = 1


class UnpoolMode(IntEnum):
    """`cnmlUnpoolMode_t`."""

    UNPOOL = 0
    ROWWISE = 1
    MAXPOOLBP = 2
    AVGPOOLBP = 3
    MIDUNPOOL = 4
    DIV = 5
    REP = 6


class SoftmaxDim(IntEnum):
    """`cnmlSoftmaxDim_t`."""

    C = 1
    W = 2
    H = 3
    N = 4


class ActiveFunction(IntEnum):
    """`cnmlActiveFunction_t`."""

    NONE = 0
    SIGMOID = 1
    RELU = 2
    TANH = 3
    RELU1 = 4
    RELU6 = 5


class Dimension(IntEnum):
    """`cnmlDimension_t`."""

    N = 0
    C = 1
    H = 2
    W = 3


class ReduceMaxMode(IntEnum):
    """`cnmlReduceMaxMode_t`. BATCH and FEAT are the other way round in `ConcatMode` and `SplitMode`."""

    BATCH = 0
    FEAT = 1
    HIGHT = 2
    WIDTH = 3


class ConcatMode(IntEnum):
    """`cnmlConcatMode_t`."""

    FEAT = 0
    BATCH = 1
    HIGHT = 2
    WIDTH = 3


class SplitMode(IntEnum):
    """`cnmlSplitMode_t`."""

    FEAT = 0
    BATCH = 1
    HIGHT = 2
    WIDTH = 3


class ArgmaxAxis(IntEnum):
    """`cnmlArgmaxAxis_t`."""

    N = 0
    C = 1
    H = 2
    W = 3


class ReverseAxis(IntEnum):
    """`cnmlReverseAxis_t`."""

    N = 0
    C = 1
    H = 2
    W = 3
    HW = 4


class CastType(IntEnum):
    """`cnmlCastType_t`. The vendor has no 2."""

    FLOAT32_TO_UINT8 = 0
    UINT8_TO_FLOAT32 = 1
    INT8_TO_FLOAT16 = 3
    FLOAT16_TO_FLOAT32 = 4
    FLOAT16_TO_INT8 = 5
    FLOAT32_TO_FLOAT16 = 6
    INT16_TO_FLOAT16 = 7
    FLOAT16_TO_INT16 = 8


class YuvType(IntEnum):
    """`cnmlYuvType_t`: order of the chroma bytes."""

    NV12 = 0
    NV21 = 1


class RgbType(IntEnum):
    """`cnmlRgbType_t`."""

    RGB0 = 0
    BGR0 = 1
    ARGB = 2


class LrnType(IntEnum):
    """`cnmlLrnType_t`.

    V1 divides the sum of squares by min(local_size, 2 channels - 1), V2 by nothing, V3 by local_size.
    """

    V1 = 0
    V2 = 1
    V3 = 2


#: by the name that constructors use in their signatures
KINDS: dict[str, type[IntEnum]] = {
    e.__name__: e for e in (ActiveFunction, ArgmaxAxis, CastType, ConcatMode, DataOrder, DataType, Dimension, LrnType, PoolMode, PoolStrategyMode,
                            ReduceMaxMode, ReverseAxis, RgbType, SoftmaxDim, SparseMode, SplitMode, TensorType, UnpoolMode, YuvType)}


def member(kind: type[IntEnum], value: int) -> IntEnum:
    """The member of a value.

    Parameters
    ----------
    kind : subclass of IntEnum
    value : int

    Raises
    ------
    CnmlError
        BADTYPEID, listing the values.
    """
    try:
        return kind(value)
    except ValueError as e:
        raise CnmlError(f"failed to read {value!r} as {kind.__name__}: the values are {', '.join(f'{m.name} {m.value}' for m in kind)}",
                        Status.BADTYPEID) from e
