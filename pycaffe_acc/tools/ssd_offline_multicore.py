"""`ssd_offline_multicore`: SSD's detections of an offline model, in pipelines beside each other."""
from __future__ import annotations

from collections.abc import Sequence

from pycaffe_acc.tools.detection import FLAGS, detect, offline_detectors
from pycaffe_acc.tools.runner_flags import OFFLINE, log_folder, places, read_flags

NAME = "ssd_offline_multicore"
HELP = "the vendor's runner: detections of an offline model over a list of images, in pipelines beside each other"


def run(words: Sequence[str]) -> int:
    """Detect, write result files, print the vendor's lines."""
    flags = read_flags(words, NAME, {**OFFLINE, **FLAGS}, ("offlinemodel", "images"))
    if flags is None:
        return 0
    with log_folder(flags, NAME), offline_detectors(flags, places(flags)) as (engines, newer, device):
        return detect(flags, engines, newer, device, serial=False)
