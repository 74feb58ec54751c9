"""The virtual card of the vendor's modes: which one, how parallel, and what else its Caffe lets scripts set.

Every setting has a value per thread (`ThreadState`). A net takes the settings of the moment in which it is built.
"""
from __future__ import annotations

import gc
import logging
import threading
import weakref
from dataclasses import dataclass
from typing import Any

from cnrt import device as devices
from cnrt.cost import Launch
from cnrt.device import NO_CHANNEL, Device
from cnrt.errors import CnrtError
from pycaffe_acc.errors import CheckError
from pycaffe_acc.thread_state import ThreadState

_log = logging.getLogger("caffe")

#: core version → kind of virtual card
CARDS = {"MLU100": "MLU100", "1H16": "MLU100", "1H8": "MLU100", "MLU270": "MLU270", "VENTI": "MLU270"}
MOST_CORES = 32
CHANNELS = 4
RESHAPE_MODES = ("SETUPONLY", "ALWAYS")

_state = ThreadState(core="MLU100", ordinal=0, channel=NO_CHANNEL, data_parallel=1, model_parallel=1, core_number=1, batch_size=1, simple_flag=False,
                     bang_op=0, reshape_mode=RESHAPE_MODES[0])
_library = {"started": False}
_thread = threading.local()
_nets: weakref.WeakSet[Any] = weakref.WeakSet()


@dataclass(frozen=True)
class CardSettings:
    """What a net for the card remembers of its construction.

    Attributes
    ----------
    mode : str
        MLU or MFUS.
    kind : str
        Kind of virtual card.
    ordinal, channel : int
        Which card, and which of its DDR channels; channel -1 for any.
    data_parallel, model_parallel : int
        Slices of a batch that run beside each other, and cores that share one image.
    core_number : int
        The MLU270 generation's number of cores.
    batch_size : int or None
        With the simple flag: what the first axis of every input becomes.
    reshape_mode : str
        SETUPONLY or ALWAYS.
    """

    mode: str
    kind: str
    ordinal: int = 0
    channel: int = NO_CHANNEL
    data_parallel: int = 1
    model_parallel: int = 1
    core_number: int = 1
    batch_size: int | None = None
    reshape_mode: str = RESHAPE_MODES[0]

    @property
    def cores(self) -> int:
        """Core slots that a function of the net takes."""
        return max(self.data_parallel * self.model_parallel, self.core_number)

    @property
    def launch(self) -> Launch:
        """How the card spreads a forward of a net, whose batch is that of all slices."""
        data = max(self.data_parallel, self.core_number if self.model_parallel == 1 else 1)
        return Launch(data, self.model_parallel, whole=True)

    def check_batch(self, net: str, inputs: dict[str, tuple[int, ...]]) -> None:
        """Raise a `CheckError` unless every input's batch can be cut into `data_parallel` slices.

        Parameters
        ----------
        net : str
        inputs : dict of str to shape
        """
        for name, shape in inputs.items():
            if shape and shape[0] % self.data_parallel:
                raise CheckError(f"net '{net}': input '{name}' has a batch of {shape[0]}, which data parallelism {self.data_parallel} does not "
                                 "divide; online, the batch in the prototxt is that of all cores together")


def _int(key: str) -> int:
    return int(_state.get(key))  # type: ignore[call-overload]


def _whole(value: Any, what: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or not least <= value.__index__() <= most:
        raise CheckError(f"{what} is {value!r}; it must be a whole number from {least} to {most}")
    return int(value)


# ---- setters ------------------------------------------------------------------------------------------------------------------------------------


def set_rt_core(core: str) -> None:
    """Choose the kind of card.

    Parameters
    ----------
    core : str
        "MLU100", "1H16" or "1H8" for the virtual MLU100; "MLU270" (or "VENTI") for the virtual MLU270.

    Raises
    ------
    CheckError
        For another name.
    """
    if core not in CARDS:
        raise CheckError(f"set_rt_core: the core version is '{core}'; there are virtual cards for {', '.join(CARDS)}")
    _state.set("core", core)
    if bound() is not None:
        bind(settings())


def set_mlu_device(ordinal: int) -> None:
    """Choose a card by its number.

    Raises
    ------
    CheckError
        When there is no such card; PYCAFFE_ACC_CARDS says how many there are.
    """
    count = devices.kind_class(CARDS[str(_state.get("core"))]).count()
    _state.set("ordinal", _whole(ordinal, "set_mlu_device: the device", 0, count - 1))
    _log.info("Using MLU device %d", ordinal)
    if bound() is not None:
        bind(settings())


def set_parallel(number: int) -> None:
    """Data parallelism: slices of a batch that run beside each other, each on the cores of the model parallelism.

    Raises
    ------
    CheckError
        Unless it is at least 1, and at most 32 together with the model parallelism.
    """
    _check_product(_whole(number, "set_parallel: the data parallelism", 1, MOST_CORES), _int("model_parallel"))
    _state.set("data_parallel", int(number))


def set_model_parallel(number: int) -> None:
    """Model parallelism: cores that share one image.

    Raises
    ------
    CheckError
        Unless it is at least 1, and at most 32 together with the data parallelism.
    """
    _check_product(_int("data_parallel"), _whole(number, "set_model_parallel: the model parallelism", 1, MOST_CORES))
    _state.set("model_parallel", int(number))


def _check_product(data: int, model: int) -> None:
    if data * model > MOST_CORES:
        raise CheckError(f"data parallelism {data} times model parallelism {model} is {data * model}; a card has {MOST_CORES} cores")


def set_channel_id(channel: int) -> None:
    """Choose the card's DDR channel for the nets of this thread.

    Raises
    ------
    CheckError
        Unless it is 0 to 3.
    """
    _state.set("channel", _whole(channel, "set_channel_id: the channel", 0, CHANNELS - 1))
    _log.warning("Using MLU Channel %d", channel)
    if bound() is not None:
        bind(settings())


def set_core_number(number: int) -> None:
    """Cores of one function (MLU270 generation).

    Raises
    ------
    CheckError
        Unless it is 1 to 32; a net checks it against its card.
    """
    _state.set("core_number", _whole(number, "set_core_number: the number of cores", 1, MOST_CORES))


def set_batch_size(number: int) -> None:
    """Batch of the nets that are built under `set_simple_flag(True)` (MLU270 generation); others keep the batch of their prototxt.

    Raises
    ------
    CheckError
        Unless it is 1 to 65535.
    """
    _state.set("batch_size", _whole(number, "set_batch_size: the batch", 1, 65535))


def set_simple_flag(simple: bool) -> None:
    """Whether nets take batch and core number from `set_batch_size` and `set_core_number` (MLU270 generation)."""
    _state.set("simple_flag", bool(simple))


def set_bang_op(choice: int) -> None:
    """Whether detection layers should use the vendor's BANG kernels (MLU270 generation). Remembered; there is one implementation of each layer here.

    Raises
    ------
    CheckError
        Unless it is 0 or 1.
    """
    _state.set("bang_op", _whole(choice, "set_bang_op: the choice", 0, 1))


def set_reshape_mode(name: str) -> None:
    """SETUPONLY (the vendor's default) or ALWAYS. A net remembers it; `Net.reshape` works under both.

    Raises
    ------
    CheckError
    """
    if name.upper() not in RESHAPE_MODES:
        raise CheckError(f"set_reshape_mode: the mode is '{name}'; it must be {' or '.join(RESHAPE_MODES)}")
    _state.set("reshape_mode", name.upper())


# ---- the calling thread's card ------------------------------------------------------------------------------------------------------------------


def start() -> None:
    """Begin to use card 0 of the kind that `set_rt_core` chose."""
    _library["started"] = True
    _state.set("ordinal", 0)
    bind(settings())


def leave() -> None:
    """Give the thread the device back that it had before `start`."""
    if bound() is not None and devices.chosen_device() is bound():
        devices.set_current_device(_thread.before)
    _thread.bound = None


def reset() -> None:
    """Set everything to what it is in a new process, and leave the card."""
    leave()
    _state.reset()


def bound() -> Device | None:
    """The card to which `start` or a net's construction bound the calling thread."""
    return getattr(_thread, "bound", None)


def settings(mode: str = "MFUS") -> CardSettings:
    """The calling thread's settings, for a net of a mode.

    Parameters
    ----------
    mode : str
    """
    simple = bool(_state.get("simple_flag"))
    return CardSettings(mode, CARDS[str(_state.get("core"))], _int("ordinal"), _int("channel"), _int("data_parallel"), _int("model_parallel"),
                        _int("core_number"), _int("batch_size") if simple else None, str(_state.get("reshape_mode")))


def bind(wanted: CardSettings) -> Device:
    """Bind the calling thread to the card and channel of some settings.

    Parameters
    ----------
    wanted : CardSettings

    Returns
    -------
    Device

    Raises
    ------
    CheckError
        For a card that is not there, or a parallelism or number of cores that it has not.
    """
    try:
        device = devices.get(wanted.kind, wanted.ordinal)
        if bound() is None:
            _thread.before = devices.chosen_device()
        if devices.chosen_device() is not device:
            devices.set_current_device(device)
        if devices.current_channel() != wanted.channel:
            devices.set_current_channel(wanted.channel)
    except CnrtError as e:
        raise CheckError(e.message) from e
    _thread.bound = device
    return device


def open_card(wanted: CardSettings, net: Any) -> Device:
    """The card for a net that is being built.

    Parameters
    ----------
    wanted : CardSettings
    net : Net
        Counted until it is gone; see `exit_mlu_lib`.

    Raises
    ------
    CheckError
        As `bind`; after `exit_mlu_lib`.
    """
    check_started(wanted.mode)
    device = bind(wanted)
    try:
        device.check_parallelism(wanted.data_parallel, wanted.model_parallel)
        device.check_cores(wanted.cores)
    except CnrtError as e:
        raise CheckError(e.message) from e
    _nets.add(net)
    return device


def check_started(mode: str) -> None:
    """Raise a `CheckError` after `exit_mlu_lib`."""
    if not _library["started"]:
        raise CheckError(f"mode {mode} is not usable: exit_mlu_lib() ended it; call set_mode_{mode.lower()}() again")


def exit_mlu_lib() -> None:
    """End the use of the card; to be called when the nets that use it are deleted. A warning names those still there: they can run no more."""
    if len(_nets):
        gc.collect()
    if len(_nets):
        _log.warning("exit_mlu_lib: %d nets for the card are still there and can run no more: %s", len(_nets), ", ".join(n.name for n in _nets))
    _library["started"] = False
    leave()
