"""The vendor's functions of the MLU100 generation, and the MLU270's casts on the host, under their names.

Out-parameters are returned, failures raise `CnrtError` with the vendor's code. A handle is the object itself: `Device`, `Queue`, `Notifier`, `Model`,
`LaunchFunction`, `DataDesc`; a device pointer is a `Memory`, a host pointer an array. Each function is a thin forward to those objects.
"""
from __future__ import annotations

from cnrt.api.casting import (
    cnrtAddDataStride,
    cnrtCastDataType,
    cnrtConvertDoubleToHalf,
    cnrtConvertFloatToHalf,
    cnrtConvertHalfToDouble,
    cnrtConvertHalfToFloat,
    cnrtCreateQuantizedParam,
    cnrtCreateQuantizedParamByChannel,
    cnrtDataTypeSize,
    cnrtDestroyQuantizedParam,
    cnrtReshapeNCHWToNHWC,
    cnrtReshapeNHWCToNCHW,
    cnrtTransDataOrder,
    cnrtTransOrderAndCast,
)
from cnrt.api.data import (
    cnrtGetDataShape,
    cnrtGetHostDataCount,
    cnrtGetInputDataDesc,
    cnrtGetOutputDataDesc,
    cnrtMemcpyBatchByDesc,
    cnrtMemcpyBatchByDescArray,
    cnrtMemcpyByDesc,
    cnrtMemcpyByDescArray,
    cnrtSetHostDataLayout,
)
from cnrt.api.functions import (
    cnrtCopyFunction,
    cnrtCreateFunction,
    cnrtDestroyFunction,
    cnrtExtractFunction,
    cnrtGetFunctionMemUsed,
    cnrtGetFunctionNumber,
    cnrtGetModelMemUsed,
    cnrtGetModelSize,
    cnrtInitFunctionMemory_V2,
    cnrtInvokeFunction_V2,
    cnrtLoadModel,
    cnrtLoadModelFromMem,
    cnrtQueryCoreVersion,
    cnrtQueryModelParallelism,
    cnrtQueryModelStackSize,
    cnrtUnloadModel,
)
from cnrt.api.memory import (
    cnrtFree,
    cnrtFreeArray,
    cnrtFreeHost,
    cnrtMalloc,
    cnrtMallocBatch,
    cnrtMallocBatchByDesc,
    cnrtMallocBatchByDescArray,
    cnrtMallocByDesc,
    cnrtMallocByDescArray,
    cnrtMallocHost,
    cnrtMemcpy,
    cnrtMemcpyBatch,
    cnrtMemset,
)
from cnrt.api.queues import (
    cnrtCreateNotifier,
    cnrtCreateQueue,
    cnrtDestroyNotifier,
    cnrtDestroyQueue,
    cnrtNotifierDuration,
    cnrtPlaceNotifier,
    cnrtSyncQueue,
)
from cnrt.api.session import (
    cnrtDestroy,
    cnrtGetCurrentChannel,
    cnrtGetCurrentDevice,
    cnrtGetDeviceCount,
    cnrtGetDeviceHandle,
    cnrtGetErrorStr,
    cnrtGetLastErr,
    cnrtGetStackMem,
    cnrtGetVersion,
    cnrtInit,
    cnrtSetCurrentChannel,
    cnrtSetCurrentDevice,
    cnrtSetStackMem,
    cnrtSyncDevice,
)
from cnrt.launch import Dim3, InitFuncParam, InvokeFuncParam

__all__ = [
    "Dim3", "InitFuncParam", "InvokeFuncParam", "cnrtAddDataStride", "cnrtCastDataType", "cnrtConvertDoubleToHalf", "cnrtConvertFloatToHalf",
    "cnrtConvertHalfToDouble", "cnrtConvertHalfToFloat", "cnrtCopyFunction", "cnrtCreateFunction", "cnrtCreateNotifier",
    "cnrtCreateQuantizedParam", "cnrtCreateQuantizedParamByChannel", "cnrtCreateQueue", "cnrtDataTypeSize", "cnrtDestroy", "cnrtDestroyFunction",
    "cnrtDestroyNotifier", "cnrtDestroyQuantizedParam", "cnrtDestroyQueue", "cnrtExtractFunction", "cnrtFree", "cnrtFreeArray", "cnrtFreeHost",
    "cnrtGetCurrentChannel", "cnrtGetCurrentDevice", "cnrtGetDataShape", "cnrtGetDeviceCount", "cnrtGetDeviceHandle", "cnrtGetErrorStr",
    "cnrtGetFunctionMemUsed", "cnrtGetFunctionNumber", "cnrtGetHostDataCount", "cnrtGetInputDataDesc", "cnrtGetLastErr", "cnrtGetModelMemUsed",
    "cnrtGetModelSize", "cnrtGetOutputDataDesc", "cnrtGetStackMem", "cnrtGetVersion", "cnrtInit", "cnrtInitFunctionMemory_V2",
    "cnrtInvokeFunction_V2", "cnrtLoadModel", "cnrtLoadModelFromMem", "cnrtMalloc", "cnrtMallocBatch", "cnrtMallocBatchByDesc",
    "cnrtMallocBatchByDescArray", "cnrtMallocByDesc", "cnrtMallocByDescArray", "cnrtMallocHost", "cnrtMemcpy", "cnrtMemcpyBatch",
    "cnrtMemcpyBatchByDesc", "cnrtMemcpyBatchByDescArray", "cnrtMemcpyByDesc", "cnrtMemcpyByDescArray", "cnrtMemset", "cnrtNotifierDuration",
    "cnrtPlaceNotifier", "cnrtQueryCoreVersion", "cnrtQueryModelParallelism", "cnrtQueryModelStackSize", "cnrtReshapeNCHWToNHWC",
    "cnrtReshapeNHWCToNCHW", "cnrtSetCurrentChannel", "cnrtSetCurrentDevice", "cnrtSetHostDataLayout", "cnrtSetStackMem", "cnrtSyncDevice",
    "cnrtSyncQueue", "cnrtTransDataOrder", "cnrtTransOrderAndCast", "cnrtUnloadModel",
]
