"""The vendor's enumerations: values of the MLU100 generation, and what the MLU270 generation added or renumbered."""
from __future__ import annotations

from enum import IntEnum


class MemType(IntEnum):
    """`cnrtMemType`: where memory lies."""

    DEFAULT = 0
    LOCKED = 1
    DEV = 2


class FunctionType(IntEnum):
    """`cnrtFunctionType` of the MLU100: how many cores a function takes (UNIONk: 4k)."""

    BLOCK = 1
    UNION1 = 4
    UNION2 = 5
    UNION4 = 6
    UNION8 = 7
    MUTABLE = 8


class FunctionType270(IntEnum):
    """`cnrtFunctionType` as the MLU270 generation numbers it."""

    MUTABLE = -1
    BLOCK = 1
    BLOCK1 = 2
    UNION1 = 4
    UNION2 = 8
    UNION4 = 16
    UNION8 = 32


#: cores of each function type; MUTABLE takes what the invocation asks for
FUNCTION_CORES = {FunctionType.BLOCK: 1, FunctionType.UNION1: 4, FunctionType.UNION2: 8, FunctionType.UNION4: 16, FunctionType.UNION8: 32}


class ChannelType(IntEnum):
    """`cnrtChannelType`; DUPLICATE exists since the MLU270 and means constants on all channels."""

    DUPLICATE = -2
    NONE = -1
    CHANNEL_0 = 0
    CHANNEL_1 = 1
    CHANNEL_2 = 2
    CHANNEL_3 = 3


class MemTransDir(IntEnum):
    """`cnrtMemTransDir` of the MLU100."""

    HOST2DEV = 0
    DEV2DEV = 1
    DEV2HOST = 2
    HOST2HOST = 3
    NODIR = 4


class MemTransDir270(IntEnum):
    """`cnrtMemTransDir` as the MLU270 generation numbers it."""

    HOST2DEV = 0
    DEV2DEV = 1
    DEV2HOST = 2
    HOST2HOST = 3
    PEER2PEER = 4
    NODIR = 5


class DataType(IntEnum):
    """`cnrtDataType`. The low nibble gives the size: 2^(nibble - 1) bytes. INT4, INT64, AUTO and UINT16 exist since the MLU270."""

    INVALID = 0x0
    FLOAT16 = 0x12
    FLOAT32 = 0x13
    FLOAT64 = 0x14
    INT4 = 0x20
    INT8 = 0x21
    INT16 = 0x22
    INT32 = 0x23
    INT64 = 0x24
    AUTO = 0x25
    UINT8 = 0x31
    UINT16 = 0x32
    UINT32 = 0x33
    FIX8 = 0x41
    QUANT8 = 0x51
    BOOL = 0x61


class DimOrder(IntEnum):
    """`cnrtDimOrder`. Each hexadecimal digit names an axis of NCHW (or NCDHW, TNC)."""

    NCHW = 0x0123
    NHWC = 0x0231
    HWCN = 0x2310
    TNC = 0x401
    NTC = 0x041
    NCDHW = 0x01523
    NDHWC = 0x05231
    DHWCN = 0x52310


class CoreVersion(IntEnum):
    """`cnrtCoreVersion`; from MLU100 on since the MLU270 generation."""

    CORE_1H8 = 0
    CORE_1H16 = 1
    MLU100 = 3
    CORE_1H8MINI = 4
    MLU270 = 5
    MLU220 = 6


class RuntimeContextInfo(IntEnum):
    """`cnrtRuntimeContextInfo` (MLU270 generation)."""

    FUNCTION = 1
    DEV_ORDINAL = 2
    CORE_NUMBER = 3
    MODEL_PARALLEL = 4
    CHANNEL = 5
    MAX_BATCH_NUM = 6
