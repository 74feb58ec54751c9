"""Start and end, devices, channels, versions, error texts."""
from __future__ import annotations

import os
from typing import Any

import numpy as np

from cnrt import device as devices
from cnrt.device import Device
from cnrt.enums import ChannelType
from cnrt.errors import CnrtError, RetCode, error_text, last_error

#: 4.2.1: the interface of the MLU100 generation that this package follows
VERSION = 4 * 10000 + 2 * 100 + 1
#: `cnrtInit` flag: no card, only its rules
FAKE_DEVICE = 1
#: ordinal that the vendor's tools use for a device that runs nothing
FAKE_ORDINAL = -1

_state: dict[str, Any] = {"kind": None}


def require_init() -> str:
    """The kind of card in use.

    Raises
    ------
    CnrtError
        INIT before `cnrtInit`.
    """
    if _state["kind"] is None:
        raise CnrtError(RetCode.ERR_INIT, "failed to use the runtime: call cnrtInit first")
    return str(_state["kind"])


def cnrtGetErrorStr(err_code: int) -> str:
    """The constant text of a code."""
    return error_text(err_code)


def cnrtGetLastErr() -> RetCode:
    """Code of the calling thread's last failure."""
    return last_error()


def cnrtInit(flags: int = 0) -> RetCode:
    """Start the runtime; once, before all else.

    The kind of card is `PYCAFFE_ACC_CARD`, MLU100 unless set; how many there are `PYCAFFE_ACC_CARDS`, 1 unless set.

    Parameters
    ----------
    flags : int
        0, or 1 for a fake device, which runs nothing.

    Returns
    -------
    RetCode
        WARNING_FAKE_DEVICE for a fake device, else SUCCESS.

    Raises
    ------
    CnrtError
        INVALID for other flags, NODEV for an unknown kind.
    """
    if flags not in (0, FAKE_DEVICE):
        raise CnrtError(RetCode.ERR_INVALID, f"failed to start the runtime with flags {flags}: they must be 0, or {FAKE_DEVICE} for a fake device")
    kind = "null" if flags == FAKE_DEVICE else os.environ.get("PYCAFFE_ACC_CARD", "MLU100")
    devices.kind_class(kind)
    _state["kind"] = kind
    return RetCode.WARNING_FAKE_DEVICE if flags == FAKE_DEVICE else RetCode.SUCCESS


def cnrtDestroy() -> None:
    """End the runtime. Objects still held stay usable through their own methods."""
    _state["kind"] = None


def cnrtGetVersion() -> int:
    """major * 10000 + minor * 100 + patch."""
    return VERSION


def cnrtGetDeviceHandle(ordinal: int) -> Device:
    """The card of a number; -1 gives the fake device.

    Raises
    ------
    CnrtError
        INIT, NODEV.
    """
    kind = require_init()
    return devices.get("null") if ordinal == FAKE_ORDINAL else devices.get(kind, ordinal)


def cnrtSetCurrentDevice(dev: Device) -> None:
    """Bind the calling thread to a card; forgets its channel."""
    require_init()
    if not isinstance(dev, Device):
        raise CnrtError(RetCode.ERR_INVALID, f"failed to set the device to {dev!r}: it must come from cnrtGetDeviceHandle")
    devices.set_current_device(dev)


def cnrtGetCurrentDevice() -> Device:
    """The calling thread's card: the first one until one was set."""
    return current_card()


def current_card() -> Device:
    """As `cnrtGetCurrentDevice`; binds the thread to the first card if it has none, so that everything else agrees on it."""
    kind = require_init()
    device = devices.chosen_device()
    if device is None:
        device = devices.get(kind)
        devices.set_current_device(device)
    return device


def cnrtGetDeviceCount() -> int:
    """How many cards there are."""
    return devices.kind_class(require_init()).count()


def cnrtSyncDevice() -> None:
    """Wait for all work on the calling thread's card.

    Raises
    ------
    CnrtError
        What the work raised.
    """
    current_card().sync()


def cnrtSetCurrentChannel(channel: int) -> None:
    """Choose the DDR channel of the thread's later allocations, queues and functions (these only with model parallelism 1).

    Raises
    ------
    CnrtError
        OUT_RANGE.
    """
    current_card()
    devices.set_current_channel(int(channel))


def cnrtGetCurrentChannel() -> ChannelType:
    """The thread's channel, NONE until one was set."""
    require_init()
    return ChannelType(devices.current_channel())


def cnrtSetStackMem(megabytes: int) -> None:
    """Set the stack of every core of the thread's card; must be at least what the models need.

    Raises
    ------
    CnrtError
        OUT_RANGE.
    """
    current_card().set_stack(megabytes)


def cnrtGetStackMem() -> int:
    """The stack of every core, in MB."""
    return current_card().stack_mb


def float_us(value: float) -> float:
    """A duration as the vendor's float32 holds it."""
    return float(np.float32(value))
