"""The runtime: devices, memory, queues, functions. It knows nothing of operators and of Caffe."""
from __future__ import annotations

from cnrt.device import Device, DeviceSpec, current_device, get, kinds, set_current_channel, set_current_device
from cnrt.errors import CnrtError, RetCode
from cnrt.function import Constant, Function, Instruction, KernelAddress, Param, Scratch
from cnrt.memory import Memory, Place
from cnrt.notifier import Notifier, duration_us
from cnrt.queue import Queue

__all__ = ["CnrtError", "Constant", "Device", "DeviceSpec", "Function", "Instruction", "KernelAddress", "Memory", "Notifier", "Param", "Place",
           "Queue", "RetCode", "Scratch", "current_device", "duration_us", "get", "kinds", "set_current_channel", "set_current_device"]
