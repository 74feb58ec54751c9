"""What virtual cards share: values from the host's kernels, rules and time from the card's spec."""
from __future__ import annotations

import os

from cnrt.card_model import card_model
from cnrt.device import DeviceSpec
from cnrt.devices.host import HostRunner
from cnrt.errors import CnrtError, RetCode
from cnrt.scheduler import Scheduler
from cnrt.simulation.clock import Clock

GIB = 1 << 30


def card_count() -> int:
    """How many virtual cards of a kind there are: `PYCAFFE_ACC_CARDS`, else 1."""
    asked = os.environ.get("PYCAFFE_ACC_CARDS", "1")
    if not asked.isdigit() or int(asked) < 1:
        raise CnrtError(RetCode.ERR_INVALID, f"PYCAFFE_ACC_CARDS is '{asked}'; it must be a positive integer")
    return int(asked)


class VirtualCard(HostRunner):
    """A card with a file of its kind's name in `cnrt/devices/specs/`.

    The card's rules hold: memory per channel, parallelism, channels, stack. Its time is simulated (`cnrt.simulation`): the same program takes the
    same time on every machine.
    """

    virtual = True

    def __init__(self, ordinal: int, scheduler: Scheduler | None = None):
        super().__init__(ordinal, scheduler)
        self.clock = Clock(card_model(self.kind))

    @classmethod
    def make_spec(cls) -> DeviceSpec:
        """From the file."""
        return card_model(cls.kind).device_spec()

    @classmethod
    def count(cls) -> int:
        """See `card_count`."""
        return card_count()
