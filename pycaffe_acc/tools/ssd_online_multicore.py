"""`ssd_online_multicore`: SSD's detections of a net, in pipelines beside each other."""
from __future__ import annotations

from collections.abc import Sequence

from pycaffe_acc.tools.detection import FLAGS, detect
from pycaffe_acc.tools.online_engines import online_engines
from pycaffe_acc.tools.runner_flags import ONLINE, log_folder, places, read_flags

NAME = "ssd_online_multicore"
HELP = "the vendor's runner: detections of a net over a list of images, in pipelines beside each other"


def run(words: Sequence[str]) -> int:
    """Detect, write result files, print the vendor's lines."""
    flags = read_flags(words, NAME, {**ONLINE, **FLAGS}, ("model", "weights", "images"))
    if flags is None:
        return 0
    with log_folder(flags, NAME), online_engines(flags, places(flags)) as opened:
        return detect(flags, opened.engines, opened.newer, opened.device, serial=False)
