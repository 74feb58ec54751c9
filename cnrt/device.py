"""What a device is, the kinds there are, and which one the calling thread uses.

A kind is one file in `cnrt/devices/`. Values are always computed on the host; kinds differ in the rules they enforce and in the numbers of their
spec, and in the clock that gives their times: the host's, or an event model of the card. `Device.time_source` says which.
"""
from __future__ import annotations

import importlib
import os
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, TypeVar

from cnrt.cores import Cores, CoreUse
from cnrt.errors import CnrtError, RetCode
from cnrt.memory import Account, Memory

if TYPE_CHECKING:
    from cnrt.queue import Queue
    from cnrt.simulation.clock import Clock

PARALLELISM = (1, 2, 4, 8, 16, 32)
NO_CHANNEL = -1


@dataclass(frozen=True)
class DeviceSpec:
    """Numbers of a device.

    Attributes
    ----------
    name : str
    channels, cores_per_channel : int
    memory_bytes_per_channel : int or None
        None: no limit of its own.
    clock_hz : float or None
    peak_ops_per_core : mapping of str to float
        Operations a second (a multiply-add counts two) per dtype.
    ddr_bytes_per_second : float or None
        Of one channel.
    pcie_bytes_per_second : float or None
    max_parallelism : int or None
        Upper bound of dp * mp; None: not limited to the vendor's steps either.
    max_stack_mb : int
    """

    name: str
    channels: int
    cores_per_channel: int
    memory_bytes_per_channel: int | None = None
    clock_hz: float | None = None
    peak_ops_per_core: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    ddr_bytes_per_second: float | None = None
    pcie_bytes_per_second: float | None = None
    max_parallelism: int | None = None
    max_stack_mb: int = 1024

    @property
    def cores(self) -> int:
        """Cores of all channels."""
        return self.channels * self.cores_per_channel


class Device:
    """One device; get it from `get`, do not construct it.

    Parameters
    ----------
    ordinal : int

    Attributes
    ----------
    spec : DeviceSpec
    account : Account
        Memory per channel.
    stack_mb : int
        Stack per core, checked against what a model needs.
    cores : Cores
        A card's cores by number, booked while functions run; see `core_uses`.
    """

    kind: ClassVar[str] = ""
    #: a model of a card rather than the machine itself
    virtual: ClassVar[bool] = False
    #: a card's own clock, which simulates; None where the host's clock measures
    clock: Clock | None = None

    def __init__(self, ordinal: int):
        self.ordinal = ordinal
        self.spec = self.make_spec()
        self.account = Account(f"{self.kind}:{ordinal}", [self.spec.memory_bytes_per_channel] * self.spec.channels)
        self.stack_mb = 64
        self.cores = Cores(self.name, self.spec.channels, self.spec.cores_per_channel)
        self.queues: weakref.WeakSet[Queue] = weakref.WeakSet()

    @classmethod
    def make_spec(cls) -> DeviceSpec:
        """The numbers of this kind."""
        raise TypeError(f"{cls.__name__} has no spec")

    @classmethod
    def count(cls) -> int:
        """How many devices of this kind there are."""
        return 1

    def malloc(self, nbytes: int, channel: int | None = None) -> Memory:
        """Allocate device memory, uninitialised.

        Parameters
        ----------
        nbytes : int
        channel : int, optional
            The thread's channel if not given; without one, the channel with the most memory left.

        Raises
        ------
        CnrtError
            NOMEM, OUT_RANGE.
        """
        if channel is None:
            channel = current_channel() if chosen_device() is self else NO_CHANNEL
        if channel == NO_CHANNEL:
            channel = self.account.roomiest()
        self.check_channel(channel)
        return Memory(nbytes, self.account, channel, self)

    def check_channel(self, channel: int) -> None:
        """OUT_RANGE unless the channel exists."""
        if not 0 <= channel < self.spec.channels:
            raise CnrtError(RetCode.ERR_OUT_RANGE, f"failed to use channel {channel} of {self.name}: "
                            f"it has the channels 0 to {self.spec.channels - 1}")

    def check_parallelism(self, data: int, model: int) -> None:
        """INVALID unless the device can run `data` x `model` parallel."""
        for what, value in (("data", data), ("model", model)):
            if value < 1 or self.spec.max_parallelism is not None and value not in PARALLELISM:
                raise CnrtError(RetCode.ERR_INVALID, f"failed to use {what} parallelism {value} on {self.name}: "
                                f"it must be one of {', '.join(map(str, PARALLELISM))}")
        limit = self.spec.max_parallelism
        if limit is not None and data * model > limit:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to use data parallelism {data} with model parallelism {model} on {self.name}: "
                            f"their product {data * model} must be at most {limit}")

    def check_cores(self, cores: int) -> None:
        """INVALID unless a function may ask for so many cores."""
        if cores < 1 or self.virtual and cores > self.spec.cores:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to run on {cores} cores of {self.name}: it has {self.spec.cores}")

    def set_stack(self, megabytes: int) -> None:
        """Set the stack of every core.

        Raises
        ------
        CnrtError
            OUT_RANGE.
        """
        if not 0 < megabytes <= self.spec.max_stack_mb:
            raise CnrtError(RetCode.ERR_OUT_RANGE, f"failed to set a stack of {megabytes} MB on {self.name}: "
                            f"it must be 1 to {self.spec.max_stack_mb}")
        self.stack_mb = int(megabytes)

    def run_table(self, table: int, n: int, cores: int, name: str = "function") -> int:
        """Run a bound instruction table and return when it is done.

        Parameters
        ----------
        table : int
            Address of n rows (kernel, arguments).
        n : int
        cores : int
            How many core slots to use at most; the host may have fewer, or fewer free.
        name : str
            Of what runs, for the trace.

        Returns
        -------
        int
            How many tasks it was.
        """
        raise TypeError(f"{type(self).__name__} cannot run anything")

    def tasks(self, cores: int) -> int:
        """How many tasks `run_table` makes of `cores` at most; 0 if the kind runs nothing."""
        return 0

    @property
    def slots(self) -> int:
        """Functions that `run_table` can run at once, on one core each."""
        return 1

    def core_uses(self) -> list[CoreUse]:
        """What each core did so far, in host time."""
        return self.cores.uses()

    def sync(self) -> None:
        """Wait for all queues of the device.

        Raises
        ------
        CnrtError
            The first error of their work.
        """
        for queue in list(self.queues):
            queue.sync()

    @property
    def time_source(self) -> str:
        """Where its notifiers' times come from."""
        return "host" if self.clock is None else f"simulated {self.kind}"

    @property
    def name(self) -> str:
        """Kind and ordinal."""
        return f"{self.kind}:{self.ordinal}"

    def __repr__(self) -> str:
        return f"Device({self.name!r})"


Kind = TypeVar("Kind", bound=type[Device])

_kinds: dict[str, type[Device]] = {}
_devices: dict[tuple[str, int], Device] = {}
_lock = threading.RLock()
_thread = threading.local()


def device_kind(name: str) -> Callable[[Kind], Kind]:
    """Register a class as a kind of device.

    Raises
    ------
    CnrtError
        EXIST if the name is taken.
    """
    def decorate(cls: Kind) -> Kind:
        if name in _kinds:
            raise CnrtError(RetCode.ERR_EXIST, f"failed to register device kind '{name}': the name is taken")
        cls.kind = name
        _kinds[name] = cls
        return cls

    return decorate


def kinds() -> tuple[str, ...]:
    """Names of the kinds, sorted."""
    importlib.import_module("cnrt.devices")  # here and not at the top: those files need this one's classes
    return tuple(sorted(_kinds))


def kind_class(kind: str) -> type[Device]:
    """The class of a kind.

    Raises
    ------
    CnrtError
        NODEV, listing the kinds.
    """
    known = kinds()
    if kind not in known:
        raise CnrtError(RetCode.ERR_NODEV, f"failed to find device kind '{kind}': there are {', '.join(known)}")
    return _kinds[kind]


def get(kind: str = "host", ordinal: int = 0) -> Device:
    """The device of a kind and number; always the same object.

    Parameters
    ----------
    kind : str
        As in `kinds()`; "MLU100:1" also gives the ordinal.
    ordinal : int

    Raises
    ------
    CnrtError
        NODEV.
    """
    name, _, number = kind.partition(":")
    if number:
        if not number.isdigit():
            raise CnrtError(RetCode.ERR_NODEV, f"failed to find device '{kind}': after the colon must stand a number")
        ordinal = int(number)
    cls = kind_class(name)
    if not 0 <= ordinal < cls.count():
        raise CnrtError(RetCode.ERR_NODEV, f"failed to find device {ordinal} of kind {name}: there are {cls.count()}")
    with _lock:
        if (name, ordinal) not in _devices:
            _devices[name, ordinal] = cls(ordinal)
        return _devices[name, ordinal]


def chosen_device() -> Device | None:
    """The device the calling thread was bound to; None if it was not."""
    return getattr(_thread, "device", None)


def current_device() -> Device:
    """The calling thread's device; the host until one was set."""
    return chosen_device() or get("host")


def set_current_device(device: Device | None) -> None:
    """Bind the calling thread to a device, or take that back with None; forgets its channel."""
    _thread.device = device
    _thread.channel = NO_CHANNEL


def current_channel() -> int:
    """The calling thread's channel, or -1."""
    return getattr(_thread, "channel", NO_CHANNEL)


def set_current_channel(channel: int) -> None:
    """Choose the channel for the thread's later allocations and queues; -1 takes the choice back.

    Raises
    ------
    CnrtError
        OUT_RANGE.
    """
    device = current_device()
    if channel != NO_CHANNEL:
        device.check_channel(channel)
    _thread.device, _thread.channel = device, channel


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()
    for device in _devices.values():
        device.cores.reset()  # whoever held some stayed in the parent
        if device.clock is not None:
            device.clock.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
