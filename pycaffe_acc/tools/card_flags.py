"""The flags that choose the vendor's modes: -mmode, -mcore, -mreshape, -mludevice, -data_parallel, -model_parallel."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pycaffe_acc import card
from pycaffe_acc.errors import CheckError
from pycaffe_acc.mode import CPU, mode, set_mode, set_mode_cpu
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.gflags import Value
from pycaffe_acc.tools.glog import glog, shown_log


@contextmanager
def card_mode(flags: dict[str, Value]) -> Iterator[str]:
    """Be in the mode of a tool's flags for a while; on the card, with the log shown.

    Parameters
    ----------
    flags : dict
        `mmode`, `mcore`, `mreshape`, `mludevice`, `data_parallel` and `model_parallel`.

    Yields
    ------
    str
        CPU, MLU or MFUS.

    Raises
    ------
    UsageError
        For a value that a flag does not have.
    """
    try:
        _apply(flags)
        if mode() == CPU:
            yield CPU
        else:
            with shown_log():
                yield mode()
    finally:
        set_mode_cpu()
        card.reset()


def _apply(flags: dict[str, Value]) -> None:
    data, model = int(flags["data_parallel"]), int(flags["model_parallel"])
    if data * model > card.MOST_CORES:
        glog(f"data_parallel {data} times model_parallel {model} is more than the {card.MOST_CORES} cores of a card; both are set to 1", "E")
        data = model = 1
    try:
        if flags["mcore"]:
            card.set_rt_core(str(flags["mcore"]))
        set_mode(str(flags["mmode"]))
        card.set_reshape_mode(str(flags["mreshape"]))
        if mode() != CPU:
            with shown_log():
                card.set_mlu_device(int(flags["mludevice"]))
        card.set_parallel(data)
        card.set_model_parallel(model)
    except CheckError as e:
        raise UsageError(str(e)) from e
