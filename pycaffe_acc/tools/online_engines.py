"""Opening nets for the runners' online mode."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from pycaffe_acc import card
from pycaffe_acc.errors import CheckError
from pycaffe_acc.mode import CPU, TEST
from pycaffe_acc.net import Net
from pycaffe_acc.runners.online_engine import OnlineEngine, twin_on
from pycaffe_acc.tools.card_flags import card_mode
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.gflags import Value
from pycaffe_acc.tools.glog import glog


class OpenedNets(NamedTuple):
    """Engines of one net.

    Attributes
    ----------
    engines : list of OnlineEngine
    newer : bool
        Whether the card is of the MLU270 generation.
    device : str
        Kind of card; empty in mode CPU.
    """

    engines: list[OnlineEngine]
    newer: bool
    device: str


@contextmanager
def online_engines(flags: dict[str, Value], spots: list[tuple[int, int]]) -> Iterator[OpenedNets]:
    """Build -model with -weights in the mode of -mmode, once for each pipeline; the weights are shared.

    Parameters
    ----------
    flags : dict
    spots : list of (int, int)
        Card and channel of each engine.

    Raises
    ------
    UsageError, CaffeError
    """
    words = {**flags, "mludevice": spots[0][0], "data_parallel": flags["dataparallel"], "model_parallel": flags["modelparallel"]}
    with card_mode(words) as mode:
        kind = "" if mode == CPU else card.settings().kind
        newer = kind == "MLU270"
        if newer:
            _newer_settings(flags)
        for ordinal in dict.fromkeys(d for d, _ in spots[1:] if d != spots[0][0]) if kind else ():
            glog(f"Using MLU device {ordinal}")
        if kind:
            card.set_channel_id(spots[0][1])
        glog(f"load file: {flags['model']}")
        net = Net(str(flags["model"]), TEST, weights=str(flags["weights"]))
        nets = [net, *(twin_on(net, *spot) for spot in spots[1:])]
        yield OpenedNets([OnlineEngine(n, bool(kind)) for n in nets], newer, kind)


def _newer_settings(flags: dict[str, Value]) -> None:
    try:
        card.set_core_number(int(flags["core_number"]))
        if int(flags["simple_compile"]) and int(flags["batchsize"]) > 1:
            card.set_batch_size(int(flags["batchsize"]))
            card.set_simple_flag(True)
    except CheckError as e:
        raise UsageError(str(e)) from e
