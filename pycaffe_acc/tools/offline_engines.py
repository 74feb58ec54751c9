"""Opening offline models for the runners."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from cnrt import device as devices
from pycaffe_acc.errors import CheckError
from pycaffe_acc.runners.offline_engine import OfflineEngine, card_kind, load_model
from pycaffe_acc.tools.gflags import Value
from pycaffe_acc.tools.glog import glog


class Opened(NamedTuple):
    """Engines of one model.

    Attributes
    ----------
    engines : list of OfflineEngine
    newer : bool
        Whether the model was compiled for the MLU270 generation.
    device : str
        Kind of card.
    """

    engines: list[OfflineEngine]
    newer: bool
    device: str


@contextmanager
def offline_engines(flags: dict[str, Value], spots: list[tuple[int, int]], data_parallel: int) -> Iterator[Opened]:
    """Load -offlinemodel and put it on cards and channels; the calling thread has its own device again afterwards.

    Parameters
    ----------
    flags : dict
    spots : list of (int, int)
        Card and channel of each engine.
    data_parallel : int

    Raises
    ------
    CnrtError
        For a file that is none, or does not fit the card.
    CheckError
        When -batchsize is neither 1 nor the model's batch.
    """
    before = devices.chosen_device()
    engines: list[OfflineEngine] = []
    try:
        for ordinal in dict.fromkeys(d for d, _ in spots):
            glog(f"Using MLU device {ordinal}")
        glog(f"load file: {flags['offlinemodel']}")
        model = load_model(str(flags["offlinemodel"]))
        kind = card_kind(model)
        for ordinal, channel in spots:
            engines.append(OfflineEngine(model, data_parallel, ordinal, channel))
        check_batch(flags, engines[0].shape[0] // data_parallel)
        yield Opened(engines, kind == "MLU270", kind)
    finally:
        for engine in engines:
            engine.close()
        devices.set_current_device(before)


def check_batch(flags: dict[str, Value], batch: int) -> None:
    """Raise a `CheckError` when -batchsize is neither 1 nor the batch of the model."""
    if int(flags["batchsize"]) not in (1, batch):
        raise CheckError(f"-batchsize is {flags['batchsize']}, and {flags['offlinemodel']} was compiled for batches of {batch}; leave the flag out, "
                         "or compile the model again")
