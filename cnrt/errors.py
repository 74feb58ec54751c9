"""The runtime's status codes and its one exception."""
from __future__ import annotations

import threading
from enum import IntEnum


class RetCode(IntEnum):
    """`cnrtRet_t`: values of the MLU100 generation, with the codes that the MLU270 generation added."""

    SUCCESS = 0
    WARNING_FAKE_DEVICE = 1
    ERR_NOT_READY = 632006
    ERR_INVALID = 632007
    ERR_NOMEM = 632008
    ERR_NODEV = 632009
    ERR_IO = 632010
    ERR_SYS = 632011
    ERR_ACCES = 632012
    ERR_FAULT = 632013
    ERR_BUSY = 632014
    ERR_TIMEOUT = 632015
    ERR_EXIST = 632016
    ERR_NOSYS = 632017
    ERR_AGAIN = 632018
    ERR_NORES = 632019
    ERR_UNSUPPORTED = 632020
    ERR_INVALID_POINTER = 632021
    ERR_NO_EXIST = 632022
    ERR_BROKEN = 632023
    ERR_INIT = 632024
    ERR_QUEUE = 632025
    ERR_OUT_RANGE = 632026
    ERR_MATH_OVERFLOW = 632027
    ERR_FUNC_CALL = 632028
    ERR_UNHANDLED = 632029
    ERR_INVALID_TYPE = 632030
    ERR_INVALID_OP = 632031
    ERR_MLU = 632032
    ERR_ONCHIP_CORE = 632033
    ERR_NOTIFIER = 632034
    ERR_RESHAPE = 632035
    ERR_MEMCPY = 632036
    ERR_ENCRYPT = 632037
    ERR_INVALID_DATADESC = 632038
    ERR_MAP = 632039
    ERR_UNMAP = 632040
    ERR_CACHE = 632041
    ERR_FIND_DEV_ADDR = 632042
    ERR_KERNEL_VERSION_TOO_HIGH = 632043
    ERR_UNKNOWN = 999991
    ERR_MAX = 999992


_TEXTS = {
    RetCode.SUCCESS: "Success",
    RetCode.WARNING_FAKE_DEVICE: "Fake device",
    RetCode.ERR_NOT_READY: "Not ready",
    RetCode.ERR_INVALID: "Invalid argument",
    RetCode.ERR_NOMEM: "Out of memory",
    RetCode.ERR_NODEV: "No such device",
    RetCode.ERR_IO: "I/O error",
    RetCode.ERR_SYS: "System error",
    RetCode.ERR_ACCES: "Permission denied",
    RetCode.ERR_FAULT: "Bad address",
    RetCode.ERR_BUSY: "Device or resource busy",
    RetCode.ERR_TIMEOUT: "Time expired",
    RetCode.ERR_EXIST: "Resource or file already exists",
    RetCode.ERR_NOSYS: "Function not implemenmted",  # spelt so by the vendor; scripts compare it
    RetCode.ERR_AGAIN: "Try again",
    RetCode.ERR_NORES: "Out of resource",
    RetCode.ERR_UNSUPPORTED: "Unsupported operation",
    RetCode.ERR_INVALID_POINTER: "Invalid pointer",
    RetCode.ERR_NO_EXIST: "Resource or file does not exist",
    RetCode.ERR_BROKEN: "Data transmission is broken",
    RetCode.ERR_INIT: "Uninitialized",
    RetCode.ERR_QUEUE: "Queue failure",
    RetCode.ERR_OUT_RANGE: "Number out of range",
    RetCode.ERR_MATH_OVERFLOW: "Math result not representable",
    RetCode.ERR_FUNC_CALL: "Failed to call runtime functions",
    RetCode.ERR_UNHANDLED: "Unhandled error",
    RetCode.ERR_INVALID_TYPE: "Invalid type",
    RetCode.ERR_INVALID_OP: "Invalid operation",
    RetCode.ERR_MLU: "Device error",
    RetCode.ERR_ONCHIP_CORE: "On-chip core error",
    RetCode.ERR_NOTIFIER: "Notifier failure",
    RetCode.ERR_RESHAPE: "Failed to reshape data",
    RetCode.ERR_MEMCPY: "Memory copy failed",
    RetCode.ERR_ENCRYPT: "Encryption failure",
    RetCode.ERR_INVALID_DATADESC: "Invalid data descriptor",
    RetCode.ERR_MAP: "Failed to map memory",
    RetCode.ERR_UNMAP: "Failed to unmap memory",
    RetCode.ERR_CACHE: "Cache operation failed",
    RetCode.ERR_FIND_DEV_ADDR: "Failed to find device address",
    RetCode.ERR_KERNEL_VERSION_TOO_HIGH: "Kernel version too high",
    RetCode.ERR_UNKNOWN: "Unknown error",
    RetCode.ERR_MAX: "Last error code",
}

_last = threading.local()


class CnrtError(RuntimeError):
    """A failed call of the runtime.

    Parameters
    ----------
    code : RetCode
    message : str
        One sentence: what was asked, the actual value, the rule.
    """

    def __init__(self, code: RetCode, message: str):
        super().__init__(code, message)
        self.code = RetCode(code)
        self.message = message
        _last.code = self.code

    def __str__(self) -> str:
        return f"{self.message} ({self.code.name}, code {int(self.code)})"


def error_text(code: int) -> str:
    """The constant text of a code.

    Parameters
    ----------
    code : int

    Returns
    -------
    str
        "Unknown error" for a code that is none.
    """
    try:
        return _TEXTS[RetCode(code)]
    except ValueError:
        return _TEXTS[RetCode.ERR_UNKNOWN]


def last_error() -> RetCode:
    """Code of the last failure in this thread, SUCCESS if there was none."""
    return getattr(_last, "code", RetCode.SUCCESS)
