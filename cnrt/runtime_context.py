"""A function on a card of its own choosing, with its queues and buffers (MLU270 generation)."""
from __future__ import annotations

from collections.abc import Sequence

from cnrt.device import NO_CHANNEL, Device
from cnrt.errors import CnrtError, RetCode
from cnrt.launch import InitFuncParam, LaunchFunction
from cnrt.memory import Memory
from cnrt.queue import Queue


class RuntimeContext:
    """Where a function runs: a card, a channel, memory for its constants and values.

    Parameters
    ----------
    function : LaunchFunction
        The context has a copy of it.

    Attributes
    ----------
    device : Device or None
        None until it was chosen or `init` took one.
    channel : int
        NO_CHANNEL: whatever has room.
    ready : bool
        Whether `init` was called.
    """

    def __init__(self, function: LaunchFunction):
        self.function = function.copy()
        self.function.release()
        self.device: Device | None = None
        self.channel = NO_CHANNEL
        self.ready = False
        self.destroyed = False

    def choose(self, device: Device | None = None, channel: int | None = None) -> None:
        """Choose card or channel, before `init`.

        Raises
        ------
        CnrtError
            INVALID behind `init`.
        """
        self.check_alive()
        if self.ready:
            raise CnrtError(RetCode.ERR_INVALID, "failed to choose the device of a runtime context: it is initialised already")
        self.device = self.device if device is None else device
        self.channel = self.channel if channel is None else channel

    def init(self, default: Device) -> None:
        """Upload the function to the chosen card, `default` if none was chosen.

        Raises
        ------
        CnrtError
            OUT_RANGE for a channel the card has not, INVALID the second time, NORES, NOMEM.
        """
        self.check_alive()
        if self.ready:
            raise CnrtError(RetCode.ERR_INVALID, "failed to initialise a runtime context: it is initialised already")
        device = self.device or default
        if self.channel != NO_CHANNEL:
            device.check_channel(self.channel)
        self.function.init_memory(InitFuncParam(), device, self.channel)
        self.device, self.ready = device, True

    def card(self) -> Device:
        """The card.

        Raises
        ------
        CnrtError
            INIT before `init`.
        """
        self.check_alive()
        if not self.ready or self.device is None:
            raise CnrtError(RetCode.ERR_INIT, "failed to use a runtime context: call cnrtInitRuntimeContext first")
        return self.device

    def queue(self) -> Queue:
        """A queue on its card and channel."""
        return Queue(self.card(), self.channel)

    def malloc(self, sizes: Sequence[int]) -> list[Memory]:
        """Memory on its card and channel, a block for each size."""
        return [self.card().malloc(int(n), self.channel) for n in sizes]

    def invoke(self, params: Sequence[Memory], queue: Queue) -> None:
        """Run the function on a queue of its card; returns at once. `params` are all inputs, then all outputs."""
        self.card()
        self.function.invoke(queue, params)

    def destroy(self) -> None:
        """Give the memory back; INVALID the second time."""
        self.check_alive()
        self.function.release()
        self.destroyed = True

    def check_alive(self) -> None:
        """INVALID if it was destroyed."""
        if self.destroyed:
            raise CnrtError(RetCode.ERR_INVALID, "failed to use a runtime context: it was destroyed")
