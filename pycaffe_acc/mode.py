"""Mode, device and thread count: process state with a value per thread."""
from __future__ import annotations

import logging
import operator
import os

from cnrt.cpu import effective_cpus
from cnrt.errors import CnrtError
from pycaffe_acc import card
from pycaffe_acc.errors import CheckError
from pycaffe_acc.thread_state import ThreadState

_log = logging.getLogger("caffe")
_told_gpu = False
_state = ThreadState(mode="CPU", device=0)
TRAIN, TEST = 0, 1
CPU, MLU, MFUS = "CPU", "MLU", "MFUS"


def set_mode_cpu() -> None:
    """FP32 on the host: the default."""
    card.leave()
    _state.set("mode", CPU)


def set_mode_gpu() -> None:
    """Accepted for old scripts: there is no GPU backend, so the host engine runs; said once in the log."""
    global _told_gpu
    if not _told_gpu:
        _log.info("set_mode_gpu: this package has no GPU backend; the host engine is used")
        _told_gpu = True
    set_mode_cpu()


def set_mode_mlu() -> None:
    """The vendor's mode, layer by layer on card 0: nets that are built from now on compute in the card's arithmetic (FP16 values, INT8 where the
    prototxt says so), each layer a function of its own, and log the time of every layer.

    The card is virtual: values are computed by this machine's processor, and times are its times.
    """
    card.start()
    _state.set("mode", MLU)


def set_mode_mfus() -> None:
    """The vendor's mode, fused on card 0: as `set_mode_mlu`, with each run of layers that the card can hold as one function."""
    card.start()
    _state.set("mode", MFUS)


def set_mode(name: str) -> None:
    """Choose a mode by the name that the vendor's -mmode flag has for it.

    Parameters
    ----------
    name : str
        CPU, MLU or MFUS in any case; empty for CPU.

    Raises
    ------
    CheckError
        For another name.
    """
    setters = {"": set_mode_cpu, CPU: set_mode_cpu, MLU: set_mode_mlu, MFUS: set_mode_mfus}
    if name.upper() not in setters:
        raise CheckError(f"set_mode: the mode is '{name}'; it must be CPU, MLU or MFUS")
    setters[name.upper()]()


def mode() -> str:
    """The mode of this thread: 'CPU', 'MLU' or 'MFUS'."""
    return str(_state.get("mode"))


def check_mode(built: str, net: str) -> None:
    """Refuse to run a net in another mode than the one it was built in. A thread that never chose a mode runs any net.

    Parameters
    ----------
    built : str
        The mode of the net's construction.
    net : str
        Its name, for the message.

    Raises
    ------
    CheckError
    """
    now = _state.own("mode")
    if now is not None and now != built:
        raise CheckError(f"net '{net}': Caffe mode has changed since init! It was built in mode {built}, and the mode of this thread is {now}; set "
                         "the mode first, then build the net")


def set_device(device: int) -> None:
    """Remember a device ordinal; host nets do not depend on it."""
    if int(device) < 0:
        raise CheckError(f"set_device({device}): a device ordinal is at least 0")
    _state.set("device", int(device))


def device() -> int:
    """The ordinal of this thread's device."""
    return int(_state.get("device"))  # type: ignore[call-overload]


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
