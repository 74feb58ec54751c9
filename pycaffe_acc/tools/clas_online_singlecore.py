"""`clas_online_singlecore`: a net over labelled images, one batch after the other."""
from __future__ import annotations

from collections.abc import Sequence

from pycaffe_acc.tools.classification import classify_serially, list_figures
from pycaffe_acc.tools.online_engines import online_engines
from pycaffe_acc.tools.runner_flags import ONLINE, device_numbers, log_folder, read_flags

NAME = "clas_online_singlecore"
HELP = "the vendor's runner: a net over labelled images in mode CPU, MLU or MFUS, one batch after the other"


def run(words: Sequence[str]) -> int:
    """Classify and print the vendor's lines; there is one thread and no data parallelism, whatever the flags say."""
    flags = read_flags(words, NAME, ONLINE, ("model", "weights", "images", "labels"))
    if flags is None:
        return 0
    with log_folder(flags, NAME):
        figures = list_figures(flags)
        with online_engines({**flags, "dataparallel": 1}, [(device_numbers(flags)[0], 0)]) as opened:
            return classify_serially(flags, figures, opened.engines[0], opened.newer, opened.device, tell_hardware=False)
