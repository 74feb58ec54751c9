"""`ssd_online_singlecore`: SSD's detections of a net, one batch after the other."""
from __future__ import annotations

from collections.abc import Sequence

from pycaffe_acc.tools.detection import FLAGS, detect
from pycaffe_acc.tools.online_engines import online_engines
from pycaffe_acc.tools.runner_flags import ONLINE, device_numbers, log_folder, read_flags

NAME = "ssd_online_singlecore"
HELP = "the vendor's runner: detections of a net over a list of images, one batch after the other"


def run(words: Sequence[str]) -> int:
    """Detect, write result files, print the vendor's lines."""
    flags = read_flags(words, NAME, {**ONLINE, **FLAGS}, ("model", "weights", "images"))
    if flags is None:
        return 0
    with log_folder(flags, NAME), online_engines({**flags, "dataparallel": 1}, [(device_numbers(flags)[0], 0)]) as opened:
        return detect(flags, opened.engines, opened.newer, opened.device, serial=True)
