"""Mode, device and thread count: process state with a value per thread."""
from __future__ import annotations

import logging
import operator
import os
import threading

from cnrt.cpu import effective_cpus
from cnrt.errors import CnrtError
from pycaffe_acc.errors import CheckError

_log = logging.getLogger("caffe")
_told_gpu = False
_state = threading.local()
_newest: dict[str, object] = {"mode": "CPU", "device": 0}
TRAIN, TEST = 0, 1


def _get(key: str) -> object:
    # a thread that never set a value inherits the newest one of the process (BVLC's Caffe starts every thread at CPU instead)
    return getattr(_state, key, _newest[key])


def _set(key: str, value: object) -> None:
    setattr(_state, key, value)
    _newest[key] = value


def set_mode_cpu() -> None:
    """FP32 on the host: the default."""
    _set("mode", "CPU")


def set_mode_gpu() -> None:
    """Accepted for old scripts: there is no GPU backend, so the host engine runs; said once in the log."""
    global _told_gpu
    if not _told_gpu:
        _log.info("set_mode_gpu: this package has no GPU backend; the host engine is used")
        _told_gpu = True
    _set("mode", "CPU")


def set_mode_mlu() -> None:
    """The vendor's mode, layer by layer on the card with FP16 activations: not in this version.

    Raises
    ------
    CheckError
        Always: running FP32 on the host under this name would report what the card does not compute.
    """
    raise CheckError("set_mode_mlu: the card's FP16 and INT8 arithmetic is not in this version; set_mode_cpu() runs the net in FP32 on the host")


def set_mode_mfus() -> None:
    """The vendor's mode, fused on the card with FP16 activations: not in this version.

    Raises
    ------
    CheckError
        Always.
    """
    raise CheckError("set_mode_mfus: the card's FP16 and INT8 arithmetic is not in this version; set_mode_cpu() runs the net in FP32 on the host")


def mode() -> str:
    """'CPU', the mode of this thread."""
    return str(_get("mode"))


def set_device(device: int) -> None:
    """Remember a device ordinal; host nets do not depend on it."""
    if int(device) < 0:
        raise CheckError(f"set_device({device}): a device ordinal is at least 0")
    _set("device", int(device))


def device() -> int:
    """The ordinal of this thread's device."""
    return int(_get("device"))  # type: ignore[call-overload]


def default_threads() -> int:
    """Core slots that a net uses: `PYCAFFE_ACC_NUM_THREADS`, else what affinity and the cgroup quota allow.

    Raises
    ------
    CheckError
        When the variable, or `PYCAFFE_ACC_CORES`, is not a positive whole number.
    """
    value = os.environ.get("PYCAFFE_ACC_NUM_THREADS")
    if value is None:
        try:
            return effective_cpus()
        except CnrtError as e:
            raise CheckError(e.args[1]) from None
    if not value.isdecimal() or int(value) < 1:
        raise CheckError(f"PYCAFFE_ACC_NUM_THREADS is '{value}'; it must be a whole number of at least 1")
    return int(value)


def checked_threads(threads: object) -> int | None:
    """A net's `threads` argument; None stays None. More than there are cores is allowed: a net uses those that are there.

    Raises
    ------
    CheckError
        When it is not a whole number of at least 1.
    """
    if threads is None:
        return None
    try:
        number = operator.index(threads)  # type: ignore[arg-type]
    except TypeError:
        number = 0
    if number < 1 or isinstance(threads, bool):
        raise CheckError(f"Net: threads is {threads!r}; it must be a whole number of at least 1, or None for PYCAFFE_ACC_NUM_THREADS or the CPUs "
                         "this process may use")
    return number
