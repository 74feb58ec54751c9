"""What SSD's four runners share: flags, jobs, opening models, closing lines."""
from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cnrt import device as devices
from pycaffe_acc.offline_net import OfflineNet
from pycaffe_acc.runners.detections import DetectionSink
from pycaffe_acc.runners.engine import Engine, begin_together
from pycaffe_acc.runners.figures import deal, read_figures
from pycaffe_acc.runners.fleet import run_fleet
from pycaffe_acc.runners.label_map import read_label_map
from pycaffe_acc.runners.number import number
from pycaffe_acc.runners.offline_engine import card_kind, load_model, raise_stack
from pycaffe_acc.runners.online_engine import OnlineEngine
from pycaffe_acc.runners.pipeline import Job, run_serially
from pycaffe_acc.runners.report import document, speed_lines, write_document
from pycaffe_acc.runners.simulated_wall import simulated_wall_us
from pycaffe_acc.runners.tally import Figures
from pycaffe_acc.tools.classification import so_far, warm_up
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.gflags import Value
from pycaffe_acc.tools.glog import glog
from pycaffe_acc.tools.offline_engines import check_batch
from pycaffe_acc.tools.runner_flags import is_raw, preparation

#: besides those of the classification runners
FLAGS: dict[str, Value] = {"confidencethreshold": 0.01, "dump": 1, "outputdir": "."}


def detect(flags: dict[str, Value], engines: Sequence[Engine], newer: bool, device: str, serial: bool) -> int:
    """Run the list of images and print speed; accuracy is meanAP_VOC's to tell from the result files.

    Parameters
    ----------
    flags : dict
    engines : sequence of Engine
        One for each pipeline.
    newer : bool
        Whether to print the MLU270 generation's lines.
    device : str
        The virtual card's name; empty without one.
    serial : bool
        One batch after the other, with the first engine.

    Raises
    ------
    UsageError
        When -outputdir is no folder.
    """
    folder = Path(str(flags["outputdir"]))
    if not folder.is_dir():
        raise UsageError(f"-outputdir is '{folder}', which is no folder")
    figures = read_figures(str(flags["images"]), labelled=False)
    glog(f"there are {len(figures)} figures in {flags['images']}")
    names = read_label_map(str(flags["labelmapfile"])) if flags["labelmapfile"] else {}
    prepare = preparation(flags, engines[0])
    sinks = [DetectionSink(names, float(flags["confidencethreshold"]), folder if int(flags["dump"]) else None) for _ in engines]
    jobs = [Job(share, engine, prepare, sink, glog) for share, engine, sink in zip(deal(figures, len(engines)), engines, sinks, strict=True)]
    for line in engines[0].lines():
        glog(line)
    warm_up(engines)
    stopped: list[BaseException] = []
    if serial:
        start = time.perf_counter_ns()
        tallies = [run_serially(jobs[0])]
        wall_us = (time.perf_counter_ns() - start) / 1e3
    else:
        begin_together(engines)
        tallies, wall_us = run_fleet(jobs, int(flags["fifosize"]), glog, stopped)
    images = so_far(tallies, stopped) if stopped else len(figures)
    wall_us = simulated_wall_us(engines[:1] if serial else engines, images, None if serial else int(flags["fifosize"]), is_raw(flags)) or wall_us
    result = Figures.of(images, tallies, wall_us, engines[0].shape[0])
    glog(f"{sum(s.detections for s in sinks)} detections in {result.hits.images} images")
    glog(f"Total execution time: {number(result.wall_us)} us")
    hardware = engines[0].times_hardware
    for line in speed_lines(result, newer, hardware, device):
        glog(line)
    write_document(document(result, newer, hardware, accuracy=False))
    if stopped:
        raise stopped[0]
    return 0


@contextmanager
def offline_detectors(flags: dict[str, Value], spots: list[tuple[int, int]]) -> Iterator[tuple[list[OnlineEngine], bool, str]]:
    """Load -offlinemodel once for each card and channel, with the segments that the host runs.

    Parameters
    ----------
    flags : dict
    spots : list of (int, int)
        Card and channel of each engine.

    Yields
    ------
    engines : list of OnlineEngine
    newer : bool
        Whether the model was compiled for the MLU270 generation.
    device : str
        Kind of card.

    Raises
    ------
    UsageError
        For data parallelism: the host's segments have the model's batch.
    CnrtError, CheckError
        For a file that is none, or has several functions and not what lies between them.
    """
    if int(flags["dataparallel"]) != 1:
        raise UsageError(f"-dataparallel is {flags['dataparallel']}; detectors run with 1, since the part on the host has the batch of the model. "
                         "Use -threads, or a model with a larger batch")
    before = devices.chosen_device()
    try:
        for ordinal in dict.fromkeys(d for d, _ in spots):
            glog(f"Using MLU device {ordinal}")
        glog(f"load file: {flags['offlinemodel']}")
        model = load_model(str(flags["offlinemodel"]))
        kind = card_kind(model)
        engines = []
        for ordinal, channel in spots:
            devices.set_current_device(devices.get(kind, ordinal))
            devices.set_current_channel(channel)
            raise_stack(model)
            engines.append(OnlineEngine(OfflineNet(str(flags["offlinemodel"]), model.model_parallelism), times_hardware=True))
        check_batch(flags, engines[0].shape[0])
        yield engines, kind == "MLU270", kind
    finally:
        devices.set_current_device(before)
