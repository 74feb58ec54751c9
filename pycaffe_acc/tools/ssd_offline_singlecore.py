"""`ssd_offline_singlecore`: SSD's detections of an offline model, one batch after the other."""
from __future__ import annotations

from collections.abc import Sequence

from pycaffe_acc.tools.detection import FLAGS, detect, offline_detectors
from pycaffe_acc.tools.runner_flags import OFFLINE, device_numbers, log_folder, read_flags

NAME = "ssd_offline_singlecore"
HELP = "the vendor's runner: detections of an offline model over a list of images, one batch after the other"


def run(words: Sequence[str]) -> int:
    """Detect, write result files, print the vendor's lines."""
    flags = read_flags(words, NAME, {**OFFLINE, **FLAGS}, ("offlinemodel", "images"))
    if flags is None:
        return 0
    with log_folder(flags, NAME), offline_detectors(flags, [(device_numbers(flags)[0], 0)]) as (engines, newer, device):
        return detect(flags, engines, newer, device, serial=True)
